import { createHash } from 'node:crypto';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { BoundedMap } from './bounded-map.ts';
import { trusting } from './certificates.ts';
import { type ProxyEnvironment, proxyFor } from './proxy.ts';
import { nameOf, type RegistryRequest } from './request.ts';
import type { RegistrySettings } from './settings.ts';

const MAX_POOLS = 256;
const CONNECT_TIMEOUT_MS = 10_000;

/** What connections have in common that may carry the same request. */
interface Trust {
  readonly certificates: readonly string[];
  readonly verify: boolean;
}

/** Connections, in one pool for each origin and each set of certificates that is trusted there. */
export class Pools {
  readonly #pools = new BoundedMap<string, Dispatcher>(MAX_POOLS, (pool) => void pool.close());
  readonly #settings: RegistrySettings;
  readonly #environment: ProxyEnvironment;
  readonly #timeoutMs: number;

  constructor(settings: RegistrySettings, environment: ProxyEnvironment, timeoutMs: number) {
    this.#settings = settings;
    this.#environment = environment;
    this.#timeoutMs = timeoutMs;
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
    const own = this.#settings.for(nameOf(url, repository));
    const cas = [own.ca, this.#settings.for(repository.registry).ca, access.ca];
    const certificates = [...new Set(cas.filter((ca) => ca !== undefined))];
    return { certificates, verify: !own.insecureSkipTLSVerify };
  }

  #open(origin: URL, { certificates, verify }: Trust): Dispatcher {
    const tls = {
      rejectUnauthorized: verify,
      ...(certificates.length > 0 && { secureContext: trusting(certificates) }),
    };
    const timeouts = { headersTimeout: this.#timeoutMs, bodyTimeout: this.#timeoutMs };
    const connectTimeout = Math.min(CONNECT_TIMEOUT_MS, this.#timeoutMs);
    // A handful of small requests per scan gain nothing from HTTP/2, and plain requests have fewer ways to fail.
    const options = { ...timeouts, connectTimeout, allowH2: false };
    const proxy = proxyFor(origin, this.#environment);
    if (proxy === undefined)
      return new Pool(origin.origin, { ...options, connect: { ...tls, timeout: connectTimeout } });
    return new ProxyAgent({ ...options, uri: proxy.href, requestTls: tls });
  }
}
