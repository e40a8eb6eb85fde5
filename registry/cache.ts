import { createHash } from 'node:crypto';
import { type Clock, orAborted } from './clock.ts';
import { isNamedBy } from './digest.ts';
import { type Answer, headerOf, type RegistryRequest, type Send } from './request.ts';
import { Shelf } from './shelf.ts';

/** An answer is kept with its headers, its URL and its key, which take about this much. */
const OVERHEAD_BYTES = 4096;

/** A request under way, that may be for several. */
interface Flight {
  readonly startedAt: number;
  readonly answer: Promise<Answer>;
  readonly abort: AbortController;
  passengers: number;
}

interface Kept {
  readonly answer: Answer;
  /** When the registry last said so, in milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Shares answers among all that ask the same with the same credentials: what one was told so recently that another is content with it
 * (`access.maxAgeMs`), what is under way at the moment, and for ever what is asked for by digest. What has an ETag is asked for on the
 * condition that it has changed. Answers are shared as they are: they must not be changed.
 *
 * @param maxBytes what is kept takes about this much at most; what was not asked for the longest goes first
 */
export function withCache(send: Send, clock: Clock, maxBytes: number): Send {
  const cache = new Cache(send, clock, maxBytes);
  return (request) => (request.method === 'POST' ? send(request) : cache.get(request));
}

class Cache {
  readonly #send: Send;
  readonly #clock: Clock;
  readonly #kept: Shelf<Kept>;
  readonly #flights = new Map<string, Flight>();

  constructor(send: Send, clock: Clock, maxBytes: number) {
    this.#send = send;
    this.#clock = clock;
    this.#kept = new Shelf(maxBytes);
  }

  async get(request: RegistryRequest): Promise<Answer> {
    const { signal, maxAgeMs = 0 } = request.access;
    signal?.throwIfAborted();
    const key = keyOf(request);
    const oldest = this.#clock.now() - maxAgeMs;
    const kept = this.#kept.get(key);
    const isForEver = digestIn(request) !== undefined;
    if (kept !== undefined && (isForEver || (maxAgeMs > 0 && kept.at >= oldest))) return kept.answer;
    const flight = this.#flights.get(key);
    const isFresh = flight !== undefined && (isForEver || flight.startedAt >= oldest);
    return this.#board(key, isFresh ? flight : this.#start(key, request, kept), signal);
  }

  /** Waits with the others. The request ends early only when all have left, and then nobody may come along any more. */
  async #board(key: string, flight: Flight, signal: AbortSignal | undefined): Promise<Answer> {
    flight.passengers += 1;
    try {
      return await orAborted(flight.answer, signal);
    } finally {
      flight.passengers -= 1;
      if (flight.passengers === 0) {
        this.#end(key, flight);
        flight.abort.abort();
      }
    }
  }

  #end(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  #start(key: string, request: RegistryRequest, kept: Kept | undefined): Flight {
    const startedAt = this.#clock.now();
    const abort = new AbortController();
    const answer = this.#ask(key, request, kept, abort.signal).finally(() => this.#end(key, flight));
    // Who leaves early does not hear of its end.
    answer.catch(() => {});
    const flight: Flight = { startedAt, answer, abort, passengers: 0 };
    this.#flights.set(key, flight);
    return flight;
  }

  async #ask(
    key: string,
    request: RegistryRequest,
    kept: Kept | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const at = this.#clock.now();
    const etag = kept && headerOf(kept.answer, 'etag');
    const headers = { ...request.headers, ...(etag !== undefined && { 'if-none-match': etag }) };
    const answer = await this.#send({ ...request, headers, access: { ...request.access, signal } });
    const isUnchanged = answer.status === 304 && kept !== undefined;
    const current = isUnchanged ? kept.answer : answer;
    if (mayBeKept(request, current)) this.#kept.put(key, { answer: current, at }, sizeOf(current));
    return current;
  }
}

// Hashed, so that no password is part of a key.
function keyOf({ method, url, headers, access }: RegistryRequest): string {
  const parts = [method, url.href, headers['accept'], access.credentials, access.ca];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

/** The digest of what is asked for, where the request has one. */
function digestIn({ method, url }: RegistryRequest): string | undefined {
  if (method !== 'GET') return undefined;
  return /\/(?:manifests|blobs)\/(sha(?:256|512):[0-9a-f]+)$/.exec(url.pathname)?.[1];
}

// What is kept for ever has to be right: a proxy's page to log in, answered once, would else stand until a restart.
function mayBeKept(request: RegistryRequest, { status, body }: Answer): boolean {
  const digest = digestIn(request);
  return status === 200 && (digest === undefined || isNamedBy(digest, body));
}

function sizeOf({ body }: Answer): number {
  return body.length + OVERHEAD_BYTES;
}
