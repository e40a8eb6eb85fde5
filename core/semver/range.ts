import { CodedError } from '../errors.ts';
import { type Operator, type Test, testFor } from './comparator.ts';
import { type Parts, parseVersion, type Version } from './version.ts';

/** A range as {@link parseRange} reads it: a version has to satisfy one of its groups. */
export interface Range {
  readonly text: string;
  readonly groups: readonly Group[];
}

/** What stands between two `||`: a version has to pass all tests, and a pre-release is let in only where one is named. */
interface Group {
  readonly prereleases: boolean;
  readonly tests: readonly Test[];
}

interface Comparator {
  readonly operator: Operator;
  readonly bound: Version;
  readonly given: 0 | Parts;
}

/** Thrown by {@link parseRange}. The messages begin as those of Masterminds/semver, which Fleet shows its users. */
export class RangeSyntaxError extends CodedError<'InvalidRange'> {}

const LONGEST_RANGE = 512;
const MOST_GROUPS = 32;

// Go's white space, which is less than that of JavaScript.
const SPACE = '[ \\t\\n\\f\\r]';
const NUMBER = '[\\dxX*|]+';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const BOUND = `v?${NUMBER}(?:\\.${NUMBER}){0,2}(?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?`;

const HYPHEN_RANGE = new RegExp(`${SPACE}*(${BOUND})${SPACE}+-${SPACE}+(${BOUND})${SPACE}*`, 'g');
const OUTER_SPACE = new RegExp(`^${SPACE}+|${SPACE}+$`, 'g');
const SPACE_AFTER_OPERATOR = new RegExp(`(?<=[=!<>~^])${SPACE}+(?=[v\\dxX*|])`, 'g');
const SEPARATOR = new RegExp(`${SPACE}*,${SPACE}*|${SPACE}+`);
const COMPARATOR = new RegExp(`^(=[<>]?|!=|[<>]=?|~>?|\\^)?(${BOUND})$`);
const BOUND_PARTS = new RegExp(`^v?(${NUMBER})(?:\\.(${NUMBER}))?(?:\\.(${NUMBER}))?(-${IDENTIFIERS})?`);
const WILDCARD = /^[xX*]$/;
const INVISIBLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

const SYNONYMS: ReadonlyMap<string, Operator> = new Map([
  ['', '='],
  ['=', '='],
  ['!=', '!='],
  ['>', '>'],
  ['<', '<'],
  ['>=', '>='],
  ['=>', '>='],
  ['<=', '<='],
  ['=<', '<='],
  ['~', '~'],
  ['~>', '~'],
  ['^', '^'],
]);

/**
 * Reads a range as Masterminds/semver v3.5.0 `NewConstraint` does: comparators joined by a comma or space (and) and by `||` (or),
 * with the operators `= != > < >= => <= =< ~ ~> ^`, hyphen ranges, and `x`, `X` or `*` as wildcards. At most 512 characters and
 * 32 groups.
 *
 * @throws {RangeSyntaxError} when the text is no range
 */
export function parseRange(text: string): Range {
  // A valid range is ASCII, so its characters count as the bytes of the original's limit.
  if (text.length > LONGEST_RANGE) {
    throw new RangeSyntaxError('InvalidRange', `constraint string is too long (max ${LONGEST_RANGE} bytes)`);
  }
  // The original replaces hyphen ranges before it looks for `||`, and `|` counts as part of a number: 1||2 - 3 is >=1 || 2, <=3.
  const groups = text.replace(HYPHEN_RANGE, '>= $1, <= $2 ').split('||');
  if (groups.length > MOST_GROUPS) {
    throw new RangeSyntaxError('InvalidRange', `too many constraint groups (max ${MOST_GROUPS})`);
  }
  return { text, groups: groups.map(parseGroup) };
}

/** Whether a range lets a version through. */
export function satisfies(range: Range, version: Version): boolean {
  return range.groups.some((group) => admits(group, version));
}

/** Whether a range would let a version through if it were no pre-release, or the range let those in. */
export function satisfiesButForPrerelease(range: Range, version: Version): boolean {
  return range.groups.some(({ tests }) => tests.every((test) => test(version)));
}

function admits(group: Group, version: Version): boolean {
  if (version.prerelease !== '' && !group.prereleases) return false;
  return group.tests.every((test) => test(version));
}

function parseGroup(text: string): Group {
  const pieces = text.replace(OUTER_SPACE, '').replace(SPACE_AFTER_OPERATOR, '').split(SEPARATOR);
  const matches = pieces.map((piece) => COMPARATOR.exec(piece));
  if (matches.includes(null)) {
    throw new RangeSyntaxError('InvalidRange', `improper constraint: ${quote(text)}`);
  }
  const comparators = matches.map((match) => readComparator(match?.[1] ?? '', match?.[2] ?? ''));
  return {
    prereleases: comparators.some(({ bound }) => bound.prerelease !== ''),
    tests: comparators.map(({ operator, bound, given }) => testFor(operator, bound, given)),
  };
}

function readComparator(written: string, text: string): Comparator {
  const operator = SYNONYMS.get(written);
  const { given, filled } = fillIn(text);
  const bound = parseVersion(filled);
  if (operator === undefined || bound === undefined) {
    throw new RangeSyntaxError(
      'InvalidRange',
      `constraint parser error: "${written}${text}" holds no version: write numbers up to 2^64-1 or x, and no leading zeros in a pre-release number`,
    );
  }
  return { operator, bound, given };
}

/** Puts zeros for what a bound leaves open; whatever follows a wildcard does not count. */
function fillIn(text: string): { given: 0 | Parts; filled: string } {
  const [, major = '', minor, patch, prerelease = ''] = BOUND_PARTS.exec(text) ?? [];
  if (isOpen(major)) return { given: 0, filled: `0.0.0${prerelease}` };
  if (isOpen(minor)) return { given: 1, filled: `${major}.0.0${prerelease}` };
  if (isOpen(patch)) return { given: 2, filled: `${major}.${minor}.0${prerelease}` };
  return { given: 3, filled: text };
}

function isOpen(part: string | undefined): boolean {
  return part === undefined || WILDCARD.test(part);
}

/** In quotes, with spaces and signs that cannot be seen escaped: a no-break space pasted from a web page is a common mistake. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    INVISIBLE,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
