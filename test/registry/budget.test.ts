import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withBudget } from '../../registry/budget.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { Answer, RegistryRequest } from '../../registry/request.ts';
import { DEFAULT_SETTINGS, type HostSettings } from '../../registry/settings.ts';
import { hang, registryError, respondWith } from '../fakes/registry.ts';
import { ANONYMOUS, failure, ManualClock, settingsOf, startBench } from './harness.ts';

/** A budget over a wire that answers when it is told to. */
function setUp(settings: Partial<HostSettings> = {}) {
  const clock = new ManualClock();
  const wires: PromiseWithResolvers<Answer>[] = [];
  const send = withBudget(
    (request) => {
      const wire = Promise.withResolvers<Answer>();
      wires.push(wire);
      sent.push(request.url.href);
      return wire.promise;
    },
    settingsOf(settings),
    clock,
  );
  const sent: string[] = [];
  // Each for a repository of its own.
  const ask = (url = 'https://reg.example/v2/', signal?: AbortSignal, name = `app-${sent.length}`) =>
    send(requestTo(url, name, signal));
  return { clock, wires, sent, ask };
}

function requestTo(href: string, name: string, signal?: AbortSignal): RegistryRequest {
  const url = new URL(href);
  const repository = { registry: url.host, origin: new URL(url.origin), name, trustedHosts: [] };
  return { method: 'GET', url, headers: {}, maxBytes: 1, repository, access: { credentials: [], signal } };
}

function answer(status = 200, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: Buffer.alloc(0), url: new URL('https://reg.example/v2/') };
}

