import { setTimeout as delay } from 'node:timers/promises';

/** Ends a wait early. A ring while nobody waits ends the next wait at once, so none is missed. */
export class Bell {
  #rung = new AbortController();

  ring(): void {
    this.#rung.abort();
  }

  /** Returns when the bell was rung since the last wait, after `ms` milliseconds, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const end = AbortSignal.any([signal, this.#rung.signal]);
    await delay(ms, undefined, { signal: end }).catch(() => undefined);
    this.#rung = new AbortController();
  }
}
