import type { Trust } from '../agent.ts';
import type { Environment } from '../environment.ts';
import { bitbucketCloud } from './bitbucket-cloud.ts';
import { bitbucketDataCenter } from './bitbucket-data-center.ts';
import { Api } from './call.ts';
import { authorizationFor, secretsOf } from './credential.ts';
import { gitea } from './gitea.ts';
import { GITHUB_HEADERS, gitHub } from './github.ts';
import { gitLab } from './gitlab.ts';
import type { HostCredential, HostProvider, PullRequests } from './host.ts';
import { locate, type Location } from './location.ts';
import { pullRequestsOf } from './requests.ts';

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
 * The pull requests of a repository, through the API of the program that hosts it. Nothing is sent yet, and nothing is
 * left to be closed: connections that are not used end by themselves.
 *
 * @throws {AddressError} `InvalidURL`, of a URL that names no repository or API
 */
export function connectPullRequests(connection: HostConnection): PullRequests {
  const { provider, repositoryUrl, apiURL } = connection;
  const location = locate(provider, repositoryUrl, apiURL);
  const api = new Api({ ...connection, base: location.api, ...identity(connection, location) });
  return requestsAt(location, api);
}

function identity(
  { credential }: HostConnection,
  { product }: Location,
): { headers: Record<string, string>; secrets: readonly string[] } {
  const headers = product === 'GitHub' ? GITHUB_HEADERS : {};
  if (credential === undefined) return { headers, secrets: [] };
  const authorization = authorizationFor(product, credential);
  return { headers: { ...headers, authorization }, secrets: secretsOf(authorization, credential) };
}

function requestsAt({ product, path }: Location, api: Api): PullRequests {
  const [owner] = path;
  const name = path[path.length - 1] ?? owner;
  switch (product) {
    case 'GitHub':
      return pullRequestsOf(gitHub(api, owner, name));
    case 'GitLab':
      return pullRequestsOf(gitLab(api, path.join('/')));
    case 'Gitea':
      return pullRequestsOf(gitea(api, owner, name));
    case 'BitbucketCloud':
      return pullRequestsOf(bitbucketCloud(api, owner, name));
    case 'BitbucketDataCenter':
      return pullRequestsOf(bitbucketDataCenter(api, owner, name));
  }
}
