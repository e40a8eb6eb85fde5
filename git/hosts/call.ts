import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, errors } from 'undici';
import type { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import { oneLine } from '../../core/one-line.ts';
import { nextTarget } from '../../registry/link.ts';
import { agentFor, type Connecting } from '../agent.ts';
import { failureOf, type HostAnswer, wordsOf } from './failure.ts';
import { HostError } from './host.ts';

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_REDIRECTS = 3;
const RETRY_AFTER_MS = [100, 400];
const PASSING = new Set([502, 503, 504]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Parameters of a URL's query; those with several values come several times. */
export type Query = Readonly<Record<string, string | number | readonly string[]>>;

/** One question to a host. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Below the base URL, with a slash before it; its parts are escaped. */
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  /** For messages, after "refuses": `to open a pull request in acme/app`. */
  readonly what: string;
}

/** Where an API is, and how it is talked to. */
export interface ApiOptions extends Connecting {
  /** Without a slash at its end. */
  readonly base: string;
  /** Sent to the base URL's origin, and to no other. */
  readonly headers: Readonly<Record<string, string>>;
  /** What no message may hold. */
  readonly secrets: readonly string[];
  readonly signal?: AbortSignal;
}

/** A part of a list, and the query for what comes after it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: Query;
}

/** An HTTP API that speaks JSON. All it throws is {@link HostError}, or the reason of an aborted signal. */
export class Api {
  readonly #options: ApiOptions;
  readonly #host: string;
  #agent: Promise<Dispatcher> | undefined;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#host = new URL(options.base).host;
  }

  /** Asks, and reads the answer in the form that the schema has. */
  async ask<T>(question: Question, schema: z.ZodType<T>): Promise<T> {
    return this.#parse(schema, await this.#succeed(question), question);
  }

  /** Asks what is answered with nothing of interest. */
  async tell(question: Question): Promise<void> {
    await this.#succeed(question);
  }

  /** A page of a list by numbers (`page=`), which goes on where a `Link` header names a next one. */
  async numberedPage<T>(question: Question & { query: Query }, item: z.ZodType<T[]>): Promise<Page<T>> {
    const answer = await this.#succeed(question);
    const items = this.#parse(item, answer, question);
    if (nextTarget(answer.headers.link) === undefined) return { items };
    return { items, next: { ...question.query, page: Number(question.query['page'] ?? 1) + 1 } };
  }

  async #succeed(question: Question): Promise<HostAnswer> {
    const answer = await this.#persistently(question);
    if (answer.status >= 200 && answer.status < 300) return answer;
    const words = wordsOf(parseJson(this.#withoutSecrets(answer.body.toString('utf8'))));
    throw failureOf(answer, this.#host, question.what, words);
  }

  /** Only what reads is sent again: of a write without an answer nobody knows whether it was done. */
  async #persistently(question: Question): Promise<HostAnswer> {
    for (const pause of question.method === 'GET' ? RETRY_AFTER_MS : []) {
      try {
        const answer = await this.#redirected(question);
        if (!PASSING.has(answer.status) || answer.headers['retry-after'] !== undefined) return answer;
      } catch (error) {
        if (!(error instanceof HostError && error.code === 'Unreachable')) throw error;
      }
      await this.#pause(pause);
    }
    return this.#redirected(question);
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#options;
    await delay(ms, undefined, { ...(signal !== undefined && { signal }) }).catch(() =>
      signal?.throwIfAborted(),
    );
  }

  /** GitHub redirects what was renamed. A redirect is followed on the same origin alone, and by a write only where it stays one. */
  async #redirected(question: Question): Promise<HostAnswer> {
    let url = this.#urlOf(question);
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const answer = await this.#exchange(url, question);
      if (!REDIRECTS.has(answer.status)) return answer;
      const target = URL.parse(answer.headers.location ?? '', url);
      const isKept = question.method === 'GET' || answer.status === 307 || answer.status === 308;
      if (target === null || target.origin !== url.origin || !isKept) throw this.#elsewhere(target, question);
      url = target;
    }
    throw new HostError('InvalidAnswer', `${this.#host} redirects more than ${MAX_REDIRECTS} times`);
  }

  #urlOf({ path, query = {} }: Question): URL {
    const url = new URL(`${this.#options.base}${path}`);
    for (const [key, values] of Object.entries(query)) {
      for (const value of [values].flat()) url.searchParams.append(key, String(value));
    }
    return url;
  }

  async #exchange(url: URL, question: Question): Promise<HostAnswer> {
    const { timeoutMs, signal } = this.#options;
    signal?.throwIfAborted();
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const ends = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
      return await this.#send(url, question, ends);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof HostError) throw error;
      if (deadline.aborted) {
        throw new HostError('Timeout', `${this.#host} gave no complete answer in ${timeoutMs} ms`);
      }
      throw this.#transportError(error);
    }
  }

  async #send(url: URL, { method, body }: Question, signal: AbortSignal): Promise<HostAnswer> {
    this.#agent ??= agentFor(this.#options);
    const agent = await this.#agent;
    const answer = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      signal,
      headers: {
        'user-agent': 'fleetscan',
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...this.#options.headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, headers: answer.headers, body: await this.#read(answer.body) };
  }

  // Leaving the loop early destroys the body, and with it the connection: nothing of an endless answer is read on.
  async #read(body: AsyncIterable<Buffer>): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > MAX_BYTES) {
        throw new HostError(
          'InvalidAnswer',
          `${this.#host} sent more than the ${MAX_BYTES} bytes that it may`,
        );
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  #parse<T>(schema: z.ZodType<T>, { body }: HostAnswer, { what }: Question): T {
    const parsed = schema.safeParse(parseJson(body.toString('utf8')));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? '' : ` (at ${issue.path.join('.')})`;
    throw new HostError(
      'InvalidAnswer',
      `${this.#host} does not answer as its API must when asked ${what}${where}: check the provider and the API's URL`,
    );
  }

  #elsewhere(target: URL | null, { what }: Question): HostError {
    const where = target === null ? 'to what is no URL' : `to ${target.origin}${oneLine(target.pathname)}`;
    const message = `${this.#host} redirects ${where} when asked ${what}, which is not followed: correct the URL of the repository, or of the API`;
    return new HostError('InvalidAnswer', this.#withoutSecrets(message));
  }

  #transportError(error: unknown): HostError {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (TLS_FAILURE.test(code)) {
      return new HostError(
        'TLS',
        `no trusted connection to ${this.#host} (${code}): its certificate must be valid for this host and come from a trusted CA`,
      );
    }
    if (error instanceof errors.HTTPParserError) {
      return new HostError(
        'InvalidAnswer',
        `${this.#host} does not answer in HTTP (${code}): is the scheme right?`,
      );
    }
    const detail =
      error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
    return new HostError(
      'Unreachable',
      this.#withoutSecrets(`cannot reach ${this.#host}: ${oneLine(detail, 300)}`),
    );
  }

  /** A host, or a proxy, may repeat in its text what it was sent. */
  #withoutSecrets(text: string): string {
    return this.#options.secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  }
}

const TLS_FAILURE =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
