import { alphabetical } from './alphabetical.ts';
import { digest } from './digest.ts';
import { newest } from './newest.ts';
import { numerical } from './numerical.ts';
import type { Policy } from './selection.ts';
import { semver } from './semver.ts';

/**
 * How a policy looks at tags. It reads each and compares what it read, so that a long list is gone through once; `admits` is asked
 * last, only of what would win.
 */
export interface Ranking<Value> {
  /** What the policy compares of a tag; undefined where the tag is nothing to it. `text` is what a filter extracted, or the tag. */
  read(text: string, tag: string): Value | undefined;
  /** Positive when `a` is preferred, 0 when the two are equal. */
  compare(a: Value, b: Value): number;
  /** Whether what was read may be chosen. */
  admits(value: Value): boolean;
  /** Why a tag is not read, or not admitted. */
  refusal(text: string, tag: string, value: Value | undefined): Refusal;
  /** What the chosen one is: `the highest version in ^1.2`. */
  readonly praise: string;
}

/** Why a tag is not chosen whatever else there is. */
export interface Refusal {
  readonly verdict: RefusalVerdict;
  readonly message: string;
}

export type RefusalVerdict =
  | 'ArtifactTag'
  | 'NotMatched'
  | 'Excluded'
  | 'NotVersion'
  | 'PartialVersion'
  | 'OutOfRange'
  | 'PreRelease'
  | 'NotNumber'
  | 'NoCreationTime'
  | 'NotFollowed'
  | 'NotImage';

/** What was found out about tags beyond their names. */
export interface Facts {
  /** When what a tag names was created, in milliseconds since the epoch; `newest` chooses among these tags only. */
  readonly created?: ReadonlyMap<string, number>;
  /** Tags that turned out not to be images, and what they are. */
  readonly notImages?: ReadonlyMap<string, string>;
}

/** The way in which a policy looks at tags. */
export function rankingOf(policy: Policy, facts: Facts): Ranking<unknown> {
  switch (policy.kind) {
    case 'semver':
      return semver(policy);
    case 'alphabetical':
      return alphabetical(policy);
    case 'numerical':
      return numerical(policy);
    case 'newest':
      return newest(facts.created ?? new Map());
    case 'digest':
      return digest(policy);
  }
}
