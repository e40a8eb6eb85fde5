import { DOCKER_HUB, type Reference } from '../core/reference.ts';
import { isPrivateIPv4 } from './address.ts';
import { RegistryError } from './errors.ts';
import type { Access } from './request.ts';
import type { RegistrySettings } from './settings.ts';

/** A repository and where it is served. */
export interface Repository {
  /** The registry's host as users write it. */
  readonly registry: string;
  /** Root of the server that answers for it. */
  readonly origin: URL;
  /** Name of the repository on that server. */
  readonly name: string;
  /** Hosts that the registry may send us to though they are inside the network. */
  readonly trustedHosts: readonly string[];
}

const DOCKER_HUB_SERVER = 'registry-1.docker.io';
const LOOPBACK = /^(?:localhost:\d+|127\.0\.0\.1(?::\d+)?|\[::1\](?::\d+)?)$/;

/**
 * Where a reference's repository is served. Only scheme, host and port are decided here; nothing is asked.
 *
 * @throws {RegistryError} 'Unreachable' when the reference names no host that can be asked
 */
export function repositoryOf(
  reference: Pick<Reference, 'registry' | 'repository'>,
  settings: RegistrySettings,
  { ca }: Pick<Access, 'ca'> = {},
): Repository {
  const { registry, repository } = reference;
  const server = registry === DOCKER_HUB ? DOCKER_HUB_SERVER : registry;
  const host = settings.for(registry);
  // Who says how its certificate is to be taken says that it has one.
  const isTLS = ca !== undefined || host.ca !== undefined || host.insecureSkipTLSVerify;
  const scheme = schemeOf(registry, host.plainHTTP ?? (isTLS ? false : undefined));
  const origin = URL.parse(`${scheme}://${server}/`);
  if (origin === null || server.endsWith(':')) {
    throw new RegistryError(
      'Unreachable',
      `"${registry}" is not the host of a registry: write the image without a scheme, such as ghcr.io/acme/app`,
    );
  }
  return { registry, origin, name: repository, trustedHosts: host.trustedHosts };
}

/**
 * The scheme of a registry: what was said, else https, but http for those that go-containerregistry, and so Fleet, takes for
 * local ones: `localhost` with a port, the loopback addresses and the private IPv4 networks of RFC 1918.
 */
export function schemeOf(registry: string, plainHTTP?: boolean): 'http' | 'https' {
  const host = registry.toLowerCase();
  const isLocal = LOOPBACK.test(host) || isPrivateIPv4(host.replace(/:\d+$/, ''));
  return (plainHTTP ?? isLocal) ? 'http' : 'https';
}

/**
 * The URL of a part of the distribution API: `tags/list` or `manifests/1.2`.
 *
 * @throws {RegistryError} 'NotFound' when the name leads out of the API: a URL reads the segment `..` as "one up"
 */
export function apiUrl(repository: Repository, part: string): URL {
  const path = `/v2/${repository.name}/${part}`;
  const url = new URL(path, repository.origin);
  if (url.pathname !== path) {
    throw new RegistryError(
      'NotFound',
      `${repository.registry} can hold no ${repository.name}: "." and ".." are not names`,
    );
  }
  return url;
}

/** The URL that every registry answers for, if only with how it wants us to authenticate. */
export function apiRoot(repository: Repository): URL {
  return new URL('/v2/', repository.origin);
}
