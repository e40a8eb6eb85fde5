/** Somebody who writes over and over, until told to stop. */
export interface Storm {
  /** Settles when the last write is over. @returns how many there were */
  stop(): Promise<number>;
}

/** Writes at once and again as soon as a write is over; `write` is told the number of each, from 1. */
export function startStorm(write: (count: number) => Promise<void>): Storm {
  const over = new AbortController();
  const writing = (async () => {
    let count = 0;
    while (!over.signal.aborted) await write(++count);
    return count;
  })();
  return {
    stop: () => {
      over.abort();
      return writing;
    },
  };
}
