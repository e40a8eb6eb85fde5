import { createHash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { BoundedMap } from './bounded-map.ts';
import { trusting } from './certificates.ts';
import { type ProxyEnvironment, proxyAuthorization, proxyFor } from './proxy.ts';
import { nameOf, type RegistryRequest } from './request.ts';
import type { RegistrySettings } from './settings.ts';

const MAX_POOLS = 256;
// With the system's some 150 certificates one takes 20 ms to make and more than a megabyte.
const MAX_CONTEXTS = 32;

/** What connections have in common that may carry the same request. */
interface Trust {
  readonly certificates: readonly string[];
  readonly verify: boolean;
}

/** How connections are made. */
export interface PoolOptions {
  readonly settings: RegistrySettings;
  readonly environment: ProxyEnvironment;
  /** Between two bytes of an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Until a connection is there, with TLS where it is spoken, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** Connections, in one pool for each origin and each set of certificates that is trusted there. */
export class Pools {
  readonly #pools = new BoundedMap<string, Dispatcher>(MAX_POOLS, (pool) => void pool.close());
  readonly #contexts = new BoundedMap<string, SecureContext>(MAX_CONTEXTS);
  readonly #options: PoolOptions;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** The pool that a request goes through. */
  for(request: RegistryRequest): Dispatcher {
    const trust = this.#trustOf(request);
    const { origin } = request.url;
    const key = createHash('sha256')
      .update(JSON.stringify([origin, trust]))
      .digest('base64');
    const pool = this.#pools.get(key) ?? this.#open(request.url, trust);
    this.#pools.set(key, pool);
    return pool;
  }

  /** Cuts all connections. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  /** A registry's certificates also count at the hosts that it sends us to, such as its token server; to verify nothing counts for one host. */
  #trustOf({ url, repository, access }: RegistryRequest): Trust {
    const { settings } = this.#options;
    const own = settings.for(nameOf(url, repository));
    const cas = [own.ca, settings.for(repository.registry).ca, access.ca];
    const certificates = [...new Set(cas.filter((ca) => ca !== undefined))];
    return { certificates, verify: !own.insecureSkipTLSVerify };
  }

  #open(origin: URL, { certificates, verify }: Trust): Dispatcher {
    const { timeoutMs, connectTimeoutMs, environment } = this.#options;
    const tls = {
      rejectUnauthorized: verify,
      ...(certificates.length > 0 && { secureContext: this.#contextFor(certificates) }),
    };
    // A handful of small requests per scan gain nothing from HTTP/2, and plain requests have fewer ways to fail.
    const options = {
      connectTimeout: connectTimeoutMs,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      allowH2: false,
    };
    const proxy = proxyFor(origin, environment);
    if (proxy === undefined) return new Pool(origin.origin, { ...options, connect: tls });
    const token = proxyAuthorization(proxy);
    return new ProxyAgent({ ...options, uri: proxy.origin, token, requestTls: tls });
  }

  #contextFor(certificates: readonly string[]): SecureContext {
    const key = certificates.join('\n');
    const context = this.#contexts.get(key) ?? trusting(certificates);
    this.#contexts.set(key, context);
    return context;
  }
}
