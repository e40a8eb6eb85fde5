import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfter } from '../../registry/retry.ts';
import { registryError, respondWith } from '../fakes/registry.ts';
import { ALICE, failure, ManualClock, startBench } from './harness.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const RETRY_AFTER: [name: string, headers: Record<string, string>, body: string, want: number | undefined][] =
  [
    ['seconds', { 'retry-after': '7' }, '', 7_000],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }, '', 60_000],
    ['a date that has passed', { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, '', 0],
    ['the words of GHCR', {}, '{"errors":[{"message":"retry-after: 1.5s, allowed: 44000/minute"}]}', 1_500],
    ['the words of GHCR in milliseconds', {}, 'retry-after: 1.16ms, allowed: 44000/minute', 1.16],
    ['nonsense', { 'retry-after': 'soon' }, '', undefined],
    ['words that are no duration', {}, 'retry-after: 1.1.1s', undefined],
    ['nothing', {}, '', undefined],
  ];
for (const [name, headers, body, want] of RETRY_AFTER) {
  test(`reads the pause that a registry asks for: ${name}`, () => {
    assert.equal(retryAfter({ headers, body: Buffer.from(body) }, NOW), want);
  });
}

for (const status of [408, 429, 500, 502, 503, 504]) {
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

test('a pause that the registry asks for is kept', async () => {
  await using bench = await startBench();
  bench.registry.push('acme/app', '1.0');
  bench.registry.fail({ times: 1, respond: respondWith(429, { 'retry-after': '3' }) });
  assert.deepEqual(await bench.list(), ['1.0']);
  assert.deepEqual(bench.clock.pauses, [3_150]);
});

const LONG: [name: string, headers: Record<string, string>, body: string][] = [
  ['seconds', { 'retry-after': '600' }, ''],
  ['a date', { 'retry-after': new Date(Date.UTC(2026, 0, 1, 0, 10)).toUTCString() }, ''],
  ['the words of GHCR', {}, 'retry-after: 10m, allowed: 44000/minute'],
];
for (const [name, headers, body] of LONG) {
  test(`a long pause is not sat out but told to the caller: ${name}`, async () => {
    await using bench = await startBench();
    bench.registry.fail({ respond: respondWith(429, headers, body) });
    const error = await failure(bench.list(), 'RateLimited', /status 429/);
    assert.equal(error.retryAfterMs, 600_000);
    assert.equal(bench.registry.requests.length, 1);
  });
}

test('a 429 without any word, as Docker Hub sends it, ends in RateLimited after three requests', async () => {
  await using bench = await startBench();
  bench.registry.fail({ respond: registryError(429, 'TOOMANYREQUESTS') });
  const error = await failure(bench.list(), 'RateLimited');
  assert.equal(error.retryAfterMs, undefined);
  assert.equal(bench.registry.requests.length, 3);
});

test('a token server that limits is RateLimited too, not Unauthorized', async () => {
  await using bench = await startBench({ auth: 'Bearer', users: { [ALICE.username]: ALICE.password } });
  bench.registry.fail({ path: /token/, respond: respondWith(429, { 'retry-after': '60' }) });
  const error = await failure(bench.list({ credentials: [ALICE] }), 'RateLimited');
  assert.equal(error.retryAfterMs, 60_000);
});

test('a 503 tells its pause too', async () => {
  await using bench = await startBench();
  bench.registry.fail({ respond: respondWith(503, { 'retry-after': '120' }) });
  assert.equal((await failure(bench.resolve(), 'Server')).retryAfterMs, 120_000);
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
