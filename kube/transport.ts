import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { CodedError, messageOf } from '../core/errors.ts';
import { type Answer, pauseBeforeRetry, readText } from './answer.ts';
import { ApiError, answerError } from './errors.ts';
import type { Credentials, Identity } from './identity.ts';
import { openPool } from './pool.ts';
import { unreachable } from './unreachable.ts';

export interface Call {
  readonly method: string;
  /** Path and query, without the server. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

const MAX_TRIES = 3;
/** undici's and Node's codes for a kept-alive connection that the server had closed already. */
const STALE = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Sends calls to one API server over one pool of connections. */
export class Transport {
  readonly server: string;
  readonly #credentials: Credentials;
  readonly #timeoutMs: number;
  readonly #userAgent: string;
  #pool: { key: string; dispatcher: Dispatcher } | undefined;
  #closed = false;

  constructor(credentials: Credentials, options: { requestTimeoutMs: number; userAgent: string }) {
    this.server = credentials.server;
    this.#credentials = credentials;
    this.#timeoutMs = options.requestTimeoutMs;
    this.#userAgent = options.userAgent;
  }

  /**
   * Sends a call and reads its whole answer, whatever the status. A GET is sent again once when a kept-alive connection
   * turns out dead; HTTP 429, and 503 to a call that may be repeated, are waited out as Retry-After asks, within bounds.
   *
   * @throws {ApiError} 'Unreachable' when no answer comes in time; the reason of `call.signal` when that is aborted
   */
  async send(call: Call): Promise<Answer> {
    const deadline = performance.now() + this.#timeoutMs;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]);
    const timed = { ...call, signal };
    try {
      let answer = await this.#sendOnce(timed);
      for (let tries = 1; tries < MAX_TRIES; tries++) {
        const pause = pauseBeforeRetry(call.method, answer);
        if (pause === undefined || performance.now() + pause > deadline) break;
        await delay(pause, undefined, { signal });
        answer = await this.#sendOnce(timed);
      }
      return answer;
    } catch (error) {
      call.signal?.throwIfAborted();
      if (timeout.aborted)
        throw new ApiError('Unreachable', `${this.#host} gave no answer within ${this.#timeoutMs} ms`);
      throw this.#explain(error);
    }
  }

  /**
   * Opens a call whose answer is a stream without an end, and gives its body once the server has begun to answer.
   *
   * @throws {ApiError} when the answer is no success or there is none; the reason of `call.signal` when that is aborted
   */
  async open(call: Call & { signal: AbortSignal }): Promise<AsyncIterable<Buffer>> {
    try {
      const response = await this.#request(call, this.#timeoutMs, 0);
      if (response.statusCode === 200) return this.#explained(response.body, call.signal);
      if (response.statusCode === 401) this.#credentials.renew();
      throw answerError(response.statusCode, await readText(response.body));
    } catch (error) {
      call.signal.throwIfAborted();
      throw this.#explain(error);
    }
  }

  /** Closes all connections; calls in flight fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.dispatcher.destroy();
  }

  async #sendOnce(call: Call): Promise<Answer> {
    const answer = await this.#sendFresh(call);
    if (answer.status !== 401) return answer;
    this.#credentials.renew();
    return this.#sendFresh(call);
  }

  async #sendFresh(call: Call): Promise<Answer> {
    try {
      return await this.#exchange(call);
    } catch (error) {
      if (call.method !== 'GET' || !isStale(error) || call.signal?.aborted) throw error;
      return this.#exchange(call);
    }
  }

  async #exchange(call: Call): Promise<Answer> {
    const response = await this.#request(call, this.#timeoutMs, this.#timeoutMs);
    return { status: response.statusCode, headers: response.headers, body: await readText(response.body) };
  }

  async #request(call: Call, headersTimeout: number, bodyTimeout: number): Promise<Dispatcher.ResponseData> {
    const identity = await this.#identity();
    const { origin, pathname } = new URL(this.server);
    return this.#dispatcher(identity).request({
      origin,
      path: `${pathname.replace(/\/$/, '')}${call.path}`,
      method: call.method,
      headers: {
        'user-agent': this.#userAgent,
        accept: 'application/json',
        ...call.headers,
        ...identity.headers,
      },
      headersTimeout,
      bodyTimeout,
      ...(call.body !== undefined && { body: call.body }),
      ...(call.signal !== undefined && { signal: call.signal }),
    });
  }

  async #identity(): Promise<Identity> {
    try {
      return await this.#credentials.identity();
    } catch (error) {
      throw new ApiError('Unauthorized', messageOf(error), { cause: error });
    }
  }

  // Client certificates are replaced while we run, and a connection keeps the one it began with: a new pool then.
  #dispatcher({ headers, tls }: Identity): Dispatcher {
    if (this.#closed)
      throw new ApiError('Unreachable', `the connection to ${this.#host} was closed by this program`);
    const key = JSON.stringify([tls.ca, tls.cert, tls.key].map(String));
    if (this.#pool?.key === key) return this.#pool.dispatcher;
    void this.#pool?.dispatcher.close();
    const isEachHeaderOnce = Object.values(headers).every(
      (value) => typeof value === 'string' || value.length < 2,
    );
    const dispatcher = openPool(this.#credentials.proxy, tls, isEachHeaderOnce);
    this.#pool = { key, dispatcher };
    return dispatcher;
  }

  async *#explained(body: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
    try {
      yield* body;
    } catch (error) {
      signal.throwIfAborted();
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    return error instanceof CodedError ? error : unreachable(this.#host, error);
  }

  get #host(): string {
    return new URL(this.server).host;
  }
}

function isStale(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && STALE.has(error.code);
}
