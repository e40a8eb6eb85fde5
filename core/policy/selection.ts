import { CodedError } from '../errors.ts';
import { compileGoRegExp, type GoRegExp, GoRegExpError, parseTemplate, type Template } from '../go-regexp.ts';
import { parseRange, type Range, RangeSyntaxError } from '../semver/range.ts';

/** How a tag is chosen. Each kind has a file of its own in this folder. */
export type Policy = SemverPolicy | AlphabeticalPolicy | NumericalPolicy | NewestPolicy | DigestPolicy;

export interface SemverPolicy {
  readonly kind: 'semver';
  readonly range: Range;
  /** `Strict` passes over versions with fewer than three numbers. */
  readonly versions: 'Lenient' | 'Strict';
}

export interface AlphabeticalPolicy {
  readonly kind: 'alphabetical';
  /** `desc` takes the greatest tag, `asc` the smallest. */
  readonly order: 'desc' | 'asc';
}

export interface NumericalPolicy {
  readonly kind: 'numerical';
  /** `asc` takes the greatest number, the last in ascending order; `desc` the smallest. */
  readonly order: 'asc' | 'desc';
}

export interface NewestPolicy {
  readonly kind: 'newest';
}

export interface DigestPolicy {
  readonly kind: 'digest';
  /** The one tag that is followed. */
  readonly tag: string;
}

/** What a spec says about tags: the policy, and which tags it gets to see. */
export interface Selection {
  readonly policy: Policy;
  /** Tags that do not match are not considered; `extract` says what the policy reads of those that do. */
  readonly filter?: { readonly pattern: GoRegExp; readonly extract?: Template };
  /** Tags that match one of these are never chosen. */
  readonly exclude: readonly GoRegExp[];
  /** Says what a tag is that, by its name alone, is no image; see {@link import('./artifact-tag.ts').artifactTag}. */
  readonly artifactOf?: (tag: string) => string | undefined;
}

/** The fields of an ImageScan's spec that this file reads. */
export interface SelectionSpec {
  readonly policy?: PolicySpec | null | undefined;
  readonly filterTags?:
    | { readonly pattern: string; readonly extract?: string | null | undefined }
    | null
    | undefined;
  readonly exclude?: readonly string[] | null | undefined;
}

/** `spec.policy` of an ImageScan. */
export interface PolicySpec {
  readonly semver?:
    | { readonly range?: string | null | undefined; readonly versions?: 'Lenient' | 'Strict' | undefined }
    | null
    | undefined;
  readonly alphabetical?: { readonly order?: string | null | undefined } | null | undefined;
  readonly numerical?: { readonly order?: 'asc' | 'desc' | undefined } | null | undefined;
  readonly newest?: object | null | undefined;
  readonly digest?: { readonly tag: string } | null | undefined;
}

/** Thrown by {@link parseSelection}, and when a list is too long for a pattern; the message names the field. */
export class PolicyError extends CodedError<'InvalidRange' | 'InvalidPattern' | 'PatternTooCostly'> {}

/**
 * Reads what a spec says about tags. The policy is read as Fleet does where Fleet has it: semver wins over alphabetical, and no policy is
 * semver `*`; an alphabetical order that is empty or `desc`, in any case, takes the greatest tag, and anything else the smallest.
 *
 * @throws {PolicyError} when the range is none, or a pattern is none
 */
export function parseSelection({ policy, filterTags, exclude }: SelectionSpec): Selection {
  return {
    policy: parsePolicy(policy ?? {}),
    ...(filterTags && {
      filter: {
        pattern: parsePattern('filterTags.pattern', filterTags.pattern),
        // As in Flux, an empty replacement is none.
        ...(filterTags.extract && { extract: parseTemplate(filterTags.extract) }),
      },
    }),
    exclude: (exclude ?? []).map((pattern, index) => parsePattern(`exclude[${index}]`, pattern)),
  };
}

function parsePolicy({ semver, alphabetical, numerical, newest, digest }: PolicySpec): Policy {
  if (digest) return { kind: 'digest', tag: digest.tag };
  if (newest) return { kind: 'newest' };
  if (numerical) return { kind: 'numerical', order: numerical.order ?? 'asc' };
  if (alphabetical && !semver)
    return { kind: 'alphabetical', order: alphabeticalOrder(alphabetical.order ?? '') };
  const { range, versions = 'Lenient' } = semver ?? { range: '*' };
  return { kind: 'semver', range: parseSemverRange(range ?? ''), versions };
}

function alphabeticalOrder(order: string): 'asc' | 'desc' {
  return order === '' || order.toLowerCase() === 'desc' ? 'desc' : 'asc';
}

function parseSemverRange(range: string): Range {
  try {
    return parseRange(range);
  } catch (error) {
    if (error instanceof RangeSyntaxError)
      throw new PolicyError('InvalidRange', error.message, { cause: error });
    throw error;
  }
}

function parsePattern(field: string, pattern: string): GoRegExp {
  try {
    return compileGoRegExp(pattern);
  } catch (error) {
    if (!(error instanceof GoRegExpError)) throw error;
    const message = `${field} is no regular expression in Go's syntax: ${error.message}`;
    throw new PolicyError('InvalidPattern', message, { cause: error });
  }
}
