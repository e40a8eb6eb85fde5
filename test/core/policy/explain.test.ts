import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { artifactTag } from '../../../core/policy/artifact-tag.ts';
import { choose } from '../../../core/policy/choose.ts';
import { around, explain } from '../../../core/policy/explain.ts';
import type { Facts } from '../../../core/policy/ranking.ts';
import { parseSelection, type SelectionSpec } from '../../../core/policy/selection.ts';

const HEX = 'a'.repeat(64);
const selectionOf = (spec: SelectionSpec) => ({ ...parseSelection(spec), artifactOf: artifactTag });

const told = (spec: SelectionSpec, tags: string[], facts?: Facts): string[] =>
  explain(selectionOf(spec), tags, facts).map(({ tag, verdict, message }) => `${tag} ${verdict}: ${message}`);

const name = fc.constantFrom(
  '1.0.0',
  '1.0',
  'v1',
  '2.0.0-rc.1',
  '3.1.4',
  'latest',
  '20240101',
  '7',
  `sha256-${HEX}.att`,
);
const tag = fc.oneof(name, fc.string({ unit: 'binary', maxLength: 6 }));
const spec = fc.record({
  policy: fc.constantFrom<NonNullable<SelectionSpec['policy']>>(
    {},
    { semver: { range: '>=0-0' } },
    { semver: { range: '^1', versions: 'Strict' } },
    { alphabetical: { order: 'asc' } },
    { numerical: { order: 'desc' } },
    { newest: {} },
  ),
  exclude: fc.constantFrom([], ['^1'], ['rc']),
  filterTags: fc.constantFrom(undefined, { pattern: '^v?(.*)$', extract: '$1' }, { pattern: '\\d' }),
});

const notImages = new Map([['3.1.4', 'a Helm chart']]);

