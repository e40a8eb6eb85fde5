import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCache } from '../../registry/cache.ts';
import { digestOf } from '../../registry/digest.ts';
import type { Access, Answer, RegistryRequest } from '../../registry/request.ts';
import { Shelf } from '../../registry/shelf.ts';
import { ALICE, ManualClock, MALLORY } from './harness.ts';

const DIGEST = digestOf(Buffer.from('x'));

function setUp(respond: (request: RegistryRequest) => Promise<Answer> | Answer, maxBytes = 1_000_000) {
  const clock = new ManualClock();
  const sent: RegistryRequest[] = [];
  const send = withCache(
    async (request) => {
      sent.push(request);
      return respond(request);
    },
    clock,
    maxBytes,
  );
  const get = (path = 'tags/list', access: Partial<Access> = {}, method: RegistryRequest['method'] = 'GET') =>
    send({
      method,
      url: new URL(`https://reg.example/v2/app/${path}`),
      headers: { accept: '*/*' },
      maxBytes: 1000,
      repository: {
        registry: 'reg.example',
        origin: new URL('https://reg.example/'),
        name: 'app',
        trustedHosts: [],
      },
      access: { credentials: [], ...access },
    });
  return { clock, sent, get };
}

function answer(body: string, headers: Record<string, string> = {}, status = 200): Answer {
  return { status, headers, body: Buffer.from(body), url: new URL('https://reg.example/') };
}

