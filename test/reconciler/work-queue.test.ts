import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { WorkQueue } from '../../reconciler/work-queue.ts';

/** A queue whose work takes as long as a test wants, by a clock that stands still unless it is told to go on. */
function setUp(t: TestContext, concurrency = 2, perLane = concurrency) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const running = new Map<string, PromiseWithResolvers<void>>();
  const log: string[] = [];
  const queue = new WorkQueue({
    concurrency,
    // The lane of `a/1` is `a`.
    laneOf: (key) => ({ name: key.split('/')[0] ?? '', width: perLane }),
    work: (key) => {
      log.push(`+${key}`);
      const end = Promise.withResolvers<void>();
      assert.ok(!running.has(key), `${key} is worked on twice at once`);
      running.set(key, end);
      return end.promise.finally(() => log.push(`-${key}`));
    },
    onError: (key, error) => log.push(`!${key} ${String(error)}`),
  });
  const abort = new AbortController();
  const run = queue.run(abort.signal);
  t.after(async () => {
    abort.abort();
    for (const { resolve } of running.values()) resolve();
    await run;
  });
  const finish = async (key: string, error?: Error): Promise<void> => {
    const end = running.get(key);
    assert.ok(end, `${key} is not worked on`);
    running.delete(key);
    if (error === undefined) end.resolve();
    else end.reject(error);
    await turn();
  };
  const pass = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms);
    await turn();
  };
  return { queue, log, finish, pass, abort, run };
}

