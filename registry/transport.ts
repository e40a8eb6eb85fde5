import { type Dispatcher, errors } from 'undici';
import { messageOf } from '../core/errors.ts';
import { RegistryError } from './errors.ts';
import { Pools } from './pools.ts';
import type { ProxyEnvironment } from './proxy.ts';
import { type Answer, hostFor, type RegistryRequest, type Send } from './request.ts';
import type { RegistrySettings } from './settings.ts';

/** Sends requests over the network, each exactly once. */
export interface Transport {
  readonly send: Send;
  /** Cuts all connections; what is under way fails. */
  close(): Promise<void>;
}

/** How requests are sent. */
export interface TransportOptions {
  readonly settings: RegistrySettings;
  readonly environment: ProxyEnvironment;
  /** A request that has no complete answer by then fails, however busily its bytes trickle in. */
  readonly timeoutMs: number;
  /** A connection that is not there by then fails; default 10,000. */
  readonly connectTimeoutMs?: number;
  readonly userAgent: string;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** A transport with connections of its own, to registries and to the hosts that they send us to, through proxies where there are some. */
export function createTransport(options: TransportOptions): Transport {
  const { timeoutMs, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const pools = new Pools({ ...options, connectTimeoutMs: Math.min(connectTimeoutMs, timeoutMs) });
  return {
    send: (request) => exchange(pools.for(request), request, options),
    close: () => pools.destroy(),
  };
}

async function exchange(
  pool: Dispatcher,
  request: RegistryRequest,
  { timeoutMs, userAgent }: { timeoutMs: number; userAgent: string },
): Promise<Answer> {
  const { method, url, headers, body = null, access } = request;
  access.signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = access.signal === undefined ? deadline : AbortSignal.any([access.signal, deadline]);
  const path = `${url.pathname}${url.search}`;
  try {
    const answer = await pool.request({
      origin: url.origin,
      method,
      path,
      body,
      signal,
      headers: { 'user-agent': userAgent, ...headers },
    });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: await readBody(answer.body, request),
      url,
    };
  } catch (error) {
    access.signal?.throwIfAborted();
    if (deadline.aborted)
      throw new RegistryError(
        'Timeout',
        `${hostFor(request.url, request.repository)} gave no complete answer in ${timeoutMs} ms`,
      );
    throw transportError(error, request);
  }
}

// Leaving the loop early destroys the body, and with it the connection: nothing of an endless answer is read on.
async function readBody(body: AsyncIterable<Buffer>, request: RegistryRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > request.maxBytes) {
      throw new RegistryError(
        'InvalidAnswer',
        `${hostFor(request.url, request.repository)} sent more than the ${request.maxBytes} bytes that it may`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const TLS_FAILURE =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/;

function transportError(error: unknown, request: RegistryRequest): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof errors.ConnectTimeoutError) {
    const advice = 'check network policies, firewalls and proxies on the way to it';
    return new RegistryError(
      'Timeout',
      `${hostFor(request.url, request.repository)} takes no connection in time: ${advice}`,
    );
  }
  const code = codeOf(error);
  if (TLS_FAILURE.test(code)) {
    const advice =
      'its certificate must be valid for this host and come from a trusted CA; a registry that speaks plain http must be named as insecure';
    return new RegistryError(
      'TLS',
      `no trusted connection to ${hostFor(request.url, request.repository)} (${code}): ${advice}`,
    );
  }
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError) {
    return new RegistryError(
      'InvalidAnswer',
      `${hostFor(request.url, request.repository)} does not answer in HTTP (${code}): is this a registry, and is the scheme right?`,
    );
  }
  return new RegistryError(
    'Unreachable',
    `cannot reach ${hostFor(request.url, request.repository)}: ${describe(error)}`,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

// Where a host has several addresses and none answers, the error says nothing itself and holds one per address.
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map(messageOf).join(', ');
  return messageOf(error);
}
