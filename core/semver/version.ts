import semver from 'semver';

/** A version as {@link parseVersion} reads it. */
export interface Version {
  readonly major: Uint64;
  readonly minor: Uint64;
  readonly patch: Uint64;
  /** How many of the three numbers were written; the others are 0. */
  readonly parts: Parts;
  /** Dotted identifiers after the first `-`; empty for a release. */
  readonly prerelease: string;
}

export type Parts = 1 | 2 | 3;

/**
 * A whole number of up to 64 bits: a `number` wherever that is exact, a `bigint` above. JavaScript's `<`, `>` compare the two
 * exactly, and `===` holds since one value has one form only.
 */
export type Uint64 = number | bigint;

const LONGEST_VERSION = 256;
const GREATEST_UINT64 = 2n ** 64n - 1n;
/** Any number of so many digits is exact as a double. */
const SAFE_DIGITS = 15;
const ZERO = '0'.charCodeAt(0);
const DOT = '.'.charCodeAt(0) - ZERO;

const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = new RegExp(
  `^v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?$`,
);
const PADDED_IDENTIFIER = /(?:^|\.)0\d+(?:\.|$)/;

/**
 * Reads a version leniently, as Masterminds/semver v3 `NewVersion` does: an optional lower-case `v`, one to three numbers (leading
 * zeros allowed, each at most 2^64 - 1), a pre-release after `-` whose numbers have no leading zeros, and build metadata after
 * `+`, which has no say in the order and is dropped. At most 256 characters.
 *
 * @returns undefined when the text is no version
 */
export function parseVersion(text: string): Version | undefined {
  if (text.length > LONGEST_VERSION) return undefined;
  return parsePlain(text) ?? parseAny(text);
}

/**
 * Reads three short numbers and nothing else, as most versions of a long list are, in a third of the time that the expression takes.
 *
 * @returns undefined for any other text
 */
function parsePlain(text: string): Version | undefined {
  let major = 0;
  let minor = 0;
  let number = 0;
  let dots = 0;
  let digits = 0;
  for (let i = text.startsWith('v') ? 1 : 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit >= 0 && digit <= 9 && digits < SAFE_DIGITS) {
      number = number * 10 + digit;
      digits += 1;
    } else if (digit === DOT && digits > 0 && dots < 2) {
      if (dots === 0) major = number;
      else minor = number;
      dots += 1;
      number = 0;
      digits = 0;
    } else return undefined;
  }
  return dots === 2 && digits > 0 ? { major, minor, patch: number, parts: 3, prerelease: '' } : undefined;
}

function parseAny(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, first = '', second, third, prerelease = ''] = match;
  const major = parseUint64(first);
  const minor = second === undefined ? 0 : parseUint64(second);
  const patch = third === undefined ? 0 : parseUint64(third);
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  if (prerelease !== '' && PADDED_IDENTIFIER.test(prerelease)) return undefined;
  const parts = third !== undefined ? 3 : second !== undefined ? 2 : 1;
  return { major, minor, patch, parts, prerelease };
}

/**
 * The order of versions (semver.org, section 11): negative when `a` comes before `b`, 0 when neither does. The number of parts written
 * makes no difference: `1.2` equals `1.2.0`.
 */
export function compareVersions(a: Version, b: Version): number {
  return compareNumbers(a, b, 3) || comparePrereleases(a.prerelease, b.prerelease);
}

/** {@link compareVersions} by the first `count` numbers alone. */
export function compareNumbers(a: Version, b: Version, count: 0 | Parts): number {
  if (count > 0 && a.major !== b.major) return a.major < b.major ? -1 : 1;
  if (count > 1 && a.minor !== b.minor) return a.minor < b.minor ? -1 : 1;
  if (count > 2 && a.patch !== b.patch) return a.patch < b.patch ? -1 : 1;
  return 0;
}

function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return 1;
  if (b === '') return -1;
  const left = a.split('.');
  const right = b.split('.');
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const order = compareIdentifiers(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

// The semver package reads numbers as doubles. Masterminds reads them as 64 bits, and what is larger still as text.
function compareIdentifiers(a: string, b: string): number {
  if (a.length <= SAFE_DIGITS && b.length <= SAFE_DIGITS) return semver.compareIdentifiers(a, b);
  const left = /^\d+$/.test(a) ? parseUint64(a) : undefined;
  const right = /^\d+$/.test(b) ? parseUint64(b) : undefined;
  if (left !== undefined && right !== undefined) return left === right ? 0 : left < right ? -1 : 1;
  if (left !== undefined) return -1;
  if (right !== undefined) return 1;
  return a === b ? 0 : a < b ? -1 : 1;
}

function parseUint64(digits: string): Uint64 | undefined {
  if (digits.length <= SAFE_DIGITS) return Number(digits);
  const exact = BigInt(digits);
  if (exact > GREATEST_UINT64) return undefined;
  return exact > Number.MAX_SAFE_INTEGER ? exact : Number(exact);
}
