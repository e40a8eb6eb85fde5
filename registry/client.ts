import type { Reference } from '../core/reference.ts';
import { withAuth } from './auth.ts';
import { type Clock, systemClock } from './clock.ts';
import { repositoryOf } from './endpoint.ts';
import { withLimit } from './limit.ts';
import { type Resolved, resolve } from './manifests.ts';
import { withRedirects } from './redirect.ts';
import type { Access } from './request.ts';
import { withRetry } from './retry.ts';
import { listTags } from './tags.ts';
import { createTransport } from './transport.ts';

/** Asks registries. Every call throws a RegistryError, or the reason of its signal once that aborts. */
export interface RegistryClient {
  /** All tags of the repository, in the registry's order. */
  listTags(reference: Reference, access: Access): Promise<string[]>;
  /** The digest that the reference's tag has now; of a multi-arch image that of its index. */
  resolve(reference: Reference & { readonly tag: string }, access: Access): Promise<Resolved>;
  /** Cuts all connections. */
  close(): Promise<void>;
}

export interface RegistryClientOptions {
  /** Hosts, with their port if they have one, that are spoken to in plain http. */
  readonly insecureHosts?: readonly string[];
  readonly userAgent?: string;
  /** A repository with more tags than this is an error; default 250,000. */
  readonly maxTags?: number;
  /** How long one request may take, to the last byte of its answer, in milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  /** Requests that may be under way at one host at a time; default 4. */
  readonly requestsPerHost?: number;
  readonly clock?: Clock;
}

/** A client that all scans share, and with it connections, tokens and the limit per host. */
export function createRegistryClient({
  insecureHosts = [],
  userAgent = 'fleetscan',
  maxTags = 250_000,
  timeoutMs = 30_000,
  requestsPerHost = 4,
  clock = systemClock,
}: RegistryClientOptions = {}): RegistryClient {
  const transport = createTransport({ timeoutMs, userAgent });
  // From the wire outwards: each wraps the one before it.
  const limited = withLimit(transport.send, requestsPerHost);
  const redirected = withRedirects(limited);
  const retried = withRetry(redirected, clock);
  const send = withAuth(retried, clock);
  return {
    listTags: async (reference, access) =>
      listTags(send, repositoryOf(reference, insecureHosts), access, maxTags),
    resolve: (reference, access) =>
      resolve(send, repositoryOf(reference, insecureHosts), reference.tag, access),
    close: () => transport.close(),
  };
}
