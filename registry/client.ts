import type { Reference } from '../core/reference.ts';
import { withAuth } from './auth.ts';
import { withBudget } from './budget.ts';
import { withCache } from './cache.ts';
import { type Clock, systemClock } from './clock.ts';
import { created } from './created.ts';
import { type Description, describe } from './description.ts';
import { repositoryOf } from './endpoint.ts';
import { Known } from './known.ts';
import { type ImageLabels, imageLabels } from './labels.ts';
import { fetchManifest, type Resolved, resolve, resolveByContent } from './manifests.ts';
import { amd64Digest } from './platform-digest.ts';
import type { ProxyEnvironment } from './proxy.ts';
import { withRedirects } from './redirect.ts';
import type { Access } from './request.ts';
import { withRetry } from './retry.ts';
import { DEFAULT_SETTINGS, type RegistrySettings, withPlainHosts } from './settings.ts';
import { listTags, type TagList } from './tags.ts';
import { createTransport } from './transport.ts';

/** Asks registries. Every call throws a RegistryError, or the reason of its signal once that aborts. */
export interface RegistryClient {
  /** All tags of the repository. */
  listTags(reference: Reference, access: Access): Promise<TagList>;
  /** The digest that the reference's tag has now; of a multi-arch image that of its index. */
  resolve(reference: Reference & { readonly tag: string }, access: Access): Promise<Resolved>;
  /** The same by the bytes of the manifest, which cost a pull: for registries that tell another digest than they have. */
  resolveByContent(reference: Reference & { readonly tag: string }, access: Access): Promise<Resolved>;
  /** Whether a digest is an image, and for which platforms; else what it is. */
  describe(reference: Reference & { readonly digest: string }, access: Access): Promise<Description>;
  /** When what a digest names was created, in milliseconds since the epoch; undefined when it does not say. */
  created(reference: Reference & { readonly digest: string }, access: Access): Promise<number | undefined>;
  /** Where what a digest names comes from, as its publisher says. */
  labels(reference: Reference & { readonly digest: string }, access: Access): Promise<ImageLabels>;
  /** The digest of the linux/amd64 image that a digest leads to; undefined when an index has none. Who asks keeps the answer. */
  amd64Digest(
    reference: Reference & { readonly digest: string },
    access: Access,
  ): Promise<string | undefined>;
  /** Cuts all connections. */
  close(): Promise<void>;
}

export interface RegistryClientOptions {
  /** How each registry is spoken to; by {@link DEFAULT_SETTINGS} when absent. */
  readonly settings?: RegistrySettings;
  /** Hosts, with their port if they have one, that are spoken to in plain http, whatever the settings say. */
  readonly insecureHosts?: readonly string[];
  /** The environment's variables, in which proxies are named; no proxies when absent. */
  readonly environment?: ProxyEnvironment;
  readonly userAgent?: string;
  /** A repository with more tags than this is an error; default 250,000. */
  readonly maxTags?: number;
  /** How long one request may take, to the last byte of its answer, in milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  /** How much of answers is kept; default 16 MiB. */
  readonly cacheBytes?: number;
  readonly clock?: Clock;
}

/** Answers about digests that are kept; one takes some 100 bytes. */
const MAX_KNOWN_DIGESTS = 50_000;
/** Labels that are kept; they take up to 2 kB. */
const MAX_KNOWN_LABELS = 2_000;

/** A client that all scans share, and with it connections, tokens, answers and the budget of each host. */
export function createRegistryClient({
  settings: given = { for: () => DEFAULT_SETTINGS },
  insecureHosts = [],
  environment = {},
  userAgent = 'fleetscan',
  maxTags = 250_000,
  timeoutMs = 30_000,
  cacheBytes = 16 * 1024 * 1024,
  clock = systemClock,
}: RegistryClientOptions = {}): RegistryClient {
  const settings = withPlainHosts(given, insecureHosts);
  const transport = createTransport({ settings, environment, timeoutMs, userAgent });
  // From the wire outwards: each wraps the one before it.
  const budgeted = withBudget(transport.send, settings, clock);
  const redirected = withRedirects(budgeted);
  const retried = withRetry(redirected, clock);
  const authenticated = withAuth(retried, clock);
  const send = withCache(authenticated, clock, cacheBytes);

  const at = (reference: Reference, access: Access) => repositoryOf(reference, settings, access);
  const descriptions = new Known<Description>(MAX_KNOWN_DIGESTS);
  const times = new Known<number | undefined>(MAX_KNOWN_DIGESTS);
  const labels = new Known<ImageLabels>(MAX_KNOWN_LABELS);
  return {
    listTags: async (reference, access) => listTags(send, at(reference, access), access, maxTags),
    resolve: async (reference, access) => resolve(send, at(reference, access), reference.tag, access),
    resolveByContent: async (reference, access) =>
      resolveByContent(send, at(reference, access), reference.tag, access),
    describe: async (reference, access) =>
      descriptions.about(reference, async () =>
        describe(await fetchManifest(send, at(reference, access), reference.digest, access)),
      ),
    created: async (reference, access) =>
      times.about(reference, () => created(send, at(reference, access), reference.digest, access)),
    labels: async (reference, access) =>
      labels.about(reference, () => imageLabels(send, at(reference, access), reference.digest, access)),
    amd64Digest: async (reference, access) =>
      amd64Digest(send, at(reference, access), reference.digest, access),
    close: () => transport.close(),
  };
}
