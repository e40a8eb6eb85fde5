import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { matchesGlob } from '../../core/glob.ts';

const rows: [pattern: string, text: string, matches: boolean, why: string][] = [
  ['team-a', 'team-a', true, 'no star: the text itself'],
  ['team-a', 'team-ab', false, 'no star: nothing more'],
  ['team-*', 'team-', true, 'a star may stand for nothing'],
  ['*', '', true, 'and alone for all'],
  ['*-a', 'team-a', true, 'at the beginning'],
  ['a*a', 'a', false, 'head and tail do not share a character'],
  ['a*b*c', 'axxbyyc', true, 'in the middle'],
  ['a*b*c', 'axxcyyb', false, 'in the order given'],
  ['a**b', 'ab', true, 'two stars are as one'],
  ['a.c', 'abc', false, 'a full stop is a full stop'],
];

for (const [pattern, text, matches, why] of rows) {
  test(`"${pattern}" and "${text}": ${why}`, () => assert.equal(matchesGlob(pattern, text), matches));
}

test('agrees with a regular expression', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 });
  fc.assert(
    fc.property(part, part, (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^]*')}$`);
      assert.equal(matchesGlob(pattern, text), expression.test(text));
    }),
  );
});

test('takes no longer for a hostile pattern than for a kind one', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(5000)}b`, 'a'.repeat(100_000)), false);
});
