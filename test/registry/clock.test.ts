import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orAborted, systemClock } from '../../registry/clock.ts';

test('sleep ends with the reason of its signal, at once', async () => {
  const abort = new AbortController();
  const sleep = systemClock.sleep(3_600_000, abort.signal);
  const reason = new Error('enough');
  abort.abort(reason);
  await assert.rejects(sleep, reason);
  await assert.rejects(systemClock.sleep(3_600_000, abort.signal), reason);
});

test('sleep ends by itself', async () => {
  await systemClock.sleep(1, undefined);
  await systemClock.sleep(1, new AbortController().signal);
});

test('who waits may give up, and the work goes on for the others', async () => {
  const work = Promise.withResolvers<string>();
  const abort = new AbortController();
  const first = orAborted(work.promise, abort.signal);
  const second = orAborted(work.promise, new AbortController().signal);
  const third = orAborted(work.promise, undefined);
  abort.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  work.resolve('done');
  assert.deepEqual(await Promise.all([second, third]), ['done', 'done']);
});

test('what is aborted already is not waited for', async () => {
  await assert.rejects(orAborted(Promise.resolve('done'), AbortSignal.abort(new Error('enough'))), /enough/);
});
