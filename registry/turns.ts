import type { Clock } from './clock.ts';
import type { HostSettings } from './settings.ts';

type Limits = Pick<HostSettings, 'concurrency' | 'requestsPerSecond'>;

/**
 * Gives turns in the order in which they were asked for: so many at a time, and so many a second (a token bucket that holds as many as may
 * be taken at a time, so that a short scan does not wait).
 */
export class Turns {
  readonly #limits: () => Limits;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #running = 0;
  #tokens: number;
  #filledAt: number;
  #isWaitingForToken = false;

  constructor(limits: () => Limits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#tokens = capacity(limits());
    this.#filledAt = clock.now();
  }

  /** Waits for a turn, which has to be given back. Throws the signal's reason as soon as it aborts. */
  async take(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      if (this.#waiting.delete(resolve)) reject(signal?.reason);
    };
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#next();
    await promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  giveBack(): void {
    this.#running -= 1;
    this.#next();
  }

  /** Gives a turn back that nothing was sent in: the next has it at once, and need not wait for another of the second's. */
  giveBackUnused(): void {
    this.#tokens += 1;
    this.giveBack();
  }

  #next(): void {
    this.#fill();
    while (this.#running < this.#limits().concurrency && this.#tokens >= 1) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      this.#waiting.delete(first);
      this.#running += 1;
      this.#tokens -= 1;
      first();
    }
    if (this.#waiting.size > 0 && this.#tokens < 1) this.#waitForToken();
  }

  #waitForToken(): void {
    if (this.#isWaitingForToken) return;
    this.#isWaitingForToken = true;
    const wait = ((1 - this.#tokens) / this.#limits().requestsPerSecond) * 1000;
    const again = (): void => {
      this.#isWaitingForToken = false;
      this.#next();
    };
    void this.#clock.sleep(Math.ceil(wait), undefined).then(again, again);
  }

  #fill(): void {
    const now = this.#clock.now();
    const { requestsPerSecond } = this.#limits();
    // A clock that was set back gives nothing and takes nothing.
    const earned = (Math.max(0, now - this.#filledAt) / 1000) * requestsPerSecond;
    this.#tokens = Math.min(capacity(this.#limits()), this.#tokens + earned);
    this.#filledAt = now;
  }
}

function capacity({ concurrency }: Limits): number {
  return concurrency * 2;
}
