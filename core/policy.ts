import { CodedError } from './errors.ts';
import { parseRange, type Range, RangeSyntaxError, satisfies } from './semver/range.ts';
import { compareVersions, parseVersion, type Version } from './semver/version.ts';

/** How a tag is chosen. Each kind is one function below {@link choose}. */
export type Policy = SemverPolicy | AlphabeticalPolicy;

interface SemverPolicy {
  readonly kind: 'semver';
  readonly range: Range;
  /** `Strict` passes over versions with fewer than three numbers. */
  readonly versions: 'Lenient' | 'Strict';
}

interface AlphabeticalPolicy {
  readonly kind: 'alphabetical';
  /** `desc` takes the greatest tag, `asc` the smallest. */
  readonly order: 'desc' | 'asc';
}

/** What a policy makes of a list of tags. */
export type Choice =
  /** `warning` is for a person: the choice keeps to the policy but may not be what was meant. */
  | { readonly kind: 'chosen'; readonly tag: string; readonly warning?: string }
  | { readonly kind: 'none'; readonly reason: 'NoTags' | 'NoMatch'; readonly message: string };

/** `spec.policy` of an ImageScan, as far as this file reads it. */
export interface PolicySpec {
  readonly semver?: SemverSpec | null | undefined;
  readonly alphabetical?: { readonly order?: string | null | undefined } | null | undefined;
  readonly numerical?: object | null | undefined;
  readonly newest?: object | null | undefined;
  readonly digest?: object | null | undefined;
}

interface SemverSpec {
  readonly range?: string | null | undefined;
  readonly versions?: 'Lenient' | 'Strict' | undefined;
}

/** Thrown by {@link parsePolicy}. */
export class PolicyError extends CodedError<'InvalidRange' | 'UnsupportedPolicy'> {}

const UNSUPPORTED = ['numerical', 'newest', 'digest'] as const;

/**
 * Reads `spec.policy` as Fleet does: semver wins over alphabetical, and no policy is semver `*`. An alphabetical order that is empty or
 * `desc`, in any case, takes the greatest tag, and anything else the smallest.
 *
 * @throws {PolicyError} when the range is none, or the policy is not one that this version knows how to follow
 */
export function parsePolicy(spec: PolicySpec | null | undefined): Policy {
  const unsupported = UNSUPPORTED.find((kind) => Boolean(spec?.[kind]));
  if (unsupported !== undefined) {
    const message = `unsupported policy: ${unsupported} is not supported yet; use semver or alphabetical`;
    throw new PolicyError('UnsupportedPolicy', message);
  }
  if (spec?.semver) return parseSemver(spec.semver);
  if (spec?.alphabetical) return parseAlphabetical(spec.alphabetical.order ?? '');
  return parseSemver({ range: '*' });
}

/**
 * Chooses one tag. The order of the tags matters between equals only: the first of them wins (`1.2` and `v1.2.0` are equal). The
 * messages are Fleet's.
 */
export function choose(policy: Policy, tags: readonly string[]): Choice {
  if (tags.length === 0) return { kind: 'none', reason: 'NoTags', message: 'no tag found' };
  switch (policy.kind) {
    case 'semver':
      return chooseVersion(policy, tags);
    case 'alphabetical':
      return { kind: 'chosen', tag: tags.reduce(policy.order === 'desc' ? greater : smaller) };
  }
}

function parseSemver({ range, versions = 'Lenient' }: SemverSpec): Policy {
  try {
    return { kind: 'semver', range: parseRange(range ?? ''), versions };
  } catch (error) {
    if (error instanceof RangeSyntaxError) throw new PolicyError(error.code, error.message, { cause: error });
    throw error;
  }
}

function parseAlphabetical(order: string): Policy {
  return { kind: 'alphabetical', order: order === '' || order.toLowerCase() === 'desc' ? 'desc' : 'asc' };
}

function chooseVersion({ range, versions }: SemverPolicy, tags: readonly string[]): Choice {
  let best: { tag: string; version: Version } | undefined;
  for (const tag of tags) {
    const version = parseVersion(tag);
    if (version === undefined || (versions === 'Strict' && version.parts < 3)) continue;
    // The range is asked last: most tags of a long list are older than the best so far.
    if (best !== undefined && compareVersions(version, best.version) <= 0) continue;
    if (satisfies(range, version)) best = { tag, version };
  }
  if (best === undefined) {
    return { kind: 'none', reason: 'NoMatch', message: `no available version matching ${range.text}` };
  }
  const { tag, version } = best;
  if (version.parts === 3 || !tags.some((other) => isFullMatch(range, other))) return { kind: 'chosen', tag };
  const warning = `${tag} counts as version ${version.major}.${version.minor}.${version.patch} and wins over full versions; versions: Strict passes over such tags`;
  return { kind: 'chosen', tag, warning };
}

function isFullMatch(range: Range, tag: string): boolean {
  const version = parseVersion(tag);
  return version !== undefined && version.parts === 3 && satisfies(range, version);
}

function greater(a: string, b: string): string {
  return compareBytes(a, b) < 0 ? b : a;
}

function smaller(a: string, b: string): string {
  return compareBytes(a, b) > 0 ? b : a;
}

/** The order of two texts by their UTF-8 bytes, which is that of their code points and not of their UTF-16 units. */
function compareBytes(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    if (a[i] !== b[i]) return (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0);
  }
  return a.length - b.length;
}
