/** So many repositories that fail one after the other, with no answer between, and their host counts as down. */
const REPOSITORIES = 5;
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;
/** While the single request is under way. */
const SHORTEST_WAIT_MS = 1000;

/**
 * A circuit breaker: a host that fails for all that is asked of it is left alone for a while, and then tried by a single request, on which
 * depends whether the others may go on. Any answer at all, also a refusal, shows that the host is alive; and a few repositories that
 * fail say nothing of it.
 */
export class Breaker {
  readonly #failing = new Set<string>();
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
    this.#failing.clear();
    this.#pauseMs = 0;
    this.#isProbing = false;
  }

  fail(repository: string, now: number): void {
    this.#isProbing = false;
    if (this.#failing.size === 0) this.#since = now;
    if (this.#failing.size < REPOSITORIES) this.#failing.add(repository);
    if (this.#failing.size < REPOSITORIES || now < this.#openUntil) return;
    this.#pauseMs = Math.min(this.#pauseMs === 0 ? FIRST_PAUSE_MS : this.#pauseMs * 2, LONGEST_PAUSE_MS);
    this.#openUntil = now + this.#pauseMs;
  }

  /** A request ended in a way that says nothing of the host: who asked it has left. */
  release(): void {
    this.#isProbing = false;
  }
}
