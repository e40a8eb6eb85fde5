import { CodedError } from '../../core/errors.ts';
import type { GitCredential } from '../address.ts';

/** The programs that host pull requests, as `spec.pullRequest.provider` names them. `Gitea` is Forgejo, too. */
export type HostProvider = 'GitHub' | 'GitLab' | 'Gitea' | 'Bitbucket';

/** By what a host knows us: a token of any of its kinds, or what git logs in with, whose password is often a token, too. */
export type HostCredential = { readonly token: string } | GitCredential;

/**
 * Why a host did not do what it was asked. `Unauthorized`: the token is missing, wrong or not allowed to do this.
 * `RateLimited`: too many requests for now. `Rejected`: it refused the request itself, and its words say why.
 * `Unreachable`: no answer, or that of a host in trouble (5xx). `Timeout`: none in time. `InvalidAnswer`: what no such
 * host answers, as a login page or a redirect to another host; the URL or the provider is wrong.
 */
export type HostErrorCode =
  | 'Unauthorized'
  | 'NotFound'
  | 'RateLimited'
  | 'Rejected'
  | 'Unreachable'
  | 'Timeout'
  | 'TLS'
  | 'InvalidAnswer';

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

/** A request after it was written. */
export interface Written {
  readonly request: PullRequest;
  /** What the host would not take, such as an assignee it does not know: one line each, for a person; empty when it took all. */
  readonly notes: readonly string[];
}

/** Which branch is to be merged into which, both of one repository. */
export interface Branches {
  readonly source: string;
  readonly target: string;
}

/** The pull requests of one repository. All calls throw {@link HostError}, or the reason of an aborted signal. */
export interface PullRequests {
  /**
   * The newest request from `source` to `target`, open before merged or closed; undefined when there never was one.
   * Those from a fork's branch of the same name are somebody else's and do not count.
   */
  latest(branches: Branches): Promise<PullRequest | undefined>;
  /** Opens a request; one that somebody opened in the meantime is updated instead. */
  open(branches: Branches, text: PullRequestText): Promise<Written>;
  /** Makes an open request say this, with no write when it does already; labels and assignees that people added stay. */
  update(number: number, text: PullRequestText): Promise<Written>;
  /** Closes it without merging, with a comment that says why. One that is not open any more is left alone. */
  close(number: number, comment: string): Promise<void>;
}
