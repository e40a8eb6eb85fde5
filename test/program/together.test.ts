import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { together } from '../../program/together.ts';

const untilAborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};

describe('together', () => {
  it('ends when all have ended', async () => {
    const ended: string[] = [];
    await together(
      new AbortController().signal,
      async () => void ended.push('a'),
      async () => void ended.push('b'),
    );
    assert.deepEqual(ended, ['a', 'b']);
  });

  it('passes an abort on to all, which is no error', async () => {
    const stop = new AbortController();
    const running = together(stop.signal, untilAborted, untilAborted);
    stop.abort();
    await running;
  });

  it('starts tasks that see an abort of before', async () => {
    const seen: boolean[] = [];
    await together(AbortSignal.abort(), async (signal) => void seen.push(signal.aborted));
    assert.deepEqual(seen, [true]);
  });

  it('aborts the others when one fails, waits for them, and throws its error', async () => {
    const failure = new Error('broken');
    const others: unknown[] = [];
    const running = together(
      new AbortController().signal,
      async (signal) => {
        await untilAborted(signal);
        others.push(signal.reason);
      },
      () => Promise.reject(failure),
    );
    await assert.rejects(running, failure);
    assert.deepEqual(others, [failure]);
  });

  it('throws the first of several errors', async () => {
    const first = new Error('first');
    const running = together(
      new AbortController().signal,
      async (signal) => {
        await untilAborted(signal);
        throw new Error('second');
      },
      () => Promise.reject(first),
    );
    await assert.rejects(running, first);
  });

  it('takes a task that fails before it is a promise', async () => {
    const running = together(new AbortController().signal, untilAborted, () => {
      throw new Error('at once');
    });
    await assert.rejects(running, /at once/);
  });

  it('lets the others go on when one ends well', async () => {
    const stop = new AbortController();
    let aborted: boolean | undefined;
    const running = together(
      stop.signal,
      () => Promise.resolve(),
      async (signal) => {
        await new Promise((resolve) => setImmediate(resolve));
        aborted = signal.aborted;
        await untilAborted(signal);
      },
    );
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await running;
    assert.equal(aborted, false);
  });
});