describe('WorkQueue', () => {
  it('works on a key when it is due, and not before', async (t) => {
    const { queue, log, pass } = setUp(t);
    queue.schedule('a', Date.now() + 500);
    await pass(499);
    assert.deepEqual(log, []);
    await pass(1);
    assert.deepEqual(log, ['+a']);
  });

  it('works at once on what was due in the past', async (t) => {
    const { queue, log, pass } = setUp(t);
    queue.schedule('a', Date.now() - 60_000);
    await pass(1);
    assert.deepEqual(log, ['+a']);
  });

  it('keeps the last time that a key was given, be it sooner or later', async (t) => {
    const { queue, log, pass } = setUp(t);
    queue.schedule('a', Date.now() + 100);
    queue.schedule('a', Date.now() + 900);
    queue.schedule('b', Date.now() + 900);
    queue.schedule('b', Date.now() + 100);
    await pass(100);
    assert.deepEqual(log, ['+b']);
    await pass(800);
    assert.deepEqual(log, ['+b', '+a']);
  });

  it('waits for what is due in a month, which no timer can', async (t) => {
    const { queue, log, pass } = setUp(t);
    const month = 30 * 86_400_000;
    queue.schedule('a', Date.now() + month);
    await pass(2_000_000_000);
    assert.deepEqual(log, []);
    await pass(month - 2_000_000_000);
    assert.deepEqual(log, ['+a']);
  });

  it('runs a key once more, and only once, when it is asked for while it runs', async (t) => {
    const { queue, log, finish, pass } = setUp(t);
    queue.schedule('a', Date.now());
    await pass(1);
    for (let i = 0; i < 3; i++) {
      queue.schedule('a', Date.now());
      await pass(1);
    }
    assert.deepEqual(log, ['+a']);
    assert.equal(queue.waiting, 1);
    await finish('a');
    assert.deepEqual(log, ['+a', '-a', '+a']);
    await finish('a');
    assert.deepEqual(log, ['+a', '-a', '+a', '-a']);
    assert.equal(queue.waiting, 0);
  });

  it('does with the work that begins all that is due by then', async (t) => {
    const { queue, log, finish, pass } = setUp(t);
    queue.schedule('a', Date.now());
    await pass(1);
    queue.schedule('a', Date.now());
    await pass(1);
    queue.schedule('a', Date.now());
    await finish('a');
    await pass(10);
    queue.schedule('a', Date.now() + 50);
    await finish('a');
    assert.deepEqual(log, ['+a', '-a', '+a', '-a']);
    await pass(50);
    assert.deepEqual(log.slice(4), ['+a'], 'what is due later is not lost');
  });

  it('works on no more keys at once than it may, in the order in which they became due', async (t) => {
    const { queue, log, finish, pass } = setUp(t, 2);
    for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) queue.schedule(key, Date.now() + index);
    await pass(10);
    assert.deepEqual(log, ['+a', '+b']);
    assert.equal(queue.waiting, 2);
    await finish('b');
    assert.deepEqual(log.slice(2), ['-b', '+c']);
    await finish('a');
    await finish('c');
    assert.deepEqual(log.slice(4), ['-a', '+d', '-c']);
  });

  it('does not let a key that waits for its own end hold up the others', async (t) => {
    const { queue, log, pass } = setUp(t, 2);
    queue.schedule('a', Date.now());
    await pass(1);
    queue.schedule('a', Date.now());
    queue.schedule('b', Date.now());
    await pass(1);
    assert.deepEqual(log, ['+a', '+b']);
  });

  it('keeps workers free for the others when one lane is slow', async (t) => {
    const { queue, log, finish, pass } = setUp(t, 3, 2);
    for (const key of ['slow/1', 'slow/2', 'slow/3', 'quick/1', 'quick/2']) queue.schedule(key, Date.now());
    await pass(1);
    assert.deepEqual(log, ['+slow/1', '+slow/2', '+quick/1']);
    await finish('quick/1');
    await finish('quick/2');
    assert.deepEqual(log.slice(3), ['-quick/1', '+quick/2', '-quick/2']);
    await finish('slow/1');
    assert.deepEqual(log.slice(6), ['-slow/1', '+slow/3']);
  });

  it('goes on with the others after a failure, and tells of it', async (t) => {
    const { queue, log, finish, pass } = setUp(t, 1);
    queue.schedule('a', Date.now());
    queue.schedule('b', Date.now());
    await pass(1);
    await finish('a', new Error('broken'));
    assert.deepEqual(log, ['+a', '-a', '!a Error: broken', '+b']);
  });

  it('forgets a key that waits for its time or for a worker', async (t) => {
    const { queue, log, finish, pass } = setUp(t, 1);
    queue.schedule('a', Date.now());
    queue.schedule('b', Date.now());
    queue.schedule('c', Date.now() + 100);
    await pass(1);
    queue.forget('b');
    queue.forget('c');
    await finish('a');
    await pass(1000);
    assert.deepEqual(log, ['+a', '-a']);
  });

  it('does not begin before it runs', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const begun: string[] = [];
    const queue = new WorkQueue({
      concurrency: 1,
      laneOf: () => ({ name: '', width: 1 }),
      work: async (key) => void begun.push(key),
      onError: () => {},
    });
    queue.schedule('a', 0);
    t.mock.timers.tick(1);
    assert.deepEqual(begun, []);
    const abort = new AbortController();
    const run = queue.run(abort.signal);
    await turn();
    assert.deepEqual(begun, ['a']);
    abort.abort();
    await run;
  });

  it('ends, once its signal aborts, with the work under way and with nothing more', async (t) => {
    const { queue, log, finish, pass, abort, run } = setUp(t, 1);
    queue.schedule('a', Date.now());
    queue.schedule('b', Date.now());
    queue.schedule('c', Date.now() + 50);
    await pass(1);
    let ended = false;
    const end = run.then(() => (ended = true));
    abort.abort();
    await pass(100);
    assert.equal(ended, false, 'the work of a is not done yet');
    await finish('a');
    await end;
    await pass(1000);
    assert.deepEqual(log, ['+a', '-a']);
  });

  it('takes on nothing once its signal has aborted, so that no timer keeps the program alive', async (t) => {
    const { queue, log, pass, abort, run } = setUp(t);
    abort.abort();
    await run;
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    t.mock.timers.reset();
    queue.schedule('a', Date.now() + 600_000);
    const after = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    queue.forget('a');
    assert.equal(after, before);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await pass(700_000);
    assert.deepEqual(log, []);
  });

  it('tells the work by a signal that it is to end', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    const failures: unknown[] = [];
    const queue = new WorkQueue({
      concurrency: 1,
      laneOf: () => ({ name: '', width: 1 }),
      work: (_key, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
      onError: (_key, error) => failures.push(error),
    });
    const abort = new AbortController();
    const run = queue.run(abort.signal);
    queue.schedule('a', 0);
    t.mock.timers.tick(1);
    await turn();
    abort.abort();
    await run;
    assert.deepEqual(failures, [], 'work that ends because it was told to has not failed');
  });
});
