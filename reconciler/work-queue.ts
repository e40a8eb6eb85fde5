import { type LaneOf, Lanes } from './lanes.ts';

/** Does one key's work. What it throws is the queue owner's to report: see {@link WorkQueueOptions.onError}. */
export type Work = (key: string, signal: AbortSignal) => Promise<void>;

/** How a {@link WorkQueue} works. */
export interface WorkQueueOptions {
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  /** What a key's work mostly waits for, such as a host; see {@link Lanes}. */
  readonly laneOf: (key: string) => LaneOf;
  readonly work: Work;
  readonly onError: (key: string, error: unknown) => void;
  readonly now?: () => number;
}

// Longer delays overflow the timer; a key that is due later is simply looked at again then.
const LONGEST_TIMER_MS = 2_000_000_000;

/**
 * Keys with a time at which each is due. A key is worked on by one worker at a time and is queued once at most: asked
 * for again while it is worked on, it runs once more. Holds one timer for each key and nothing else.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #now: () => number;
  readonly #timers = new Map<string, { readonly due: number; readonly timer: NodeJS.Timeout }>();
  readonly #lanes = new Lanes();
  readonly #running = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** How many keys are due and wait for a worker. */
  get waiting(): number {
    return this.#lanes.waiting;
  }

  /** Makes a key due at a time (milliseconds since the epoch), in place of the time it had; nothing once the signal aborted. */
  schedule(key: string, due: number): void {
    if (this.#signal?.aborted === true) return;
    this.#unschedule(key);
    const delay = Math.max(0, due - this.#now());
    const timer = setTimeout(() => this.#ring(key, due), Math.min(delay, LONGEST_TIMER_MS));
    this.#timers.set(key, { due, timer });
  }

  /** When a key is due (milliseconds since the epoch); undefined when it waits for no time. */
  dueOf(key: string): number | undefined {
    return this.#timers.get(key)?.due;
  }

  /** Takes a key out, unless it is being worked on just now. */
  forget(key: string): void {
    this.#unschedule(key);
    this.#lanes.remove(key);
  }

  /** Works until the signal aborts, and returns when the last work has ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#startReady();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (const key of this.#timers.keys()) this.forget(key);
    await Promise.all(this.#running);
  }

  #unschedule(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer);
    this.#timers.delete(key);
  }

  /** What is due by now is done with the work that begins now. */
  #dropDue(key: string): void {
    const due = this.#timers.get(key)?.due;
    if (due !== undefined && due <= this.#now()) this.#unschedule(key);
  }

  #ring(key: string, due: number): void {
    this.#timers.delete(key);
    if (due > this.#now()) return this.schedule(key, due);
    this.#lanes.add(key, this.#options.laneOf(key));
    this.#startReady();
  }

  #startReady(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    while (this.#lanes.atWork < this.#options.concurrency) {
      const key = this.#lanes.begin();
      if (key === undefined) return;
      this.#dropDue(key);
      const running = this.#work(key, signal).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  async #work(key: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.work(key, signal);
    } catch (error) {
      if (!signal.aborted) this.#options.onError(key, error);
    } finally {
      this.#lanes.end(key);
      this.#startReady();
    }
  }
}
