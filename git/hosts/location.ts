import { isInside } from '../../registry/address.ts';
import { AddressError } from '../errors.ts';
import type { HostProvider } from './host.ts';

/** Where the API of a repository's host is, and what the repository is called there. */
export interface Location {
  /** Base URL of the API, without a slash at its end. */
  readonly api: string;
  /** Owner or project before, name last; only GitLab has more than one before the name. */
  readonly path: readonly [string, ...string[], string];
  readonly product: HostProduct;
}

/** The APIs there are. Bitbucket's two have nothing in common but the name. */
export type HostProduct = 'GitHub' | 'GitLab' | 'Gitea' | 'BitbucketCloud' | 'BitbucketDataCenter';

interface Clone {
  readonly scheme: 'http' | 'https';
  /** With the port, where it is one of http or https. */
  readonly host: string;
  readonly segments: readonly string[];
}

// git's short form, user@host:path, where no slash stands before the colon (git-clone(1)).
const SCP_FORM = /^(?:[^@/\s]+@)?(\[[^\]\s]+\]|[^:/@\s[\]]+):(?!\/\/)(\S+)$/;

// Names that take ssh on the port of https, beside that of the host itself.
const SSH_HOSTS: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
  'altssh.bitbucket.org': 'bitbucket.org',
  'www.github.com': 'github.com',
  'www.bitbucket.org': 'bitbucket.org',
};

/**
 * Finds a repository's API from the URL that git gets, of https://, http://, ssh:// or the form user@host:path. Over plain
 * http it is only sought where the host is this machine or in a private network, since a token goes there; elsewhere
 * `apiURL` must say so.
 *
 * @param apiURL base URL of the API, taken as it is
 * @throws {AddressError} `InvalidURL`; the message does not repeat the text, which may hold a password
 */
export function locate(provider: HostProvider, repositoryUrl: string, apiURL?: string): Location {
  const clone = parseClone(repositoryUrl);
  const product = productOf(provider, clone.host);
  const { root, path } = divide(product, clone, apiURL);
  return { api: apiURL === undefined ? apiOf(product, clone, root) : parseApi(apiURL), path, product };
}

function productOf(provider: HostProvider, host: string): HostProduct {
  if (provider !== 'Bitbucket') return provider;
  return host === 'bitbucket.org' ? 'BitbucketCloud' : 'BitbucketDataCenter';
}

function parseClone(text: string): Clone {
  const [, scpHost, scpPath] = text.includes('://') ? [] : (SCP_FORM.exec(text) ?? []);
  const url = URL.parse(scpHost === undefined ? text : `ssh://${scpHost}/${scpPath}`);
  if (url === null || url.hostname === '') {
    throw invalid('repository', 'it is no URL; write it like https://host/owner/name.git');
  }
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  if (!isHttp && url.protocol !== 'ssh:') {
    throw invalid(
      'repository',
      `${url.protocol}// leads to no host with pull requests; use https:// or ssh://`,
    );
  }
  const host = (isHttp ? url.host : url.hostname).toLowerCase();
  return {
    scheme: url.protocol === 'http:' ? 'http' : 'https',
    host: SSH_HOSTS[host] ?? host,
    segments: segmentsOf(url.pathname),
  };
}

function segmentsOf(pathname: string): string[] {
  try {
    const segments = pathname.split('/').filter((part) => part !== '');
    return segments.map((part, i) =>
      decodeURIComponent(i === segments.length - 1 ? part.replace(/\.git$/, '') : part),
    );
  } catch {
    throw invalid('repository', 'its path has a % that escapes nothing');
  }
}

/** Tells the folder that a host is installed under from the repository's own path. */
function divide(
  product: HostProduct,
  { segments }: Clone,
  apiURL: string | undefined,
): { root: string; path: Location['path'] } {
  const start = rootLength(product, segments, apiURL);
  const root = segments.slice(0, start).map((part) => `/${encodeURIComponent(part)}`);
  const [owner, ...rest] = segments.slice(
    product === 'BitbucketDataCenter' && segments[start] === 'scm' ? start + 1 : start,
  );
  const name = rest.pop();
  const isWhole = owner !== undefined && name !== undefined && name !== '';
  if (!isWhole || (rest.length > 0 && product !== 'GitLab')) {
    throw invalid(
      'repository',
      `its path must be ${product === 'GitLab' ? 'GROUP/NAME' : 'OWNER/NAME'}, as ${product} has it`,
    );
  }
  return { root: root.join(''), path: [owner, ...rest, name] };
}

function rootLength(product: HostProduct, segments: readonly string[], apiURL: string | undefined): number {
  switch (product) {
    case 'Gitea':
      return Math.max(0, segments.length - 2);
    case 'BitbucketDataCenter':
      return Math.max(0, segments.lastIndexOf('scm', -3));
    case 'GitLab':
      return sharedLength(segments, apiURL);
    case 'GitHub':
    case 'BitbucketCloud':
      return 0;
  }
}

/** GitLab's groups nest, so only its API's URL tells a folder that it is installed under. */
function sharedLength(segments: readonly string[], apiURL: string | undefined): number {
  const api =
    URL.parse(apiURL ?? '')
      ?.pathname.match(/^\/(.*)\/api\/v\d+\/?$/)?.[1]
      ?.split('/') ?? [];
  return api.every((part, i) => part === segments[i]) ? api.length : 0;
}

function apiOf(product: HostProduct, { scheme, host }: Clone, root: string): string {
  if (scheme === 'http' && !isInside(new URL(`http://${host}`).hostname)) {
    throw invalid(
      'repository',
      'over plain http a token would be readable to all on the way; use https://, or name the API in apiURL',
    );
  }
  const base = `${scheme}://${host}${root}`;
  switch (product) {
    case 'GitHub':
      return host === 'github.com' || host.endsWith('.ghe.com') ? `https://api.${host}` : `${base}/api/v3`;
    case 'GitLab':
      return `${base}/api/v4`;
    case 'Gitea':
      return `${base}/api/v1`;
    case 'BitbucketCloud':
      return 'https://api.bitbucket.org/2.0';
    case 'BitbucketDataCenter':
      return `${base}/rest/api/1.0`;
  }
}

function parseApi(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw invalid('API', 'it is no http or https URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('API', 'it holds a user name or password, which belong in a Secret');
  }
  if (url.search !== '' || url.hash !== '')
    throw invalid('API', 'it has a query or fragment, which no base URL has');
  return url.href.replace(/\/+$/, '');
}

function invalid(what: 'repository' | 'API', why: string): AddressError {
  return new AddressError('InvalidURL', `the ${what} URL is refused: ${why}`);
}
