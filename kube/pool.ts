import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from 'undici';
import type { Credentials, TlsOptions } from './identity.ts';

/** Parallel connections to the API server, watches included; calls beyond them wait for a free one. */
const CONNECTIONS = 64;

/**
 * Opens the pool of connections of one client. `environment` reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY (names and suffixes; ranges of
 * addresses are not understood there).
 *
 * @param allowH2 false when a header is repeated: over HTTP/2 undici joins its values by commas into one
 */
export function openPool(proxy: Credentials['proxy'], tls: TlsOptions, allowH2: boolean): Dispatcher {
  // Probes on a silent connection every 30 s, as client-go has it: load balancers drop those that are idle for a minute.
  const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 };
  if (proxy === 'none') return new Agent({ connections: CONNECTIONS, connect, allowH2 });
  if (proxy === 'environment')
    return new EnvHttpProxyAgent({ connections: CONNECTIONS, connect, requestTls: connect, allowH2 });
  return new ProxyAgent({ uri: proxy.url, connections: CONNECTIONS, requestTls: connect, allowH2 });
}
