import { type Amd64, asFleetWrites } from '../core/compatibility.ts';
import { CodedError } from '../core/errors.ts';
import type { Marker } from '../core/marker.ts';
import type { Lookup, Scan } from '../core/scan.ts';
import type { Value } from '../core/value.ts';
import { BoundedMap } from '../registry/bounded-map.ts';

/** Looks up the scan that a marker names. */
export type Find = (marker: Marker) => Lookup;

/**
 * Tells the digest of the linux/amd64 image that the digest of a value leads to.
 *
 * @returns undefined when it is an index that has none
 * @throws {CodedError} when that cannot be told now
 */
export type AskAmd64 = (scan: Scan, value: Value, signal: AbortSignal) => Promise<string | undefined>;

/** What came of work with the values that Fleet writes. */
export interface WithFleetValues<T> {
  readonly result: T;
  /** Why digests could not be asked for; the markers that wanted them had no value. */
  readonly failures: readonly string[];
}

/** Answers that are kept; each takes some 300 bytes. */
const MAX_KNOWN = 20_000;
/** How many are asked for at once: what a registry bears is its client's to know, but each may read a Secret as well. */
const AT_ONCE = 8;
/** A piece of work waits this long for all its digests together: a slow registry is not to hold up other repositories. */
const BUDGET_MS = 30_000;

/**
 * Values as Fleet writes them. The digests that this takes are asked for only where a marker wants one, and once: a digest names the
 * same for ever. A failure is not kept.
 */
export class FleetValues {
  readonly #ask: AskAmd64;
  readonly #budgetMs: number;
  readonly #known = new BoundedMap<string, Amd64>(MAX_KNOWN);

  /** @param budgetMs after which everything that one piece of work still asks for fails, in milliseconds */
  constructor(ask: AskAmd64, budgetMs = BUDGET_MS) {
    this.#ask = ask;
    this.#budgetMs = budgetMs;
  }

  /**
   * Does work with markers that are told what Fleet writes. What has to be asked for shows by doing it, so it is done again once
   * that is known; its last result counts.
   *
   * @throws what the work throws, and the signal's reason
   */
  async during<T>(
    find: Find,
    work: (find: Find) => T | Promise<T>,
    signal: AbortSignal,
  ): Promise<WithFleetValues<T>> {
    const answers = new Map<string, Amd64>();
    let inTime: AbortSignal | undefined;
    for (;;) {
      const open = new Map<string, readonly [Scan, Value]>();
      const amd64Of = (scan: Scan, value: Value): Amd64 => {
        const key = keyOf(value);
        const known = answers.get(key) ?? this.#known.get(key);
        if (known === undefined) open.set(key, [scan, value]);
        return known ?? NOT_ASKED;
      };
      const result = await work((marker) => asFleetWrites(find(marker), amd64Of));
      if (open.size === 0) return { result, failures: whyUnknown(answers.values()) };
      inTime ??= AbortSignal.timeout(this.#budgetMs);
      await this.#askAll(open, answers, signal, inTime);
    }
  }

  /** By a few at once, that take the next when they are done. */
  async #askAll(
    open: ReadonlyMap<string, readonly [Scan, Value]>,
    answers: Map<string, Amd64>,
    signal: AbortSignal,
    inTime: AbortSignal,
  ): Promise<void> {
    const waiting = open.entries();
    const askInTurn = async (): Promise<void> => {
      for (const [key, [scan, value]] of waiting) {
        const answer = await this.#answer(scan, value, signal, inTime);
        answers.set(key, answer);
        if (answer.kind !== 'unknown') this.#known.set(key, answer);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, askInTurn));
  }

  async #answer(scan: Scan, value: Value, signal: AbortSignal, inTime: AbortSignal): Promise<Amd64> {
    const either = AbortSignal.any([signal, inTime]);
    try {
      either.throwIfAborted();
      const digest = await this.#ask(scan, value, either);
      return digest === undefined ? { kind: 'none' } : { kind: 'image', digest };
    } catch (error) {
      signal.throwIfAborted();
      if (inTime.aborted) return unknown('Timeout', `no answer within ${this.#budgetMs} ms`);
      if (!(error instanceof CodedError)) throw error;
      return unknown(error.code, error.message);
    }
  }
}

/** What markers are told while the work goes on only to find out what to ask for. */
const NOT_ASKED: Amd64 = { kind: 'unknown', why: 'the registry is being asked' };

/** The same name and digest lead to the same image, whichever scan has them in force. */
function keyOf({ canonicalName, digest }: Value): string {
  return `${canonicalName}@${digest}`;
}

function unknown(code: string, message: string): Amd64 {
  return { kind: 'unknown', why: `${code}: ${message}` };
}

function whyUnknown(answers: Iterable<Amd64>): string[] {
  return [...answers].flatMap((answer) => (answer.kind === 'unknown' ? [answer.why] : []));
}
