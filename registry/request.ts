import type { IncomingHttpHeaders } from 'node:http';
import type { Credential } from './credentials.ts';
import type { Repository } from './endpoint.ts';

/** Who asks a registry, and until when. */
export interface Access {
  /** Tried in this order, then anonymously. */
  readonly credentials: readonly Credential[];
  /** Certificates in PEM that are trusted for this registry besides the usual ones. */
  readonly ca?: string | undefined;
  /** An answer that another caller had this many milliseconds ago at most is good enough; default 0. */
  readonly maxAgeMs?: number | undefined;
  /** Ends the call early; what is thrown then is the signal's own reason. */
  readonly signal?: AbortSignal | undefined;
}

/** One request to a registry, or to a host that it sent us to. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** An answer with a longer body is refused. */
  readonly maxBytes: number;
  /** What the request is about, for authentication and for messages. */
  readonly repository: Repository;
  readonly access: Access;
}

/** A complete answer, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Where it came from: differs from the request's URL after a redirect. */
  readonly url: URL;
}

/**
 * Sends a request. The parts of the client wrap one another in this shape, each adding one concern.
 *
 * @throws {RegistryError} when no answer comes, or none that may be used
 */
export type Send = (request: RegistryRequest) => Promise<Answer>;

/** A header that is meant to come once; the first where it came more often. */
export function headerOf(answer: Pick<Answer, 'headers'>, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The name by which settings know the host of a URL: the registry's own as images are written, which Docker Hub's URLs do not have. */
export function nameOf(url: URL, repository: Repository): string {
  return url.host === repository.origin.host ? repository.registry : url.host;
}

/** The host that was asked, and the registry it was asked for where that is another: words for a message. */
export function hostFor(url: URL, repository: Repository): string {
  return url.host === repository.origin.host
    ? repository.registry
    : `${url.host} (for ${repository.registry})`;
}
