import { DOCKER_HUB, type Reference } from '../core/reference.ts';
import { isPrivateIPv4 } from './address.ts';
import { RegistryError } from './errors.ts';

/** A repository and where it is served. */
export interface Repository {
  /** The registry's host as users write it. */
  readonly registry: string;
  /** Root of the server that answers for it. */
  readonly origin: URL;
  /** Name of the repository on that server. */
  readonly name: string;
}

const DOCKER_HUB_SERVER = 'registry-1.docker.io';
const LOOPBACK = /^(?:localhost:\d+|127\.0\.0\.1(?::\d+)?|\[::1\](?::\d+)?)$/;

/**
 * Where a reference's repository is served. Only scheme, host and port are decided here; nothing is asked.
 *
 * @param insecureHosts hosts, with their port if they have one, that are spoken to in plain http
 * @throws {RegistryError} 'Unreachable' when the reference names no host that can be asked
 */
export function repositoryOf(
  reference: Pick<Reference, 'registry' | 'repository'>,
  insecureHosts: readonly string[],
): Repository {
  const { registry, repository } = reference;
  const server = registry === DOCKER_HUB ? DOCKER_HUB_SERVER : registry;
  const origin = URL.parse(`${schemeOf(registry, insecureHosts)}://${server}/`);
  if (origin === null || server.endsWith(':')) {
    throw new RegistryError(
      'Unreachable',
      `"${registry}" is not the host of a registry: write the image without a scheme, such as ghcr.io/acme/app`,
    );
  }
  return { registry, origin, name: repository };
}

/**
 * The scheme of a registry: https, but http for hosts that were named and for those that go-containerregistry, and so Fleet,
 * takes for local ones: `localhost` with a port, the loopback addresses and the private IPv4 networks of RFC 1918.
 */
export function schemeOf(registry: string, insecureHosts: readonly string[]): 'http' | 'https' {
  const host = registry.toLowerCase();
  const named = insecureHosts.some((insecure) => insecure.toLowerCase() === host);
  return named || LOOPBACK.test(host) || isPrivateIPv4(host.replace(/:\d+$/, '')) ? 'http' : 'https';
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
