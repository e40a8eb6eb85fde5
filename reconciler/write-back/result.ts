import type { PathError } from '../../core/paths.ts';
import type { AddressError, GitErrorCode } from '../../git/errors.ts';
import type { HostErrorCode } from '../../git/hosts/host.ts';
import type { GitRepoStatus } from '../../kube/kinds/git-repo.ts';
import type { SecretError } from '../../kube/secret.ts';
import type { IntervalError } from '../../scan/interval.ts';
import type { TemplateError } from '../../write-back/commit-message.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import type { Brought } from '../definitions/definitions.ts';
import type { AccessError } from './git-access.ts';

/** Why a write-back failed, as the condition `ImageSynced` names it. */
export type WriteBackFailure =
  | GitErrorCode
  | PathError['code']
  | AddressError['code']
  | AccessError['code']
  | SecretError['code']
  | IntervalError['code']
  | TemplateError['code']
  | `PullRequest${HostErrorCode}`;

/** A pull request of ours, as the status tells of it. */
export type RequestStatus = NonNullable<GitRepoStatus['pullRequest']>;

interface Looked {
  /** The head of the branch that is read. */
  readonly head: string;
  /** The heads of all our branches: met again at the next run, there is nothing to do. */
  readonly at: string;
  readonly plan: EditPlan;
}

/** What waits on our branch, as the status tells of it. */
export type ProposalStatus = NonNullable<GitRepoStatus['proposal']>;

/** Git agrees with the values in force, or was made to. */
export interface Synced extends Looked {
  readonly kind: 'synced';
  /** The same, when we pushed it. */
  readonly pushed?: string;
  /** The pull request that led here, or that there is no more need for. */
  readonly request?: RequestStatus;
}

/** A branch of our own holds what Git should say, for people to merge. */
export interface Proposed extends Looked {
  readonly kind: 'proposed';
  readonly proposal: ProposalStatus;
  /** The commit at the head of our branch, when we pushed it now. */
  readonly pushed?: string;
  /** Unset when only the branch is wanted. */
  readonly request?: RequestStatus;
  /** What the host would not do, such as an unknown label. */
  readonly notes: readonly string[];
}

/** Nothing was agreed; what was pushed before the failure stays, and the next run goes on from it. */
export interface Failed {
  readonly kind: 'failed';
  readonly reason: WriteBackFailure;
  readonly message: string;
  /** When the other side wishes to be asked again, in milliseconds from now. */
  readonly retryAfterMs?: number;
}

/** What a write-back did. */
export type WriteBackResult =
  | Synced
  | Proposed
  | { readonly kind: 'unchanged'; readonly head: string; readonly at: string }
  | Failed;

/** What came of a run: of its write-back, and of the definitions in Git where these were looked at. */
export interface Outcome {
  readonly result: WriteBackResult;
  readonly brought?: Brought;
}
