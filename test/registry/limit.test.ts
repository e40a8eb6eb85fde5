import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryOf } from '../../registry/endpoint.ts';
import { withLimit } from '../../registry/limit.ts';
import type { Answer, RegistryRequest } from '../../registry/request.ts';

function requestTo(host: string, signal?: AbortSignal): RegistryRequest {
  const repository = repositoryOf({ registry: host, repository: 'app' }, []);
  const url = new URL(`https://${host}/v2/`);
  return { method: 'GET', url, headers: {}, maxBytes: 1, repository, access: { credentials: [], signal } };
}

/** Sends that end when the test says so, in the order they began. */
class Wire {
  readonly begun: string[] = [];
  readonly #open: PromiseWithResolvers<Answer>[] = [];

  send = (request: RegistryRequest): Promise<Answer> => {
    const exchange = Promise.withResolvers<Answer>();
    this.begun.push(request.url.host);
    this.#open.push(exchange);
    return exchange.promise;
  };

  answer(): void {
    this.#open
      .shift()
      ?.resolve({ status: 200, headers: {}, body: Buffer.of(), url: new URL('https://a.io/') });
  }

  fail(): void {
    this.#open.shift()?.reject(new Error('lost'));
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('no more than the limit are under way at one host, and others do not wait for it', async () => {
  const wire = new Wire();
  const send = withLimit(wire.send, 2);
  const all = ['a.io', 'a.io', 'a.io', 'b.io', 'a.io'].map((host) => send(requestTo(host)));
  await settled();
  assert.deepEqual(wire.begun, ['a.io', 'a.io', 'b.io']);
  wire.answer();
  await settled();
  assert.deepEqual(wire.begun, ['a.io', 'a.io', 'b.io', 'a.io']);
  for (let more = 0; more < 4; more++) {
    wire.answer();
    await settled();
  }
  assert.equal((await Promise.all(all)).length, 5);
});

test('the limit holds for requests that come when others have ended', async () => {
  const wire = new Wire();
  const send = withLimit(wire.send, 2);
  const all = [send(requestTo('a.io')), send(requestTo('a.io'))];
  await settled();
  wire.answer();
  await all[0];
  all.push(send(requestTo('a.io')), send(requestTo('a.io')));
  await settled();
  assert.equal(wire.begun.length, 3);
  for (let more = 0; more < 3; more++) {
    wire.answer();
    await settled();
  }
  await Promise.all(all);
});

test('a request that fails gives its place on', async () => {
  const wire = new Wire();
  const send = withLimit(wire.send, 1);
  const first = assert.rejects(send(requestTo('a.io')), /lost/);
  const second = send(requestTo('a.io'));
  await settled();
  wire.fail();
  await first;
  await settled();
  wire.answer();
  assert.equal((await second).status, 200);
});

test('who aborts while waiting leaves the queue, and takes no place', async () => {
  const wire = new Wire();
  const send = withLimit(wire.send, 1);
  const abort = new AbortController();
  const first = send(requestTo('a.io'));
  const second = send(requestTo('a.io', abort.signal));
  const third = send(requestTo('a.io'));
  await settled();
  abort.abort(new Error('enough'));
  await assert.rejects(second, /enough/);
  wire.answer();
  await first;
  await settled();
  wire.answer();
  await third;
  assert.equal(wire.begun.length, 2);
});

test('the last to leave leaves nothing behind: the host can be asked again', async () => {
  const wire = new Wire();
  const send = withLimit(wire.send, 1);
  for (let time = 0; time < 3; time++) {
    const answer = send(requestTo('a.io'));
    await settled();
    wire.answer();
    assert.equal((await answer).status, 200);
  }
});