describe('explain', () => {
  it('tells of each tag what became of it by semver, the nearest first', () => {
    const tags = [
      '1.0.0',
      '3.0.0',
      'latest',
      '1.2.0',
      '1.3.0-rc.1',
      '1.1.0',
      'v1.2',
      '4.0.0',
      `sha256-${HEX}.sig`,
    ];
    assert.deepEqual(told({ policy: { semver: { range: '^1' } } }, tags), [
      '1.2.0 Chosen: the highest version in ^1',
      'v1.2 Lower: equal to 1.2.0, which comes first',
      '1.1.0 Lower: 1.2.0 is preferred',
      '1.0.0 Lower: 1.2.0 is preferred',
      '1.3.0-rc.1 PreRelease: a pre-release, and ^1 names none',
      '3.0.0 OutOfRange: not in ^1',
      '4.0.0 OutOfRange: not in ^1',
      'latest NotVersion: latest is not a version',
      `sha256-${HEX}.sig ArtifactTag: by its name a cosign signature`,
    ]);
  });

  it('tells of versions: Strict, of filters, of exclusions, and of what is no image', () => {
    const spec: SelectionSpec = {
      policy: { semver: { range: '*', versions: 'Strict' } },
      filterTags: { pattern: '^v(.*)$', extract: '$1' },
      exclude: ['bad', 'beta'],
    };
    const facts = { notImages: new Map([['v3.0.0', 'a Helm chart']]) };
    assert.deepEqual(told(spec, ['v1.0.0', '9.9.9', 'v2024', 'v2.0.0-beta', 'v', 'v3.0.0'], facts), [
      'v1.0.0 Chosen: the highest version in *',
      'v2.0.0-beta Excluded: exclude[1] matches',
      'v3.0.0 NotImage: is a Helm chart',
      '9.9.9 NotMatched: filterTags.pattern does not match',
      'v2024 PartialVersion: 2024 has not three numbers, which versions: Strict wants',
      'v NotMatched: filterTags.extract leaves nothing of it',
    ]);
  });

  it('tells of the other policies', () => {
    assert.deepEqual(told({ policy: { numerical: {} } }, ['1', 'x', '2']), [
      '2 Chosen: the greatest number',
      '1 Lower: 2 is preferred',
      'x NotNumber: x is not a number',
    ]);
    const created = new Map([['a', 1]]);
    assert.deepEqual(told({ policy: { newest: {} } }, ['a', 'b'], { created }), [
      'a Chosen: created last',
      'b NoCreationTime: does not say when it was created',
    ]);
    assert.deepEqual(told({ policy: { digest: { tag: 'stable' } } }, ['1.0.0']), [
      'stable Chosen: the tag that is followed',
      '1.0.0 NotFollowed: stable is followed, and no other',
    ]);
  });

  it('tells it in one short line, whatever a tag is like', () => {
    const long = 'x'.repeat(100_000);
    const longVersion = `1.${'0'.repeat(200)}`;
    const breaks = 'a\nb\u202e';
    for (const policy of [{}, { semver: { range: '*', versions: 'Strict' as const } }, { numerical: {} }]) {
      for (const line of told({ policy }, [long, longVersion, breaks, '1.0.0'])) {
        const message = line.slice(line.indexOf(':'));
        assert.ok(message.length < 200, message);
        assert.match(message, /^[\x20-\x7e…]*$/);
      }
    }
    for (const { message } of explain(selectionOf({ policy: { alphabetical: {} } }), [
      long,
      `${long}x`,
      'y'.repeat(5000),
    ]))
      assert.ok(message.length < 200, message);
  });

  it('tells of each tag once, and of the one that is chosen first', () => {
    fc.assert(
      fc.property(spec, fc.array(tag), fc.array(fc.nat(3)), (spec, tags, times) => {
        const created = new Map(tags.slice(0, times.length).map((one, index) => [one, times[index] ?? 0]));
        const facts = { created, notImages };
        const candidates = explain(selectionOf(spec), tags, facts);
        assert.deepEqual(candidates.map(({ tag }) => tag).toSorted(), [...new Set(tags)].toSorted());
        const choice = choose(selectionOf(spec), tags, facts);
        const winners = candidates.filter(({ verdict }) => verdict === 'Chosen').map(({ tag }) => tag);
        assert.deepEqual(winners, choice.kind === 'chosen' ? [choice.tag] : []);
        if (choice.kind === 'chosen') assert.equal(candidates[0]?.tag, choice.tag);
      }),
      { numRuns: 500 },
    );
  });
});

