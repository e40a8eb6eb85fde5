import { CodedError } from '../core/errors.ts';

/**
 * Why work with a repository failed. `Unreachable`: no answer, or a temporary one (429, 5xx). `Unauthorized`: the
 * credential is missing, wrong, or not allowed to do this. `Timeout`: a call passed its deadline and was killed.
 * `HostKeyUnknown`, `HostKeyChanged`: SSH knows no key of the host, or another one. `InvalidKey`: a private key cannot be
 * used, or its passphrase is wrong. `SigningFailed`: a commit could not be signed. `Failed`: git said something else, which
 * the message carries.
 */
export type GitErrorCode =
  | 'Unreachable'
  | 'Unauthorized'
  | 'BranchMissing'
  | 'RepositoryMissing'
  | 'PushRejected'
  | 'TLS'
  | 'HostKeyUnknown'
  | 'HostKeyChanged'
  | 'InvalidKey'
  | 'SigningFailed'
  | 'Timeout'
  | 'Failed';

/** Why a push was rejected: somebody else moved the branch (fetch and try again), or the server declined (a person must act). */
export type Rejection = 'Moved' | 'Declined';

/** Thrown by all that talks to a repository. Its message is one line, bounded, and holds no credential. */
export class GitError extends CodedError<GitErrorCode> {
  /** Set when the code is `PushRejected`. */
  readonly rejection?: Rejection;

  constructor(code: GitErrorCode, message: string, options?: ErrorOptions & { rejection?: Rejection }) {
    super(code, message, options);
    if (options?.rejection !== undefined) this.rejection = options.rejection;
  }
}

/** A repository URL, a credential for it, or a branch name that is refused before anything is asked of a server. */
export class AddressError extends CodedError<'InvalidURL' | 'WrongCredential' | 'InvalidBranch'> {}