/** Lets everything happen that can. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

async function refusalOf(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(
    () => assert.fail('answered'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof RegistryError, String(error));
  return error;
}

describe('the budget of a host', () => {
  it('has so many requests under way at a time, first come, first served', async () => {
    const { wires, sent, ask } = setUp({ concurrency: 2 });
    const paths = ['a', 'b', 'c', 'd'].map((name) => `https://reg.example/${name}`);
    const asked = paths.map((path) => ask(path));
    await settle();
    assert.deepEqual(sent, paths.slice(0, 2));
    wires[1]?.resolve(answer());
    await settle();
    assert.deepEqual(sent, paths.slice(0, 3));
    for (let index = 0; index < 4; index++) {
      wires[index]?.resolve(answer());
      await settle();
    }
    assert.deepEqual(sent, paths);
    await Promise.all(asked);
  });

  it('is shared by nothing but the host with its port', async () => {
    const { sent, ask } = setUp({ concurrency: 1 });
    for (const host of ['a.example', 'b.example', 'a.example:8443']) void ask(`https://${host}/`);
    void ask('https://a.example/second');
    await settle();
    assert.equal(sent.length, 3);
  });

  it('lets a request that waits leave when its caller does', async () => {
    const { wires, sent, ask } = setUp({ concurrency: 1 });
    const first = ask();
    const abort = new AbortController();
    const second = ask('https://reg.example/second', abort.signal);
    const third = ask('https://reg.example/third');
    await settle();
    abort.abort(new Error('enough'));
    await assert.rejects(second, /enough/);
    wires[0]?.resolve(answer());
    await first;
    await settle();
    assert.deepEqual(sent, ['https://reg.example/v2/', 'https://reg.example/third']);
    wires[1]?.resolve(answer());
    await third;
  });

  it('gives so many turns a second, after a few at once', async () => {
    const { clock, wires, ask } = setUp({ concurrency: 5, requestsPerSecond: 10 });
    const start = clock.now();
    for (let count = 0; count < 40; count++) {
      const asked = ask();
      await settle();
      wires[count]?.resolve(answer());
      await asked;
    }
    // Ten are there to begin with, and thirty more take three seconds.
    assert.ok(Math.abs(clock.now() - start - 3000) <= 120, `${clock.now() - start} ms`);
  });

  it('goes by the settings for the name that images are written with', async () => {
    const asked: string[] = [];
    const settings = {
      for: (host: string) => {
        asked.push(host);
        return DEFAULT_SETTINGS;
      },
    };
    const send = withBudget(async () => answer(), settings, new ManualClock());
    const request = requestTo('https://registry-1.docker.io/v2/', 'app');
    await send({ ...request, repository: { ...request.repository, registry: 'index.docker.io' } });
    const elsewhere = { ...request, url: new URL('https://auth.docker.io/token') };
    await send({ ...elsewhere, repository: { ...request.repository, registry: 'index.docker.io' } });
    assert.deepEqual([...new Set(asked)], ['index.docker.io', 'auth.docker.io']);
  });

  it('gives a place back after a failure', async () => {
    const { wires, ask } = setUp({ concurrency: 1 });
    const first = ask();
    await settle();
    wires[0]?.reject(new TypeError('a mistake of ours'));
    await assert.rejects(first, TypeError);
    const second = ask();
    await settle();
    wires[1]?.resolve(answer());
    await second;
  });
});

describe('a pause that a host wants', () => {
  it('is sat out by all, drawn out a little at random, when it is short', async () => {
    await using bench = await startBench();
    bench.registry.push('acme/app', '1.0');
    bench.registry.fail({ times: 1, respond: respondWith(429, { 'retry-after': '3' }) });
    assert.deepEqual(await bench.list(), ['1.0']);
    assert.ok(
      bench.clock.pauses.some((pause) => pause > 2900 && pause <= 3600),
      String(bench.clock.pauses),
    );
    assert.equal(bench.registry.requests.length, 2);
  });

  for (const [what, headers, body] of [
    ['seconds', { 'retry-after': '600' }, ''],
    ['a date', { 'retry-after': new Date(Date.UTC(2026, 0, 1, 0, 10)).toUTCString() }, ''],
    ['the words of GHCR', {}, 'retry-after: 10m, allowed: 44000/minute'],
  ] as const) {
    it(`is told to the caller, and not sat out, when it is long: ${what}`, async () => {
      await using bench = await startBench();
      bench.registry.fail({ times: 1, respond: respondWith(429, { ...headers }, body) });
      bench.registry.push('acme/app', '1.0');
      const error = await failure(bench.list(), 'RateLimited', /before 2026-01-01T00:10:00Z/);
      assert.ok(Math.abs((error.retryAfterMs ?? 0) - 600_000) < 1000, String(error.retryAfterMs));
      await failure(bench.list(), 'RateLimited');
      await failure(bench.resolve(), 'RateLimited');
      assert.equal(bench.registry.requests.length, 1, 'the others are not even sent');
      bench.clock.time += 601_000;
      assert.deepEqual(await bench.list(), ['1.0']);
    });
  }

  it('is of our own making when a 429 says nothing, and ends in RateLimited after three requests', async () => {
    await using bench = await startBench();
    bench.registry.fail({ respond: registryError(429, 'TOOMANYREQUESTS') });
    await failure(bench.list(), 'RateLimited', /status 429/);
    assert.equal(bench.registry.requests.length, 3);
    const sat = bench.clock.pauses.reduce((sum, pause) => sum + pause, 0);
    assert.ok(sat >= 3000 && sat < 5000, `${sat} ms`);
  });

  it('is told at once to all that wait, and costs them no turn of the second', async () => {
    const { clock, wires, ask } = setUp({ concurrency: 2, requestsPerSecond: 1 });
    clock.sleep = () => Promise.withResolvers<void>().promise;
    const asked = Array.from({ length: 100 }, () => ask());
    const refused = asked.slice(2).map(refusalOf);
    await settle();
    for (const wire of wires) wire.resolve(answer(429, { 'retry-after': '600' }));
    for (const { code } of await Promise.all(refused)) assert.equal(code, 'RateLimited');
    assert.equal(wires.length, 2);
  });

  it('ends for each of those who sit it out at another moment', async () => {
    const { clock, wires, ask } = setUp();
    const first = ask();
    await settle();
    wires[0]?.resolve(answer(429, { 'retry-after': '5' }));
    await first;
    const end = Promise.withResolvers<void>();
    clock.sleep = async (ms) => {
      clock.pauses.push(ms);
      await end.promise;
      clock.time = Math.max(clock.time, Date.UTC(2026, 0, 1) + ms);
    };
    const chances = [0, 0.25, 0.5];
    clock.random = () => chances.shift() ?? 0;
    const asked = [ask(), ask(), ask()];
    await settle();
    assert.deepEqual(clock.pauses, [5000, 5250, 5500]);
    assert.equal(wires.length, 1);
    end.resolve();
    await settle();
    for (const wire of wires.slice(1)) wire.resolve(answer());
    await Promise.all(asked);
  });

  it('of a 503 goes along with its error', async () => {
    await using bench = await startBench();
    bench.registry.fail({ respond: respondWith(503, { 'retry-after': '120' }) });
    const error = await failure(bench.resolve(), 'RateLimited');
    assert.ok((error.retryAfterMs ?? 0) > 100_000);
  });
});

describe('a host that is down', () => {
  const down = (): RegistryError => new RegistryError('Unreachable', 'ECONNREFUSED');
  const bringDown = async (
    wires: readonly PromiseWithResolvers<Answer>[],
    ask: () => Promise<Answer>,
  ): Promise<void> => {
    for (let count = 0; count < 5; count++) {
      const asked = ask();
      await settle();
      wires[count]?.reject(down());
      await refusalOf(asked);
    }
  };

  it('is left alone when five repositories have failed, and tried by one request after a pause that grows', async () => {
    const { clock, wires, ask } = setUp();
    for (let count = 0; count < 5; count++) {
      const asked = ask();
      await settle();
      wires[count]?.reject(down());
      assert.equal((await refusalOf(asked)).message, 'ECONNREFUSED');
    }
    const refused = await refusalOf(ask());
    assert.equal(refused.code, 'Unreachable');
    assert.equal(
      refused.message,
      'reg.example fails since 2026-01-01T00:00:00Z, and is not asked again before 2026-01-01T00:00:05Z; the last was: ECONNREFUSED',
    );
    assert.equal(refused.retryAfterMs, 5000);
    clock.time += 5000;
    const probe = ask();
    await settle();
    assert.match((await refusalOf(ask())).message, /not asked again/, 'while the one is under way');
    wires[5]?.reject(down());
    await refusalOf(probe);
    assert.equal((await refusalOf(ask())).retryAfterMs, 10_000);
    clock.time += 10_000;
    const second = ask();
    await settle();
    wires[6]?.resolve(answer(404));
    assert.equal((await second).status, 404);
    const free = [ask(), ask(), ask()];
    await settle();
    for (const wire of wires.slice(7)) wire.resolve(answer());
    await Promise.all(free);
  });

  it('is not a host of which one repository fails, however often', async () => {
    const { wires, ask } = setUp();
    for (let count = 0; count < 20; count++) {
      const asked = ask(undefined, undefined, 'broken');
      await settle();
      wires[count]?.reject(down());
      assert.equal((await refusalOf(asked)).message, 'ECONNREFUSED');
    }
  });

  it('for hours is asked about once a minute at most, and is back with its first answer', async () => {
    const { clock, wires, ask } = setUp();
    const end = clock.time + 3 * 3_600_000;
    while (clock.time < end) {
      const asked = ask();
      await settle();
      wires.at(-1)?.reject(down());
      await refusalOf(asked);
      clock.time += 1000;
    }
    assert.ok(wires.length < 200, `${wires.length} requests in three hours`);
    clock.time += 60_000;
    const back = ask();
    await settle();
    wires.at(-1)?.resolve(answer());
    await back;
    const next = ask();
    await settle();
    wires.at(-1)?.resolve(answer());
    await next;
  });

  it('is tried by one request also when many come at the same moment', async () => {
    const { clock, wires, ask } = setUp();
    await bringDown(wires, ask);
    clock.time += 5000;
    const asked = Array.from({ length: 8 }, () => ask());
    const refused = asked.slice(1).map(refusalOf);
    await settle();
    assert.equal(wires.length, 6);
    for (const { code } of await Promise.all(refused)) assert.equal(code, 'Unreachable');
    wires[5]?.resolve(answer());
    await asked[0];
  });

  it('is not a host that answers something, be it a refusal', async () => {
    const { wires, ask } = setUp();
    for (let count = 0; count < 20; count++) {
      const asked = ask();
      await settle();
      if (count % 5 === 4) wires[count]?.resolve(answer(401));
      else wires[count]?.reject(down());
      await asked.catch(() => {});
    }
    assert.equal(wires.length, 20);
  });

  it('is not told from callers who leave', async () => {
    const { wires, ask } = setUp();
    for (let count = 0; count < 10; count++) {
      const abort = new AbortController();
      const asked = ask(undefined, abort.signal);
      await settle();
      abort.abort(new Error('enough'));
      wires[count]?.reject(new Error('enough'));
      await assert.rejects(asked, /enough/);
    }
    assert.equal(wires.length, 10);
  });

  it('counts 5xx too, of which the one that tries gives hope', async () => {
    const { clock, wires, ask } = setUp();
    for (let count = 0; count < 5; count++) {
      const asked = ask();
      await settle();
      wires[count]?.resolve(answer(500));
      await asked;
    }
    assert.match((await refusalOf(ask())).message, /; the last was: status 500$/);
    clock.time += 5000;
    const probe = ask();
    await settle();
    wires[5]?.resolve(answer());
    await probe;
    assert.equal(wires.length, 6);
  });

  it('is found out by ten requests that hang within twice the timeout, and then the others come through', async () => {
    await using bench = await startBench({}, { timeoutMs: 200 });
    bench.registry.push('acme/app', '1.0');
    bench.registry.fail({ path: /hang/, respond: hang });
    const asked = Array.from({ length: 10 }, (_, index) =>
      bench.client.listTags(bench.image('1.0', `hang/${index}`), ANONYMOUS),
    );
    const other = bench.list();
    const codes = await Promise.all([...asked, other].map(async (call) => (await refusalOf(call)).code));
    assert.deepEqual(codes, [...Array(8).fill('Timeout'), 'Unreachable', 'Unreachable', 'Unreachable']);
    assert.equal(bench.registry.requests.length, 8, 'two rounds of four');
    bench.clock.time += 5000;
    assert.deepEqual(await bench.list(), ['1.0']);
  });
});
