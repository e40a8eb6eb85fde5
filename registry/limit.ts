import type { Send } from './request.ts';

/**
 * Lets at most `perHost` requests be under way at each host at a time; the others wait their turn. All that share the
 * returned function share the limit.
 */
export function withLimit(send: Send, perHost: number): Send {
  const lanes = new Map<string, Lane>();
  return async (request) => {
    const { host } = request.url;
    const lane = lanes.get(host) ?? new Lane(perHost);
    lanes.set(host, lane);
    try {
      await lane.enter(request.access.signal);
      try {
        return await send(request);
      } finally {
        lane.leave();
      }
    } finally {
      if (lane.isEmpty) lanes.delete(host);
    }
  };
}

class Lane {
  readonly #width: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(width: number) {
    this.#width = width;
  }

  get isEmpty(): boolean {
    return this.#running === 0 && this.#waiting.size === 0;
  }

  async enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#running < this.#width) {
      this.#running += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      if (this.#waiting.delete(resolve)) reject(signal?.reason);
    };
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', onAbort, { once: true });
    await promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  /** Hands the place on to the one that waits the longest, so that nobody new can slip in between. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
