/** Growing, jittered pauses between attempts: 0.5 s doubled each time up to 30 s, and of that a random half to whole. */
export class Backoff {
  readonly #firstMs: number;
  readonly #lastMs: number;
  #failures = 0;

  constructor(firstMs = 500, lastMs = 30_000) {
    this.#firstMs = firstMs;
    this.#lastMs = lastMs;
  }

  /** The milliseconds to wait after one more failure. */
  next(): number {
    const whole = Math.min(this.#firstMs * 2 ** this.#failures, this.#lastMs);
    this.#failures += 1;
    return whole * (0.5 + Math.random() / 2);
  }

  /** Begins anew, after progress. */
  reset(): void {
    this.#failures = 0;
  }
}
