import type { Environment } from '../environment.ts';
import type { Trust } from '../redirect.ts';
import type { HostCredential, HostProvider, PullRequests } from './host.ts';

/** Which repository's requests, and how its host is talked to. */
export interface HostConnection extends Trust {
  readonly provider: HostProvider;
  /** The repository as git is given it: https://, http:// or ssh:// URL, or user@host:path. */
  readonly repositoryUrl: string;
  /** Base URL of the API; derived from `repositoryUrl` when absent. */
  readonly apiURL?: string;
  readonly credential?: HostCredential;
  /** For the proxies. */
  readonly environment: Environment;
  /** Deadline of one request to the API, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * The pull requests of a repository, through the API of the program that hosts it. Nothing is sent yet.
 *
 * @throws {AddressError} `InvalidURL`, of a URL that names no repository or API
 */
export function connectPullRequests(_connection: HostConnection): PullRequests {
  throw new Error('not yet');
}
