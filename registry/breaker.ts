/** So many failures in a row, with no answer between, and a host counts as down. */
const FAILURES = 5;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;
/** While the single request is under way. */
const SHORTEST_WAIT_MS = 1000;

/**
 * A circuit breaker: a host that fails again and again is left alone for a while, and then tried by a single request, on which
 * depends whether the others may go on. Any answer at all, also a refusal, shows that the host is alive.
 */
export class Breaker {
  #failures = 0;
  #pauseMs = 0;
  #since = 0;
  #openUntil = 0;
  #isProbing = false;

  /** Why no request may be sent now (milliseconds since the epoch); undefined when one may. */
  closedTo(now: number): { readonly waitMs: number; readonly since: number } | undefined {
    if (this.#pauseMs === 0 || (now >= this.#openUntil && !this.#isProbing)) return undefined;
    return { waitMs: Math.max(this.#openUntil - now, SHORTEST_WAIT_MS), since: this.#since };
  }

  /** A request is sent: after a pause it is the one that all others wait for. */
  begin(): void {
    this.#isProbing = this.#pauseMs > 0;
  }

  succeed(): void {
    this.#failures = 0;
    this.#pauseMs = 0;
    this.#isProbing = false;
  }

  fail(now: number): void {
    this.#isProbing = false;
    this.#failures += 1;
    if (this.#failures === 1) this.#since = now;
    if (this.#failures < FAILURES || now < this.#openUntil) return;
    this.#pauseMs = Math.min(this.#pauseMs === 0 ? FIRST_PAUSE_MS : this.#pauseMs * 2, LONGEST_PAUSE_MS);
    this.#openUntil = now + this.#pauseMs;
  }

  /** A request ended in a way that says nothing of the host: who asked it has left. */
  release(): void {
    this.#isProbing = false;
  }
}
