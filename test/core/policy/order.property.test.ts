import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { choose } from '../../../core/policy/choose.ts';
import { passed } from '../../../core/policy/pass.ts';
import { rankingOf } from '../../../core/policy/ranking.ts';
import { parseSelection, type SelectionSpec } from '../../../core/policy/selection.ts';

const tag = fc.oneof(
  fc
    .tuple(fc.constantFrom('', 'v'), fc.nat(3), fc.nat(3), fc.constantFrom('', '.0', '.1-rc.1', '.2+b', '-7'))
    .map(([prefix, a, b, rest]) => `${prefix}${a}.${b}${rest}`),
  fc.constantFrom('7', '07', '7.0', '-7', 'latest', 'main-9', 'main-10', '20240101', ''),
);
const spec = fc.record<SelectionSpec>({
  policy: fc.constantFrom<NonNullable<SelectionSpec['policy']>>(
    { semver: { range: '*' } },
    { semver: { range: '>=0-0', versions: 'Strict' } },
    { semver: { range: '~1.2 || >=3' } },
    { alphabetical: { order: 'asc' } },
    { alphabetical: {} },
    { numerical: {} },
    { numerical: { order: 'desc' } },
    { newest: {} },
  ),
  filterTags: fc.constantFrom(
    undefined,
    { pattern: '^v?(.*)$', extract: '$1' },
    { pattern: '(\\d+)$', extract: '$1' },
  ),
  exclude: fc.constantFrom([], ['rc'], ['^0', '^7$']),
});
const listAndShuffle = fc
  .uniqueArray(tag, { minLength: 1, maxLength: 20 })
  .chain((tags) => fc.tuple(fc.constant(tags), fc.shuffledSubarray(tags, { minLength: tags.length })));

it('the same tags in any order give the same choice, but for the first of equals', () => {
  fc.assert(
    fc.property(
      spec,
      listAndShuffle,
      fc.array(fc.nat(2), { minLength: 20, maxLength: 20 }),
      (spec, [tags, shuffled], times) => {
        const selection = parseSelection(spec);
        const facts = { created: new Map(tags.map((one, index) => [one, times[index] ?? 0])) };
        const ranking = rankingOf(selection.policy, facts);
        const [one, other] = [tags, shuffled].map((list) => choose(selection, list, facts));
        assert.equal(one?.kind, other?.kind);
        if (one?.kind !== 'chosen' || other?.kind !== 'chosen') return;
        const valueOf = (chosen: string): unknown => ranking.read(passed(selection, chosen) ?? '', chosen);
        const [a, b] = [valueOf(one.tag), valueOf(other.tag)];
        assert.equal(ranking.compare(a, b), 0, `${one.tag} and ${other.tag}`);
        // The documented rule: of equals the list's first wins, and with newest there are none of different text.
        const equals = tags.filter((each) => {
          const value = valueOf(each);
          return (
            value !== undefined && passed(selection, each) !== undefined && ranking.compare(value, a) === 0
          );
        });
        assert.equal(one.tag, equals[0]);
      },
    ),
    { numRuns: 2000 },
  );
});

it('no three tags are each preferred to the next', () => {
  fc.assert(
    fc.property(
      spec,
      fc.tuple(tag, tag, tag),
      fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1)),
      (spec, tags, times) => {
        const selection = parseSelection(spec);
        const created = new Map(tags.map((one, index) => [one, times[index] ?? 0]));
        const ranking = rankingOf(selection.policy, { created });
        const values = tags.map((one) => ranking.read(passed(selection, one) ?? one, one));
        const [a, b, c] = values;
        if (a === undefined || b === undefined || c === undefined) return;
        if (ranking.compare(a, b) > 0 && ranking.compare(b, c) > 0)
          assert.ok(ranking.compare(a, c) > 0, tags.join());
        assert.ok(Math.sign(ranking.compare(a, b)) + Math.sign(ranking.compare(b, a)) === 0);
      },
    ),
    { numRuns: 5000 },
  );
});
