import { BoundedMap } from '../registry/bounded-map.ts';
import type { Clock } from '../registry/clock.ts';

interface Asked<T> {
  readonly at: number;
  readonly answer: Promise<T>;
}

/** Answers that were had a short while ago, or are waited for, for whoever is content with one of that age. A failure is not kept. */
export class Recent<T> {
  readonly #asked: BoundedMap<string, Asked<T>>;
  readonly #clock: Clock;

  constructor(limit: number, clock: Clock) {
    this.#asked = new BoundedMap(limit);
    this.#clock = clock;
  }

  /** @param maxAgeMs 0: asks anew */
  async get(key: string, maxAgeMs: number, ask: () => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    const known = this.#asked.get(key);
    if (known !== undefined && maxAgeMs > 0 && now - known.at <= maxAgeMs) return known.answer;
    const asked: Asked<T> = { at: now, answer: ask() };
    this.#asked.set(key, asked);
    asked.answer.catch(() => {
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
    });
    return asked.answer;
  }
}
