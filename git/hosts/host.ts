import { CodedError } from '../../core/errors.ts';

/** The programs that host pull requests, as `spec.pullRequest.provider` names them. `Gitea` is Forgejo, too. */
export type HostProvider = 'GitHub' | 'GitLab' | 'Gitea' | 'Bitbucket';

/**
 * Why a host did not do what it was asked. `Unauthorized`: the token is missing, wrong or not allowed to do this.
 * `RateLimited`: too many requests for now. `Rejected`: it refused the request itself, and its words say why.
 */
export type HostErrorCode = 'Unauthorized' | 'NotFound' | 'RateLimited' | 'Rejected' | 'Unreachable' | 'TLS';

/** Thrown by all that talks to a host. Its message is one line, bounded, and holds no token. */
export class HostError extends CodedError<HostErrorCode> {
  /** When the host said to ask again, in milliseconds from then; with `RateLimited`. */
  readonly retryAfterMs?: number;

  constructor(code: HostErrorCode, message: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(code, message, options);
    if (options?.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** A pull request (GitLab: merge request) as it stands at its host. */
export interface PullRequest {
  /** As people name it: GitLab's `iid`. */
  readonly number: number;
  /** Where a person looks at it. */
  readonly url: string;
  readonly state: 'Open' | 'Merged' | 'Closed';
  readonly title: string;
  readonly body: string;
}

/** What a request says; `labels` and `assignees` as far as the host has them. */
export interface PullRequestText {
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly labels: readonly string[];
  /** Login names. */
  readonly assignees: readonly string[];
}

/** Which branch is to be merged into which, both of one repository. */
export interface Branches {
  readonly source: string;
  readonly target: string;
}

/** The pull requests of one repository. All calls throw {@link HostError}, or the reason of an aborted signal. */
export interface PullRequests {
  /** The newest request from `source` to `target`, open before merged or closed; undefined when there never was one. */
  latest(branches: Branches): Promise<PullRequest | undefined>;
  open(branches: Branches, text: PullRequestText): Promise<PullRequest>;
  /** Makes an open request say this; labels and assignees that people added stay. */
  update(number: number, text: PullRequestText): Promise<PullRequest>;
  /** Closes it without merging, with a comment that says why. */
  close(number: number, comment: string): Promise<void>;
}
