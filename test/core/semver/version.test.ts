import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import semver from 'semver';
import { compareVersions, parseVersion, type Version } from '../../../core/semver/version.ts';

function version(text: string): Version {
  const parsed = parseVersion(text);
  assert.ok(parsed, `${text} is a version`);
  return parsed;
}

describe('parseVersion', () => {
  const MOST = 18446744073709551615n;
  const versions: [text: string, expected: [unknown, unknown, unknown, number, string], why: string][] = [
    ['1.2.3', [1, 2, 3, 3, ''], 'the plain form'],
    ['v1.2.3', [1, 2, 3, 3, ''], 'a lower-case v is dropped'],
    ['1.2', [1, 2, 0, 2, ''], 'what is not written is 0'],
    ['v1', [1, 0, 0, 1, ''], 'down to one number'],
    ['20240101', [20240101, 0, 0, 1, ''], 'a date is a major version'],
    [
      '2024-01-05',
      [2024, 0, 0, 1, '01-05'],
      'a dash begins a pre-release; 01-05 is one identifier and no number',
    ],
    ['01.002.0003', [1, 2, 3, 3, ''], 'leading zeros of the three numbers are accepted'],
    ['0000000000000000000000000001', [1, 0, 0, 1, ''], 'leading zeros do not count towards 64 bits'],
    ['1.26.0-alpine', [1, 26, 0, 3, 'alpine'], 'a suffix is a pre-release'],
    ['1.2-rc.1', [1, 2, 0, 2, 'rc.1'], 'a partial version may have one too'],
    ['1.0.0--', [1, 0, 0, 3, '-'], 'an identifier may be a dash'],
    ['1.0.0-0a', [1, 0, 0, 3, '0a'], 'a leading zero is fine where there is a letter'],
    ['1.2.3+b.01', [1, 2, 3, 3, ''], 'build metadata is dropped, and its leading zeros are fine'],
    ['1.2.3+a-b', [1, 2, 3, 3, ''], 'a dash after the plus belongs to the metadata'],
    ['9007199254740993', [9007199254740993n, 0, 0, 1, ''], 'exact where a double is not'],
    ['9007199254740991.0.0', [9007199254740991, 0, 0, 3, ''], 'the last safe integer stays a number'],
    [`${MOST}.0.${MOST}`, [MOST, 0, MOST, 3, ''], 'the greatest number of 64 bits'],
    [`1.0.0-${'a'.repeat(250)}`, [1, 0, 0, 3, 'a'.repeat(250)], '256 characters'],
  ];
  for (const [text, [major, minor, patch, parts, prerelease], why] of versions) {
    it(`reads ${text.slice(0, 40)}: ${why}`, () => {
      assert.deepEqual(parseVersion(text), { major, minor, patch, parts, prerelease });
    });
  }

  const others: [text: string, why: string][] = [
    ['', 'empty'],
    ['latest', 'a word'],
    ['v', 'no number'],
    ['V1.0.0', 'an upper-case V'],
    ['=1.2.3', 'an operator'],
    ['release-1.0.0', 'a prefix'],
    [' 1.2.3', 'space before'],
    ['1.2.3\n', 'a line end after'],
    ['1.2.3.4', 'four numbers'],
    ['1.', 'nothing after the dot'],
    ['1..2', 'nothing between the dots'],
    ['1.2.3-', 'an empty pre-release'],
    ['1.2.3-a..b', 'an empty identifier'],
    ['1.2.3+', 'empty metadata'],
    ['1.2.3+a+b', 'two metadata'],
    ['1.2.3_1', 'an underscore'],
    ['1.2.3-01', 'a leading zero in a pre-release number'],
    ['1.2.3-rc.00.1', 'the same in the middle'],
    ['18446744073709551616', 'above 64 bits'],
    ['1.18446744073709551616', 'the same in the minor'],
    ['１.2.3', 'a digit that is not ASCII'],
    [`1.0.0-${'a'.repeat(251)}`, '257 characters'],
  ];
  for (const [text, why] of others) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}: ${why}`, () =>
      assert.equal(parseVersion(text), undefined));
  }
});

describe('compareVersions', () => {
  const rising: [lower: string, higher: string, why: string][] = [
    ['1.9.0', '1.10.0', 'numbers, not text'],
    ['1.0.0-rc', '1.0.0', 'a pre-release comes before its release'],
    ['1.0.0-rc.9', '1.0.0-rc.10', 'identifiers that are numbers compare as numbers'],
    ['1.0.0-rc10', '1.0.0-rc9', 'others as text'],
    ['1.0.0-A', '1.0.0-a', 'in ASCII order'],
    ['1.0.0-2', '1.0.0--1', 'a number comes before text, and -1 is text'],
    ['1.0.0-rc', '1.0.0-rc.0', 'more identifiers come later'],
    ['9007199254740992.0.0', '9007199254740993.0.0', 'beyond what a double holds'],
    ['9007199254740991.0.0', '9007199254740992.0.0', 'across that border'],
    ['1.0.0-9007199254740992', '1.0.0-9007199254740993', 'the same in a pre-release'],
    [
      '1.0.0-18446744073709551615',
      '1.0.0-18446744073709551616',
      'above 64 bits it is text, so it comes after numbers',
    ],
    ['1.0.0-100000000000000000000', '1.0.0-99999999999999999999', 'and compares as text'],
    ['1.0.0-99999999999999999999', '1.0.0-a', 'with other text'],
    ['1.0.0-1', '1.0.0-abcdefghijklmnopq', 'a short number before a long text'],
  ];
  for (const [lower, higher, why] of rising) {
    it(`${lower} < ${higher}: ${why}`, () => {
      assert.ok(compareVersions(version(lower), version(higher)) < 0);
      assert.ok(compareVersions(version(higher), version(lower)) > 0);
    });
  }

  it('finds no difference in spelling and build metadata', () => {
    for (const text of ['1.2', 'v1.2', '1.2.0', '01.2.0', '1.2+a', '1.2.0+b.c']) {
      assert.equal(compareVersions(version('1.2.0'), version(text)), 0, text);
    }
  });

  const identifier = fc.oneof(fc.nat().map(String), fc.stringMatching(/^[a-z-][0-9a-z-]{0,20}$/));
  const strict = fc
    .tuple(fc.nat(5), fc.nat(5), fc.nat(5), fc.array(identifier, { maxLength: 3 }))
    .map(([major, minor, patch, pre]) =>
      [[major, minor, patch].join('.'), ...(pre.length > 0 ? [pre.join('.')] : [])].join('-'),
    );

  it('agrees with the semver package on strict versions', () => {
    fc.assert(
      fc.property(strict, strict, (a, b) => {
        assert.equal(Math.sign(compareVersions(version(a), version(b))), semver.compare(a, b));
      }),
      { numRuns: 1000 },
    );
  });

  it('is a total order on whatever parses', () => {
    const lenient = fc
      .stringMatching(/^v?[0-9]{1,21}(\.[0-3]){0,2}(-(0|1|[1-9][0-9]{14,20}|rc|a1)(\.(0|2|b))?)?$/)
      .filter((text) => parseVersion(text) !== undefined);
    fc.assert(
      fc.property(lenient, lenient, lenient, (first, second, third) => {
        const [a, b, c] = [first, second, third].map(version).sort(compareVersions);
        assert.ok(
          compareVersions(a!, b!) <= 0 && compareVersions(b!, c!) <= 0 && compareVersions(a!, c!) <= 0,
        );
        assert.equal(Math.sign(compareVersions(a!, b!)) + Math.sign(compareVersions(b!, a!)), 0);
      }),
    );
  });
});
