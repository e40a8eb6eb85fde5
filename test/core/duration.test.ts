import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DurationError, parseDuration } from '../../core/duration.ts';

describe('parseDuration', () => {
  const rows: [text: string, milliseconds: number, why: string][] = [
    ['0', 0, 'the one number without a unit'],
    ['0s', 0, 'zero with one'],
    ['15m', 900_000, 'minutes, not milliseconds'],
    ['15ms', 15, 'milliseconds, not minutes and a stray s'],
    ['1m15ms', 60_015, 'both side by side'],
    ['1h30m', 5_400_000, 'parts add up'],
    ['30m1h', 5_400_000, 'in any order, as in Go'],
    ['1s1s', 2000, 'and more than once, as in Go'],
    ['1.5h', 5_400_000, 'a fraction'],
    ['500us', 0.5, 'less than a millisecond'],
    ['500µs', 0.5, 'with the micro sign'],
    ['500μs', 0.5, 'with the Greek letter'],
    ['1000000ns', 1, 'nanoseconds'],
    ['00008s', 8000, 'leading zeros'],
  ];
  for (const [text, milliseconds, why] of rows) {
    it(`${text}: ${why}`, () => assert.equal(parseDuration(text), milliseconds));
  }

  const wrong: [text: string, why: string][] = [
    ['', 'nothing'],
    ['5', 'a number without its unit'],
    ['00', 'only a single 0 may lack it'],
    ['1d', 'Go has no days'],
    ['-5s', 'less than nothing'],
    ['+5s', 'a sign, which the schema of the kinds refuses too'],
    ['.5s', 'nothing before the point, likewise'],
    ['1.s', 'nothing after it, likewise'],
    ['1h 30m', 'a space between'],
    [' 1h', 'a space before'],
    ['1h\n', 'a line end after'],
    ['1H', 'capital letters'],
    ['1e3s', 'an exponent'],
    ['NaN', 'a word'],
    ['Infinitys', 'another'],
    ['१s', 'digits of another script'],
  ];
  for (const [text, why] of wrong) {
    it(`refuses ${JSON.stringify(text)}: ${why}`, () =>
      assert.throws(
        () => parseDuration(text),
        (error: unknown) =>
          error instanceof DurationError &&
          error.code === 'InvalidDuration' &&
          error.message === `"${text}" is not a duration; write it like 30s, 15m or 1h30m`,
      ));
  }

  it('adds up whatever parts there are', () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
    const part = fc.tuple(fc.nat(1000), fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.map(([amount, unit]) => `${amount}${unit}`).join('');
        assert.equal(
          parseDuration(text),
          parts.reduce((sum, [amount, unit]) => sum + amount * units[unit], 0),
        );
      }),
    );
  });

  it('takes no longer over a long text than its length warrants', { timeout: 2000 }, () => {
    assert.throws(() => parseDuration(`${'1'.repeat(500_000)}x`), DurationError);
    assert.throws(() => parseDuration(`${'1ms'.repeat(200_000)}x`), DurationError);
  });
});
