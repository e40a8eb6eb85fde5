import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { choose, PolicyError, type PolicySpec, parsePolicy } from '../../core/policy.ts';
import { compareVersions, parseVersion } from '../../core/semver/version.ts';

const chosen = (spec: PolicySpec | null | undefined, tags: string[]) => {
  const choice = choose(parsePolicy(spec), tags);
  return choice.kind === 'chosen' ? choice.tag : choice.message;
};

describe('choose', () => {
  const rows: [policy: PolicySpec | null, tags: string[], expected: string, why: string][] = [
    [{ semver: { range: '*' } }, ['1.9.0', '1.10.0', 'latest'], '1.10.0', 'the highest version'],
    [{ semver: { range: '*' } }, ['v1.2.0', '1.2', '1.2.0'], 'v1.2.0', 'of equals the first'],
    [{ semver: { range: '*' } }, ['1.2+b', '1.2.0+c'], '1.2+b', 'build metadata makes no difference'],
    [
      { semver: { range: '^1' } },
      ['9.0.0', '1.3.0', '1.2.0'],
      '1.3.0',
      'a higher one outside the range does not hide it',
    ],
    [{ semver: { range: '*' } }, [], 'no tag found', 'no tags at all'],
    [{ semver: { range: '>=9 ' } }, ['1.0.0'], 'no available version matching >=9 ', 'none in the range'],
    [{ semver: { range: '*' } }, ['latest'], 'no available version matching *', 'none that is a version'],
    [null, ['1.0.0', '2.0.0-rc'], '1.0.0', 'no policy is semver *'],
    [{}, ['1.0.0', 'z'], '1.0.0', 'nor is an empty one'],
    [{ semver: null, alphabetical: null }, ['1.0.0', 'z'], '1.0.0', 'null is as good as absent'],
    [{ semver: { range: '1.x' }, alphabetical: { order: 'desc' } }, ['1.0.0', 'z'], '1.0.0', 'semver wins'],
    [
      { semver: { range: '*', versions: 'Strict' } },
      ['20240101', '1.3', 'v1.2.3'],
      'v1.2.3',
      'Strict wants three numbers',
    ],
    [{ alphabetical: {} }, ['a', 'c', 'b'], 'c', 'no order is the greatest'],
    [{ alphabetical: { order: null } }, ['a', 'c', 'b'], 'c', 'null is no order'],
    [{ alphabetical: { order: 'DeSc' } }, ['a', 'c', 'b'], 'c', 'desc in any case is the greatest'],
    [{ alphabetical: { order: ' desc' } }, ['b', 'a', 'c'], 'a', 'but it is not trimmed'],
    [{ alphabetical: { order: 'asc' } }, ['9', '10', '100'], '10', 'all else is the smallest, as text'],
    [{ alphabetical: {} }, ['Z', 'a', '_'], 'a', 'in the order of bytes'],
    [
      { alphabetical: {} },
      ['\uffee', '\u{1f600}'],
      '\u{1f600}',
      'of UTF-8, where UTF-16 has it the other way round',
    ],
    [{ alphabetical: { order: 'asc' } }, ['aa', 'a'], 'a', 'a beginning comes before the whole'],
    [{ alphabetical: {} }, [], 'no tag found', 'no tags at all'],
  ];
  for (const [policy, tags, expected, why] of rows) {
    it(`${JSON.stringify(policy)} of ${JSON.stringify(tags)}: ${why}`, () =>
      assert.equal(chosen(policy, tags), expected));
  }

  it('gives a reason for none', () => {
    const policy = parsePolicy({ semver: { range: '>=9' } });
    assert.deepEqual(choose(policy, []), { kind: 'none', reason: 'NoTags', message: 'no tag found' });
    assert.deepEqual(choose(policy, ['1.0.0']), {
      kind: 'none',
      reason: 'NoMatch',
      message: 'no available version matching >=9',
    });
  });

  it('warns when a partial version wins over full ones that the range allows too', () => {
    const warningOf = (tags: string[], range = '*') => {
      const choice = choose(parsePolicy({ semver: { range } }), tags);
      return choice.kind === 'chosen' ? choice.warning : assert.fail(choice.message);
    };
    assert.match(warningOf(['1.2.3', '20240101']) ?? '', /^20240101 counts as version 20240101\.0\.0 /);
    assert.equal(warningOf(['1.2', '1.3']), undefined, 'all are partial');
    assert.equal(warningOf(['1.2.3', '1.1']), undefined, 'a full one wins');
    assert.equal(warningOf(['1.2.3', '2.1'], '^2'), undefined, 'the full one is outside the range');
  });

  const number = fc.nat(3).map(String);
  const tag = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('', 'v'),
        fc.array(number, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('', '-rc.1', '-a', '+b'),
      )
      .map(([v, numbers, suffix]) => v + numbers.join('.') + suffix),
    fc.constantFrom('latest', '20240101', 'sha256-abc.sig', '1.2.3.4'),
  );
  const listAndShuffle = fc
    .array(tag, { minLength: 1, maxLength: 30 })
    .chain((tags) => fc.tuple(fc.constant(tags), fc.shuffledSubarray(tags, { minLength: tags.length })));

  it('makes the same of the same versions in any order', () => {
    fc.assert(
      fc.property(
        listAndShuffle,
        fc.constantFrom('*', '>=0-0', '^1', '~1.2 || >=3'),
        ([tags, shuffled], range) => {
          const [one, other] = [tags, shuffled].map((list) => chosen({ semver: { range } }, list));
          const [a, b] = [one, other].map((text) => parseVersion(text ?? ''));
          if (a === undefined || b === undefined) assert.equal(one, other);
          else assert.equal(compareVersions(a, b), 0, `${one} and ${other}`);
        },
      ),
    );
  });

  it('makes the same of the same texts in any order', () => {
    fc.assert(
      fc.property(listAndShuffle, fc.constantFrom('asc', 'desc'), ([tags, shuffled], order) => {
        const spec = { alphabetical: { order } };
        assert.equal(chosen(spec, tags), chosen(spec, shuffled));
      }),
    );
  });

  it('orders text as its UTF-8 bytes', () => {
    const word = fc.string({ unit: 'binary', maxLength: 4 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        const sorted = words.map((text) => Buffer.from(text)).sort((a, b) => Buffer.compare(a, b));
        assert.equal(chosen({ alphabetical: { order: 'asc' } }, words), sorted.at(0)?.toString());
        assert.equal(chosen({ alphabetical: {} }, words), sorted.at(-1)?.toString());
      }),
    );
  });

  it('takes any text for a tag', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), fc.constantFrom('*', '>=0-0'), (tags, range) => {
        const result = chosen({ semver: { range } }, tags);
        assert.ok(tags.includes(result) || result.startsWith('no '));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('parsePolicy', () => {
  const refused: [policy: PolicySpec, code: string, message: RegExp][] = [
    [{ semver: { range: 'latest' } }, 'InvalidRange', /^improper constraint: "latest"$/],
    [{ semver: { range: '' } }, 'InvalidRange', /^improper constraint: ""$/],
    [{ semver: {} }, 'InvalidRange', /^improper constraint: ""$/],
    [{ semver: { range: '' }, alphabetical: {} }, 'InvalidRange', /^improper constraint: ""$/],
    [{ numerical: {} }, 'UnsupportedPolicy', /^unsupported policy: numerical /],
    [{ newest: {} }, 'UnsupportedPolicy', /^unsupported policy: newest /],
    [{ digest: { tag: 'main' } }, 'UnsupportedPolicy', /^unsupported policy: digest /],
  ];
  for (const [policy, code, message] of refused) {
    it(`refuses ${JSON.stringify(policy)}`, () => {
      assert.throws(
        () => parsePolicy(policy),
        (error) => error instanceof PolicyError && error.code === code && message.test(error.message),
      );
    });
  }
});
