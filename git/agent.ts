import { readFile } from 'node:fs/promises';
import { EnvHttpProxyAgent } from 'undici';
import type { Environment } from './environment.ts';

/** How a server is recognised. */
export interface Trust {
  /** PEM file of the CAs to trust in place of the system's. */
  readonly caFile?: string;
  readonly insecureSkipTLSVerify?: boolean;
}

/** How connections are made: whom they trust, through which proxies they go and how long a silence may last. */
export interface Connecting extends Trust {
  readonly environment: Environment;
  /** Until a connection is there, and between two bytes of an answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** Connections for requests beside git's own, with the proxies and the trust that git has. */
export async function agentFor(connecting: Connecting): Promise<EnvHttpProxyAgent> {
  const { caFile, insecureSkipTLSVerify, environment, timeoutMs } = connecting;
  const noProxy = environment['no_proxy'] ?? environment['NO_PROXY'];
  const httpsProxy = environment['https_proxy'] ?? environment['HTTPS_PROXY'];
  const tls = {
    timeout: timeoutMs,
    rejectUnauthorized: insecureSkipTLSVerify !== true,
    ...(caFile !== undefined && { ca: await readFile(caFile) }),
  };
  return new EnvHttpProxyAgent({
    httpProxy: environment['http_proxy'] ?? '',
    httpsProxy: httpsProxy ?? '',
    noProxy: noProxy ?? '',
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: tls,
    // What is within a proxy's tunnel has options of its own.
    requestTls: tls,
  });
}
