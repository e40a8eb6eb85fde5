import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseRange, RangeSyntaxError, satisfies } from '../../../core/semver/range.ts';
import { parseVersion } from '../../../core/semver/version.ts';
import { comparator, model, written } from './model.ts';

function allows(range: string, text: string): boolean {
  const version = parseVersion(text);
  assert.ok(version, `${text} is a version`);
  return satisfies(parseRange(range), version);
}

describe('satisfies', () => {
  const rows: [range: string, inside: string[], outside: string[], why: string][] = [
    ['*', ['0.0.0', '20240101'], ['1.0.0-rc'], 'everything but pre-releases'],
    ['*-0', ['0.0.0-0', '1.1.0-rc.1'], [], 'a wildcard may name a pre-release'],
    ['1.2.3', ['v1.2.3', '1.2.3+b'], ['1.2.4', '1.2.3-rc'], 'a full version is that version'],
    ['1.2', ['1.2.0', '1.2.9'], ['1.3.0', '1.1.9'], 'a partial version is all versions under it'],
    ['1.x.5', ['1.0.0', '1.9.9'], ['2.0.0'], 'what follows a wildcard does not count'],
    ['x', ['7.0.0'], ['7.0.0-rc'], 'x and X as well'],
    ['!=1.2', ['1.3.0', '1.1.0'], ['1.2.0', '1.2.9'], 'not equal excludes all of a partial version'],
    ['!=1', ['2.0.0'], ['1.0.0', '1.9.9'], 'by one number too'],
    [
      '!=1.2-rc',
      ['1.2.0', '1.2.3-beta', '1.3.0-rc'],
      ['1.2.0-rc', '1.2.9-rc'],
      'of a partial version with a pre-release: that pre-release only',
    ],
    ['!=*', ['0.0.1', '1.0.0'], ['0.0.0'], 'oddity: not 0.0.0'],
    ['>1', ['2.0.0'], ['1.0.1', '1.9.9'], 'greater than all of 1'],
    ['>1.2', ['1.3.0', '2.0.0'], ['1.2.9'], 'greater than all of 1.2'],
    ['>*', ['0.0.1'], ['0.0.0'], 'oddity: greater than 0.0.0'],
    ['<=1', ['1.9.9', '0.1.0'], ['2.0.0'], 'up to the last 1'],
    ['<=1.2', ['1.2.9'], ['1.3.0'], 'up to the last 1.2'],
    ['<=*', ['0.0.9'], ['0.1.0'], 'oddity: all of 0.0'],
    ['<1.2', ['1.1.9'], ['1.2.0'], 'less than the first 1.2'],
    ['<2.0.0-0', ['1.9.9', '1.0.0-rc'], ['2.0.0-0', '2.0.0-alpha'], 'less than the first pre-release'],
    [
      '>=1.0.0-0',
      ['1.0.0-rc', '2.0.0-rc', '1.0.0'],
      ['0.9.9'],
      'a pre-release in the range lets in those of every version',
    ],
    ['>=1.0.0-0 <2', ['2.0.0-rc'], ['2.0.0'], 'also on the other side: 2.0.0-rc is less than 2.0.0'],
    ['>=1.0.0-0 || <9', ['1.0.0-rc'], ['0.5.0-rc'], 'a pre-release counts for its own group only'],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.2.2', '1.3.0'], 'the same minor'],
    ['~1', ['1.9.9'], ['2.0.0'], 'the same major where no minor is written'],
    ['~1.2.3-rc', ['1.2.3-rc', '1.2.4-alpha'], ['1.3.0-rc', '1.2.3-beta'], 'pre-releases above the bound'],
    ['~0.0.0', ['0.0.0', '5.0.0'], [], 'oddity: everything'],
    ['~0.0', ['0.0.9'], ['0.1.0'], 'but not so for 0.0'],
    ['~>1.2', ['1.2.9'], ['1.3.0'], 'the other spelling'],
    ['^1.2.3', ['1.9.0'], ['2.0.0', '1.2.2'], 'the same major'],
    ['^0.2.3', ['0.2.9'], ['0.3.0'], 'below 1 the same minor'],
    ['^0.0.3', ['0.0.3'], ['0.0.4'], 'below 0.1 the same patch'],
    ['^0.0', ['0.0.9'], ['0.1.0'], 'as far as it is written'],
    ['^0', ['0.9.9'], ['1.0.0'], 'as far as it is written'],
    ['^*', ['0.0.0'], ['0.0.1'], 'oddity: 0.0.0 only'],
    ['^1.2.3-rc', ['1.2.3-rc', '1.9.0-alpha'], ['2.0.0-alpha'], 'never the pre-releases of the next major'],
    ['=>1.2', ['1.2.0'], ['1.1.9'], 'the other spelling of >='],
    ['=<1.2.0', ['1.2.0'], ['1.2.1'], 'the other spelling of <='],
    ['>= 1, <3 !=2.1.0', ['2.0.0'], ['2.1.0', '3.0.0'], 'comma and space both mean and'],
    ['1.0 - 2.0', ['1.0.0', '2.0.9'], ['2.1.0'], 'a hyphen range ends with all of its partial end'],
    [
      '3 - 4 || 1.0.0 - 1.5.0 !=1.2.0',
      ['3.3.0', '1.5.0'],
      ['1.2.0', '1.5.1'],
      'hyphen ranges beside other comparators',
    ],
    ['1||2 - 3', ['1.0.0', '3.0.0', '2.0.0'], [], 'oddity: read as >=1 || 2, <=3'],
    ['0', ['0.9.0'], ['1.0.0'], 'one number'],
    ['01.2', ['1.2.9'], ['1.3.0'], 'leading zeros are accepted'],
    ['*.|', ['1.0.0'], [], 'oddity: a bar counts as a digit, and does not matter after a wildcard'],
    ['>9007199254740992.0.0', ['9007199254740993.0.0'], ['9007199254740992.0.0'], 'exact up to 64 bits'],
  ];
  for (const [range, inside, outside, why] of rows) {
    it(`${range}: ${why}`, () => {
      for (const version of inside) assert.equal(allows(range, version), true, `${version} is inside`);
      for (const version of outside) assert.equal(allows(range, version), false, `${version} is outside`);
    });
  }

  it('agrees with a model that lists every version of a small world', () => {
    const groups = fc.array(fc.array(comparator, { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(groups, fc.infiniteStream(fc.nat(1000)), (groups, chance) => {
        const text = written(groups, () => chance.next().value);
        const range = parseRange(text);
        for (const { version, allowed } of model(groups)) {
          const parsed = parseVersion(version);
          assert.equal(parsed && satisfies(range, parsed), allowed, `${version} in ${text}`);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseRange', () => {
  const PARSER = 'constraint parser error: ';
  const sameMessage = (came: string, wanted: string) =>
    came === wanted || (wanted.startsWith(PARSER) && came.startsWith(wanted));
  const refused: [range: string, message: string, why: string][] = [
    ['', 'improper constraint: ""', 'empty'],
    [' ', 'improper constraint: " "', 'blank'],
    ['latest', 'improper constraint: "latest"', 'a word'],
    ['^^1.2', 'improper constraint: "^^1.2"', 'two operators'],
    ['= >1', 'improper constraint: "= >1"', 'an operator in two pieces'],
    ['1.2.3 ||', 'improper constraint: ""', 'nothing after ||'],
    ['1.2 || >', 'improper constraint: " >"', 'the group at fault is named'],
    ['>=1.2.3 <', 'improper constraint: ">=1.2.3 <"', 'an operator without a version'],
    ['1,', 'improper constraint: "1,"', 'a comma at the end'],
    ['1,,2', 'improper constraint: "1,,2"', 'two commas'],
    ['>1>2', 'improper constraint: ">1>2"', 'nothing between comparators'],
    ['1.2.3 -', 'improper constraint: "1.2.3 -"', 'a hyphen range without an end'],
    ['^1 - 2', 'improper constraint: "^>= 1, <= 2 "', 'an operator before a hyphen range'],
    [
      '1 2 - 3',
      'improper constraint: "1>= 2, <= 3 "',
      'oddity: a hyphen range takes the space before it for its own',
    ],
    ['1 - 2 - 3', 'improper constraint: ">= 1, <= 2 - 3"', 'a hyphen range with three ends'],
    ['1.2.3.4', 'improper constraint: "1.2.3.4"', 'four numbers'],
    ['V1', 'improper constraint: "V1"', 'an upper-case V'],
    ['>=1\u00a0', 'improper constraint: ">=1\\u00a0"', 'a no-break space, made visible'],
    ['1\v2', 'improper constraint: "1\\u000b2"', 'a vertical tab is no space in Go'],
    ['1.2.3-01', `${PARSER}"1.2.3-01"`, 'a leading zero in a pre-release number'],
    ['~18446744073709551616', `${PARSER}"~18446744073709551616"`, 'above 64 bits'],
    ['1x', `${PARSER}"1x"`, 'a wildcard beside a digit'],
    ['1|2', `${PARSER}"1|2"`, 'one bar'],
    [`1.0.0-${'a'.repeat(251)}`, PARSER, 'a version of 257 characters'],
    ['1 '.repeat(257), 'constraint string is too long (max 512 bytes)', 'too long'],
    [Array(33).fill('1').join('||'), 'too many constraint groups (max 32)', 'too many groups'],
  ];
  for (const [range, message, why] of refused) {
    it(`refuses ${JSON.stringify(range.slice(0, 30))}: ${why}`, () => {
      assert.throws(
        () => parseRange(range),
        (error) =>
          error instanceof RangeSyntaxError &&
          error.code === 'InvalidRange' &&
          sameMessage(error.message, message),
      );
    });
  }

  it('reads the longest range and the most groups', () => {
    assert.equal(parseRange('1 '.repeat(256)).groups.length, 1);
    assert.equal(parseRange(Array(32).fill('1').join('||')).groups.length, 32);
  });

  it('reads or refuses any text, and does nothing else', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[ 0-9xX*|.v~^=!<>,+a-]{0,60}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseRange(text);
        } catch (error) {
          assert.ok(error instanceof RangeSyntaxError, text);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
