import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hang, registryError, respondWith } from '../fakes/registry.ts';
import { ALICE, failure, ManualClock, startBench } from './harness.ts';

for (const status of [408, 500, 502, 503, 504]) {
  test(`${status} is tried again, with a pause that grows`, async () => {
    await using bench = await startBench();
    bench.registry.push('acme/app', '1.0');
    bench.registry.fail({ times: 2, respond: registryError(status, 'UNAVAILABLE') });
    assert.deepEqual(await bench.list(), ['1.0']);
    assert.deepEqual(bench.clock.pauses, [150, 300]);
  });
}

for (const status of [400, 418]) {
  test(`${status} is InvalidAnswer and not tried again`, async () => {
    await using bench = await startBench();
    bench.registry.fail({ respond: registryError(status, 'UNSUPPORTED') });
    await failure(bench.list(), 'InvalidAnswer', new RegExp(`status ${status}`));
    assert.deepEqual(bench.clock.pauses, []);
  });
}

test('what took until its timeout is Timeout, and not tried again', async () => {
  await using bench = await startBench({}, { timeoutMs: 100 });
  bench.registry.fail({ respond: hang });
  await failure(bench.list(), 'Timeout', /no complete answer in 100 ms/);
  assert.equal(bench.registry.requests.length, 1);
});

test('a token server that limits is RateLimited too, not Unauthorized', async () => {
  await using bench = await startBench({ auth: 'Bearer', users: { [ALICE.username]: ALICE.password } });
  bench.registry.fail({ path: /token/, respond: respondWith(429, { 'retry-after': '60' }) });
  const error = await failure(bench.list({ credentials: [ALICE] }), 'RateLimited');
  assert.ok((error.retryAfterMs ?? 0) > 50_000);
});

test('a caller who aborts does not sit out a pause', async () => {
  const abort = new AbortController();
  const clock = new ManualClock();
  clock.sleep = async (_ms, signal) => {
    abort.abort(new Error('enough'));
    signal?.throwIfAborted();
  };
  await using bench = await startBench({}, { clock });
  bench.registry.fail({ respond: registryError(503, 'UNAVAILABLE') });
  await assert.rejects(bench.list({ credentials: [], signal: abort.signal }), /enough/);
  assert.equal(bench.registry.requests.length, 1);
});
