import { ApiError } from './errors.ts';

/** Aborts its signal when nobody touches it for a while. */
export class IdleTimer {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(ms: number) {
    const error = new ApiError(
      'Unreachable',
      `the watch was silent for ${ms} ms, and not even a bookmark came`,
    );
    this.#timer = setTimeout(() => this.#controller.abort(error), ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