describe('around', () => {
  it('tells as explain does, of eight at most', () => {
    fc.assert(
      fc.property(spec, fc.array(name, { maxLength: 30 }), (spec, tags) => {
        const facts = { created: new Map(tags.map((one, index) => [one, index % 3])), notImages };
        const selection = selectionOf(spec);
        const all = explain(selection, tags, facts).map((one) => JSON.stringify(one));
        const few = around(selection, tags, facts).map((one) => JSON.stringify(one));
        assert.ok(few.length <= 8);
        assert.deepEqual(
          few,
          all.filter((one) => few.includes(one)),
          'in the same order',
        );
        assert.equal(few[0], all[0]);
      }),
      { numRuns: 500 },
    );
  });

  it('tells of the chosen one, three below, and four above', () => {
    const tags = Array.from({ length: 30 }, (_, index) => `${Math.floor(index / 10) + 1}.${index % 10}.0`);
    assert.deepEqual(
      around(selectionOf({ policy: { semver: { range: '<2' } } }), tags).map(({ tag }) => tag),
      ['1.9.0', '1.8.0', '1.7.0', '1.6.0', '2.0.0', '2.1.0', '2.2.0', '2.3.0'],
    );
  });

  it('tells of an equal one that is refused where it would have come first', () => {
    const facts = { notImages: new Map([['v1.2.0', 'a Helm chart']]) };
    const verdicts = (...tags: string[]) =>
      around(selectionOf({}), tags, facts).map(({ tag, verdict }) => `${tag} ${verdict}`);
    assert.deepEqual(verdicts('v1.2.0', '1.2.0'), ['1.2.0 Chosen', 'v1.2.0 NotImage']);
    assert.deepEqual(verdicts('1.2.0', 'v1.2.0'), ['1.2.0 Chosen']);
  });

  it('tells of an excluded one by what would have been extracted of it', () => {
    const filterTags = { pattern: '^main-(\\d+)$', extract: '$1' };
    const selection = selectionOf({ policy: { numerical: {} }, filterTags, exclude: ['-12$'] });
    assert.deepEqual(
      around(selection, ['99', 'main-9', 'main-12', 'main-10', '7']).map(
        ({ tag, verdict }) => `${tag} ${verdict}`,
      ),
      ['main-10 Chosen', 'main-9 Lower', 'main-12 Excluded'],
      'and not of 99, which does not compare',
    );
  });

  it('has other tags to tell of than signatures, which some policies would put first', () => {
    const tags = [...Array.from({ length: 9 }, (_, i) => `sha256-${i}${HEX.slice(1)}.sig`), 'a', 'b', 'c'];
    const selection = selectionOf({ policy: { alphabetical: {} }, exclude: ['c'] });
    assert.deepEqual(
      around(selection, tags).map(({ tag }) => tag),
      ['b', 'a', 'c'],
    );
  });

  it('tells in bounds of what a registry should not list', () => {
    const odd = `1.0\n${'x'.repeat(10_000)}`;
    const [chosen, other] = around(selectionOf({}), ['1.0.0', odd]);
    assert.equal(chosen?.tag, '1.0.0');
    assert.equal(other, undefined);
    const [refused] = around(selectionOf({}), [odd]);
    assert.ok(refused !== undefined && refused.tag.length <= 128 && refused.message.length <= 256);
    assert.doesNotMatch(refused.tag + refused.message, /\n/);
  });

  it('tells of the best of those that are refused when there is no choice', () => {
    const tags = ['1.0.0', '6.0.0', '3.0.0', '2.0.0', '5.0.0', '4.0.0'];
    const few = around(selectionOf({ policy: { semver: { range: '>9' } } }), tags);
    assert.deepEqual(
      few.map(({ tag }) => tag),
      ['6.0.0', '5.0.0', '4.0.0', '3.0.0'],
    );
  });

  it('tells of a few refused ones when there is no choice', () => {
    const tags = ['a', '1.0.0', 'b', 'c', 'd', 'e'];
    const few = around(selectionOf({ policy: { semver: { range: '>9' } } }), tags);
    assert.deepEqual(
      few.map(({ tag }) => tag),
      ['1.0.0', 'a', 'b', 'c'],
    );
  });
});

describe('artifactTag', () => {
  for (const [name, what] of [
    [`sha256-${HEX}`, 'a list of what refers to an image'],
    [`sha256-${HEX}.sig`, 'a cosign signature'],
    [`sha256-${HEX}.att`, 'a cosign attestation'],
    [`sha256-${HEX}.sbom`, 'an SBOM'],
    [`sha512-${HEX}`, 'a list of what refers to an image'],
    [`sha512-${HEX}.sig`, 'a cosign signature'],
    [`sha512-${HEX}${'b'.repeat(57)}`, 'a list of what refers to an image'],
    [`sha512-${HEX}${'b'.repeat(52)}.sbom`, 'an SBOM'],
    [`blake3-${HEX}`, 'a list of what refers to an image'],
    [`sha256-${HEX}a`, undefined],
    [`release-${HEX}`, undefined],
    [`sha256-${HEX}.other`, undefined],
    [`sha256-${HEX.slice(1)}`, undefined],
    ['sha256-abc.sig', undefined],
    ['1.0.0', undefined],
  ] as const) {
    it(`${name} is ${what ?? 'like any other'}`, () => assert.equal(artifactTag(name), what));
  }
});
