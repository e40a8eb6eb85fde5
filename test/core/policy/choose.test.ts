import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { artifactTag } from '../../../core/policy/artifact-tag.ts';
import { choose } from '../../../core/policy/choose.ts';
import { explain } from '../../../core/policy/explain.ts';
import {
  parseSelection,
  PolicyError,
  type PolicySpec,
  type SelectionSpec,
} from '../../../core/policy/selection.ts';
import { compareVersions, parseVersion } from '../../../core/semver/version.ts';

const chosen = (spec: PolicySpec | null | undefined, tags: string[]) => {
  const choice = choose(parseSelection({ policy: spec }), tags);
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
    const policy = parseSelection({ policy: { semver: { range: '>=9' } } });
    assert.deepEqual(choose(policy, []), { kind: 'none', reason: 'NoTags', message: 'no tag found' });
    assert.deepEqual(choose(policy, ['1.0.0']), {
      kind: 'none',
      reason: 'NoMatch',
      message: 'no available version matching >=9',
    });
  });

  it('warns when a partial version wins over full ones that the range allows too', () => {
    const warningOf = (tags: string[], range = '*') => {
      const choice = choose(parseSelection({ policy: { semver: { range } } }), tags);
      return choice.kind === 'chosen' ? choice.warning : assert.fail(choice.message);
    };
    assert.match(warningOf(['1.2.3', '20240101']) ?? '', /^20240101 counts as version 20240101\.0\.0 /);
    assert.equal(warningOf(['1.2', '1.3']), undefined, 'all are partial');
    assert.equal(warningOf(['1.2.3', '1.1']), undefined, 'a full one wins');
    assert.equal(warningOf(['1.2.3', '2.1'], '^2'), undefined, 'the full one is outside the range');
    const notImages = new Map([['1.2.3', 'a Helm chart']]);
    assert.deepEqual(
      choose(parseSelection({}), ['1.2.3', '2024'], { notImages }),
      { kind: 'chosen', tag: '2024' },
      'the full one is no image',
    );
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

  it('has one order for halves of surrogate pairs too, which JSON can bring', () => {
    const units = fc.array(fc.constantFrom('a', '\ud83d', '\ude00', '\ue001', '\uffee'), { maxLength: 3 });
    const lists = fc
      .array(
        units.map((unit) => unit.join('')),
        { minLength: 1, maxLength: 8 },
      )
      .chain((tags) => fc.tuple(fc.constant(tags), fc.shuffledSubarray(tags, { minLength: tags.length })));
    fc.assert(
      fc.property(lists, ([tags, shuffled]) => {
        assert.equal(chosen({ alphabetical: {} }, tags), chosen({ alphabetical: {} }, shuffled));
      }),
      { numRuns: 2000 },
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

describe('numerical', () => {
  for (const [tags, order, expected, why] of [
    [['9', '10', '100'], undefined, '100', 'the greatest, as a number'],
    [['9', '10', '100'], 'desc', '9', 'the smallest'],
    [['9007199254740992', '9007199254740993'], 'asc', '9007199254740993', 'exact above 2^53'],
    [['20260102030405678', '20260102030405679'], 'asc', '20260102030405679', 'a build of 17 digits'],
    [['1.10', '1.9'], 'asc', '1.9', 'a fraction, not a version'],
    [['1.5', '1.50', '01.5'], 'asc', '1.5', 'of equals the first'],
    [['-1', '-2', '+3'], 'desc', '-2', 'signs count'],
    [['-0', '0'], 'asc', '-0', 'and zero is zero'],
    [
      ['latest', 'NaN', 'Infinity', '1e9', '0x10', '', '.5', '5.', '7'],
      'asc',
      '7',
      'what is no number is passed over',
    ],
  ] as const) {
    it(`${order ?? ''} of ${JSON.stringify(tags)}: ${why}`, () =>
      assert.equal(chosen({ numerical: order === undefined ? {} : { order } }, [...tags]), expected));
  }

  it('agrees with the order of big numbers', () => {
    const digits = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
    fc.assert(
      fc.property(fc.array(digits, { minLength: 1 }), (numbers) => {
        const greatest = numbers.reduce((a, b) => (b > a ? b : a));
        assert.equal(BigInt(chosen({ numerical: {} }, numbers.map(String))), greatest);
      }),
    );
  });
});

describe('newest', () => {
  const newest = (created: Record<string, number>, ...tags: string[]) => {
    const selection = parseSelection({ policy: { newest: {} } });
    const choice = choose(selection, tags, { created: new Map(Object.entries(created)) });
    return choice.kind === 'chosen' ? [choice.tag, choice.warning] : [choice.message, undefined];
  };

  it('takes what was created last, and passes over what does not say when', () => {
    assert.deepEqual(newest({ a: 2, b: 3 }, 'a', 'b', 'unknown'), ['b', undefined]);
    assert.deepEqual(newest({}, 'a'), ['no tag may be chosen that says when it was created', undefined]);
  });

  it('prefers of one moment the higher version, then what is one, then the greater text, and names the others', () => {
    const same = (...tags: string[]) => newest(Object.fromEntries(tags.map((tag) => [tag, 5])), ...tags);
    assert.deepEqual(same('1.9.0', '1.10.0'), ['1.10.0', '1.10.0 was created at the same time as 1.9.0']);
    assert.equal(same('zeta', '1.0.0')[0], '1.0.0');
    assert.equal(same('alpha', 'beta')[0], 'beta');
    assert.match(same('a', 'b', 'c', 'd', 'e')[1] ?? '', /as a, b, c and 1 more$/);
  });

  it('prefers of one moment and one extracted text the greater tag', () => {
    const spec = { policy: { newest: {} }, filterTags: { pattern: '^(.*)-\\w+$', extract: '$1' } };
    for (const tags of [
      ['1.0-a', '1.0-b'],
      ['1.0-b', '1.0-a'],
    ]) {
      const choice = choose(parseSelection(spec), tags, { created: new Map(tags.map((tag) => [tag, 5])) });
      assert.equal(choice.kind === 'chosen' && choice.tag, '1.0-b');
    }
  });

  it('names of one moment only what might have been chosen, once', () => {
    const created = new Map(['a', 'b', 'chart', 'bad'].map((tag) => [tag, 5]));
    const facts = { created, notImages: new Map([['chart', 'a Helm chart']]) };
    const choice = choose(
      parseSelection({ policy: { newest: {} }, exclude: ['bad'] }),
      ['bad', 'a', 'chart', 'b', 'a'],
      facts,
    );
    assert.deepEqual(choice, {
      kind: 'chosen',
      tag: 'b',
      warning: 'b was created at the same time as a',
    });
  });

  it('does not depend on the order of the list', () => {
    const build = fc.tuple(fc.constantFrom('1.9', '1.10', '1.5x', 'v1.9.0', 'a', 'b', '2'), fc.nat(1));
    const lists = fc
      .uniqueArray(build, { selector: ([tag]) => tag, minLength: 1 })
      .chain((builds) =>
        fc.tuple(fc.constant(builds), fc.shuffledSubarray(builds, { minLength: builds.length })),
      );
    fc.assert(
      fc.property(lists, ([builds, shuffled]) => {
        const created = Object.fromEntries(builds);
        const one = newest(created, ...builds.map(([tag]) => tag));
        assert.equal(newest(created, ...shuffled.map(([tag]) => tag))[0], one[0]);
      }),
    );
  });
});

describe('digest', () => {
  it('is the one tag, whatever is listed', () => {
    assert.equal(chosen({ digest: { tag: 'stable' } }, []), 'stable');
    assert.equal(chosen({ digest: { tag: 'stable' } }, ['9.9.9']), 'stable');
  });
});

describe('filterTags and exclude', () => {
  const filtered = (spec: Omit<SelectionSpec, 'policy'>, tags: string[], policy: PolicySpec = {}) => {
    const choice = choose(parseSelection({ policy, ...spec }), tags);
    return choice.kind === 'chosen' ? choice.tag : choice.message;
  };

  it('show the policy only tags that match, and what is extracted of them', () => {
    const pattern = '^(?P<version>.*)-alpine$';
    const tags = ['1.0.0-alpine', '1.1.0-alpine', '2.0.0', '3.0.0-slim'];
    assert.equal(filtered({ filterTags: { pattern, extract: '$version' } }, tags), '1.1.0-alpine');
    assert.equal(
      filtered({ filterTags: { pattern } }, tags, { semver: { range: '>=0-0' } }),
      '1.1.0-alpine',
      'without extract the whole tag counts',
    );
  });

  it('order what is extracted by any policy', () => {
    const extract = (pattern: string, extract: string) => ({ filterTags: { pattern, extract } });
    const builds = ['main-9-abc', 'main-10-def', 'dev-99-xyz'];
    assert.equal(filtered(extract('^main-(\\d+)-', '$1'), builds, { numerical: {} }), 'main-10-def');
    assert.equal(filtered(extract('^\\w+-\\d+-(\\w+)$', '$1'), builds, { alphabetical: {} }), 'dev-99-xyz');
  });

  it('take the first of two tags of which the same is extracted, whichever that is', () => {
    const spec = { filterTags: { pattern: '^(.*)-\\w+$', extract: '$1' } };
    assert.equal(filtered(spec, ['1.0.0-a', '1.0.0-b']), '1.0.0-a');
    assert.equal(filtered(spec, ['1.0.0-b', '1.0.0-a']), '1.0.0-b');
  });

  it('pass over what nothing is extracted of', () => {
    assert.equal(
      filtered({ filterTags: { pattern: '^(x?)', extract: '$1' } }, ['1.0.0']),
      'no available version matching *: filterTags leaves 0 of 1 tags',
    );
  });

  it('are named where they leave nothing to choose from', () => {
    const tags = ['1.0.0', '2.0.0', '3.0.0-slim', 'latest'];
    for (const [spec, policy, message] of [
      [{ exclude: ['.'] }, {}, 'no available version matching *: exclude leaves 0 of 4 tags'],
      [
        { filterTags: { pattern: '^v' } },
        {},
        'no available version matching *: filterTags leaves 0 of 4 tags',
      ],
      [
        { filterTags: { pattern: '^\\d' }, exclude: ['^1', '^2'] },
        {},
        'no available version matching *: filterTags and exclude leave 1 of 4 tags',
      ],
      [
        { exclude: ['^[123]'] },
        { numerical: {} },
        'no tag is a number that may be chosen: exclude leaves 1 of 4 tags',
      ],
      [{ exclude: ['none'] }, { semver: { range: '^9' } }, 'no available version matching ^9'],
      [{ exclude: ['a'] }, { digest: { tag: 'main' } }, 'main may not be chosen: exclude[0] matches'],
      [
        { filterTags: { pattern: 'x' } },
        { digest: { tag: 'main' } },
        'main may not be chosen: filterTags.pattern does not match',
      ],
    ] as const) {
      assert.equal(filtered(structuredClone(spec) as SelectionSpec, tags, policy), message);
    }
  });

  it('name the tags that are known not to be images too', () => {
    const tag = `sha256-${'a'.repeat(64)}`;
    const selection = { ...parseSelection({}), artifactOf: artifactTag };
    assert.deepEqual(choose(selection, [tag, `${tag}.sig`]), {
      kind: 'none',
      reason: 'NoMatch',
      message: 'no available version matching *: the rule for artifact tags leaves 0 of 2 tags',
    });
  });

  it('are refused where they would take long: the list and the repetitions together', () => {
    const costly = { exclude: ['(?:[a-z]{1,30}-){30}'] };
    assert.equal(filtered(costly, ['1.0.0']), '1.0.0');
    const tags = Array.from({ length: 50_000 }, (_, index) => `1.0.${index}`);
    assert.throws(() => filtered(costly, tags), {
      code: 'PatternTooCostly',
      message: /too many for 50000 tags/,
    });
    assert.throws(() => explain(parseSelection(costly), tags), { code: 'PatternTooCostly' });
  });

  it('never choose what is excluded', () => {
    assert.equal(filtered({ exclude: ['^2\\.', 'broken$'] }, ['1.0.0', '2.0.0', '1.1.0-broken']), '1.0.0');
  });
});

describe('parseSelection', () => {
  const refused: [spec: SelectionSpec, code: string, message: RegExp][] = [
    [{ policy: { semver: { range: 'latest' } } }, 'InvalidRange', /^improper constraint: "latest"$/],
    [{ policy: { semver: { range: '' } } }, 'InvalidRange', /^improper constraint: ""$/],
    [{ policy: { semver: {} } }, 'InvalidRange', /^improper constraint: ""$/],
    [{ policy: { semver: { range: '' }, alphabetical: {} } }, 'InvalidRange', /^improper constraint: ""$/],
    [
      { filterTags: { pattern: '(?=1)' } },
      'InvalidPattern',
      /^filterTags\.pattern is no regular expression .*\(\?=/,
    ],
    [{ exclude: ['a', 'a{1001}'] }, 'InvalidPattern', /^exclude\[1\] is no .*invalid repeat count/],
  ];
  for (const [spec, code, message] of refused) {
    it(`refuses ${JSON.stringify(spec)}`, () => {
      assert.throws(
        () => parseSelection(spec),
        (error) => error instanceof PolicyError && error.code === code && message.test(error.message),
      );
    });
  }
});
