import { type Dispatcher, errors } from 'undici';
import { messageOf } from '../../core/errors.ts';
import { oneLine } from '../../core/one-line.ts';
import type { HostAnswer } from './failure.ts';
import { HostError } from './host.ts';

const MAX_BYTES = 8 * 1024 * 1024;
const TLS_FAILURE =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/;

/** One request as it is sent. */
export interface HostRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Until when an answer is waited for. */
export interface Patience {
  /** For the whole of it, however busily its bytes trickle in. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Sends a request once.
 *
 * @returns the whole answer, whatever its status, of 8 MiB at most
 * @throws {HostError} when there is none, or the reason of the aborted signal
 */
export async function exchange(
  agent: Dispatcher,
  request: HostRequest,
  { timeoutMs, signal }: Patience,
): Promise<HostAnswer> {
  signal?.throwIfAborted();
  const { host } = request.url;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    return await send(agent, request, signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof HostError) throw error;
    if (deadline.aborted) {
      throw new HostError('Timeout', `${host} gave no complete answer in ${timeoutMs} ms`);
    }
    throw transportError(error, host);
  }
}

async function send(
  agent: Dispatcher,
  { url, method, headers, body }: HostRequest,
  signal: AbortSignal,
): Promise<HostAnswer> {
  const isJson = body !== undefined;
  const answer = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    signal,
    headers: {
      'user-agent': 'fleetscan',
      accept: 'application/json',
      ...(isJson && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(isJson && { body: JSON.stringify(body) }),
  });
  return { status: answer.statusCode, headers: answer.headers, body: await readBody(answer.body, url.host) };
}

// Leaving the loop early destroys the body, and with it the connection: nothing of an endless answer is read on.
async function readBody(body: AsyncIterable<Buffer>, host: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BYTES) {
      throw new HostError('InvalidAnswer', `${host} sent more than the ${MAX_BYTES} bytes that it may`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function transportError(error: unknown, host: string): HostError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (TLS_FAILURE.test(code)) {
    const advice = 'its certificate must be valid for this host and come from a trusted CA';
    return new HostError('TLS', `no trusted connection to ${host} (${code}): ${advice}`);
  }
  if (error instanceof errors.HTTPParserError) {
    return new HostError('InvalidAnswer', `${host} does not answer in HTTP (${code}): is the scheme right?`);
  }
  const detail = error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
  return new HostError('Unreachable', `cannot reach ${host}: ${oneLine(detail, 300)}`);
}