describe('answers', () => {
  it('are asked for anew unless somebody is content with an older one', async () => {
    let count = 0;
    const { clock, get } = setUp(() => answer(String(count++)));
    const first = await get();
    clock.time += 1000;
    assert.equal(await get('tags/list', { maxAgeMs: 1000 }), first, 'the very same');
    assert.notEqual(await get('tags/list', { maxAgeMs: 999 }), first);
    assert.notEqual(await get(), first);
    assert.equal(count, 3);
  });

  it('are shared by those that ask at the same moment', async () => {
    const wire = Promise.withResolvers<Answer>();
    const { sent, get } = setUp(() => wire.promise);
    const both = [get(), get()];
    wire.resolve(answer('x'));
    const [a, b] = await Promise.all(both);
    assert.equal(a, b);
    assert.equal(sent.length, 1);
  });

  it('are not shared by who asks later, when what is under way may not know yet', async () => {
    const wires: PromiseWithResolvers<Answer>[] = [];
    const { clock, get } = setUp(() => {
      const wire = Promise.withResolvers<Answer>();
      wires.push(wire);
      return wire.promise;
    });
    const first = get();
    clock.time += 10;
    const second = get();
    const third = get('tags/list', { maxAgeMs: 10 });
    assert.equal(wires.length, 2);
    wires[0]?.resolve(answer('old'));
    wires[1]?.resolve(answer('new'));
    assert.deepEqual(
      (await Promise.all([first, second, third])).map(({ body }) => body.toString()),
      ['old', 'new', 'new'],
    );
  });

  it('are not shared across credentials, certificates, methods and URLs', async () => {
    const { sent, get } = setUp(() => answer('x'));
    const old = { maxAgeMs: 1000 };
    await get('tags/list', old);
    await get('tags/list', { ...old, credentials: [ALICE] });
    await get('tags/list', { ...old, credentials: [MALLORY] });
    await get('tags/list', { ...old, credentials: [ALICE], ca: 'PEM' });
    await get('tags/list', old, 'HEAD');
    await get('tags/list?last=a', old);
    assert.equal(sent.length, 6);
  });

  it('to what is asked for by digest are kept for ever', async () => {
    const { clock, sent, get } = setUp(() => answer('x'));
    for (const path of [`manifests/${DIGEST}`, `blobs/${DIGEST}`]) {
      await get(path);
      clock.time += 1e9;
      await get(path);
    }
    assert.equal(sent.length, 2);
    await get('manifests/1.0');
    await get('manifests/1.0');
    assert.equal(sent.length, 4);
  });

  it('to what is asked for by digest are shared also by who asks later', async () => {
    const wire = Promise.withResolvers<Answer>();
    const { clock, sent, get } = setUp(() => wire.promise);
    const first = get(`blobs/${DIGEST}`);
    clock.time += 10;
    const second = get(`blobs/${DIGEST}`);
    wire.resolve(answer('x'));
    assert.equal(await first, await second);
    assert.equal(sent.length, 1);
  });

  it('by digest that are something else are not kept', async () => {
    const bodies = ['another', 'x'];
    const { sent, get } = setUp(() => answer(bodies.shift() ?? ''));
    assert.equal((await get(`manifests/${DIGEST}`)).body.toString(), 'another');
    assert.equal((await get(`manifests/${DIGEST}`)).body.toString(), 'x');
    assert.equal((await get(`manifests/${DIGEST}`)).body.toString(), 'x');
    assert.equal(sent.length, 2);
  });

  it('that are failures are not kept', async () => {
    const { sent, get } = setUp(() => answer('', {}, 404));
    await get(`manifests/${DIGEST}`, { maxAgeMs: 1000 });
    await get(`manifests/${DIGEST}`, { maxAgeMs: 1000 });
    assert.equal(sent.length, 2);
  });

  it('with an ETag are asked for on condition, and are the same when they are', async () => {
    let etag = '"1"';
    const { clock, sent, get } = setUp(({ headers }) =>
      headers['if-none-match'] === etag ? answer('', {}, 304) : answer(etag, { etag }),
    );
    const first = await get();
    clock.time += 10;
    assert.equal(await get(), first);
    assert.equal(sent[1]?.headers['if-none-match'], '"1"');
    assert.equal(await get('tags/list', { maxAgeMs: 5 }), first, 'a 304 makes it new again');
    assert.equal(sent.length, 2);
    etag = '"2"';
    assert.equal((await get()).body.toString(), '"2"');
  });

  it('go on for the others when one leaves, and end when all have', async () => {
    const wire = Promise.withResolvers<Answer>();
    const { sent, get } = setUp(() => wire.promise);
    const [one, other] = [new AbortController(), new AbortController()];
    const both = [get('x', { signal: one.signal }), get('x', { signal: other.signal })];
    await Promise.resolve();
    one.abort(new Error('one left'));
    await assert.rejects(both[0] ?? assert.fail(), /one left/);
    assert.equal(sent[0]?.access.signal?.aborted, false);
    other.abort(new Error('the other left'));
    await assert.rejects(both[1] ?? assert.fail(), /the other left/);
    assert.equal(sent[0]?.access.signal?.aborted, true);
    wire.reject(new Error('aborted'));
  });

  it('that all have left are of no use to who comes next', async () => {
    const wires: PromiseWithResolvers<Answer>[] = [];
    const { get } = setUp(() => {
      const wire = Promise.withResolvers<Answer>();
      wires.push(wire);
      return wire.promise;
    });
    const abort = new AbortController();
    const left = get('tags/list', { signal: abort.signal });
    abort.abort(new Error('enough'));
    await assert.rejects(left, /enough/);
    const next = get('tags/list', { maxAgeMs: 1000 });
    wires[0]?.reject(new Error('aborted'));
    wires[1]?.resolve(answer('new'));
    assert.equal((await next).body.toString(), 'new');
    assert.equal(wires.length, 2);
  });

  it('of requests that change something are never shared', async () => {
    const { sent, get } = setUp(() => answer('x'));
    await Promise.all([get('x', {}, 'POST'), get('x', {}, 'POST')]);
    assert.equal(sent.length, 2);
  });
});

describe('a shelf', () => {
  it('holds no more than its size, and loses first what was not asked for the longest', () => {
    const shelf = new Shelf<string>(10);
    shelf.put('a', 'A', 4);
    shelf.put('b', 'B', 4);
    assert.equal(shelf.get('a'), 'A');
    shelf.put('c', 'C', 4);
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => shelf.get(key)),
      ['A', undefined, 'C'],
    );
    shelf.put('a', 'A2', 8);
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => shelf.get(key)),
      ['A2', undefined, undefined],
    );
    shelf.put('d', 'too large', 11);
    assert.equal(shelf.get('d'), undefined);
    assert.equal(shelf.get('a'), 'A2');
  });
});
