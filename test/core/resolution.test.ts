import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseResolutions } from '../../core/resolution.ts';

const GOOD = { from: 'nginx', to: 'nginx:1', scan: 'team/app', generation: 3, time: '2026-01-01T00:00:00Z' };

describe('parseResolutions', () => {
  it('reads what was written', () => {
    assert.deepEqual(parseResolutions(JSON.stringify({ app: GOOD, web: GOOD })), { app: GOOD, web: GOOD });
  });

  const nothing: [annotation: string | undefined, why: string][] = [
    [undefined, 'no annotation'],
    ['', 'an empty one'],
    ['{"app":', 'half of one'],
    ['null', 'null'],
    ['"app"', 'a text'],
    ['7', 'a number'],
    [JSON.stringify([GOOD.from]), 'a list'],
    ['['.repeat(100_000), 'brackets without end'],
  ];
  for (const [annotation, why] of nothing) {
    it(`reads nothing from ${why}`, () => assert.deepEqual(parseResolutions(annotation), {}));
  }

  const broken: [entry: unknown, why: string][] = [
    [null, 'null'],
    ['nginx:1', 'a text'],
    [[GOOD], 'a list'],
    [{}, 'nothing in it'],
    [{ ...GOOD, to: undefined }, 'no `to`'],
    [{ ...GOOD, from: 1 }, '`from` is a number'],
    [{ ...GOOD, to: ['nginx:1'] }, '`to` is a list'],
    [{ ...GOOD, scan: null }, '`scan` is null'],
    [{ ...GOOD, generation: '3' }, '`generation` is a text'],
    [{ ...GOOD, generation: 1.5 }, '`generation` is no whole number'],
    [{ ...GOOD, time: 0 }, '`time` is a number'],
  ];
  for (const [entry, why] of broken) {
    it(`leaves out the entry where ${why}, and keeps its neighbour`, () =>
      assert.deepEqual(parseResolutions(JSON.stringify({ app: entry, web: GOOD })), { web: GOOD }));
  }

  it('leaves out a generation that JSON could not write again', () => {
    const text = JSON.stringify({ app: GOOD }).replace('3', '1e999');
    assert.deepEqual(parseResolutions(text), {});
  });

  it('takes nothing along that it does not know, however deep it is nested', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const text = JSON.stringify({ app: GOOD }).replace('}', `,"note":${deep}}`);
    assert.deepEqual(parseResolutions(text), { app: GOOD });
  });

  it('leaves the prototype of objects alone', () => {
    const parsed = parseResolutions(
      `{"__proto__": ${JSON.stringify(GOOD)}, "constructor": ${JSON.stringify(GOOD)}}`,
    );
    assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
    assert.deepEqual(Object.keys(parsed), ['__proto__', 'constructor']);
    assert.equal(Object.hasOwn({}, 'from'), false);
    assert.equal('from' in {}, false);
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        assert.deepEqual(parseResolutions(JSON.stringify(parseResolutions(text))), parseResolutions(text));
      }),
    );
  });
});
