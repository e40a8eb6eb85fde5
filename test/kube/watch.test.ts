import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { z } from 'zod';
import { Backoff } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ApiError } from '../../kube/errors.ts';
import { PODS } from '../../kube/resource.ts';
import { listAndWatch, type WatchEvent, type WatchOptions } from '../../kube/watch.ts';
import { FakeApiServer, type Recorded, sendStatus, status } from '../fakes/apiserver.ts';
import { waitFor } from '../wait.ts';

const PATH = '/api/v1/pods';
let server: FakeApiServer;
let client: KubeClient;
let stop: AbortController;
let seen: string[];
let errors: ApiError[];
let running: Promise<void>;

beforeEach(async () => {
  server = await new FakeApiServer().start();
  client = server.client();
  stop = new AbortController();
  seen = [];
  errors = [];
  running = Promise.resolve();
});
afterEach(async () => {
  stop.abort();
  await running;
  await client.close();
  await server.stop();
});

const named = z.object({ metadata: z.object({ name: z.string() }) });
const nameOf = (object: unknown): string => named.parse(object).metadata.name;
const isWatch = ({ isWatch }: Recorded): boolean => isWatch;
const isList = ({ isWatch }: Recorded): boolean => !isWatch;

/** Follows the pods, and notes each event in a word. */
function follow(options: Partial<WatchOptions<string>> = {}): void {
  running = (async () => {
    const watch = listAndWatch<string>(
      client,
      { resource: PODS },
      {
        project: nameOf,
        signal: stop.signal,
        backoff: new Backoff(1, 5),
        onError: (error) => errors.push(error),
        ...options,
      },
    );
    for await (const event of watch) seen.push(word(event));
  })();
}

function word(event: WatchEvent<string>): string {
  switch (event.type) {
    case 'replaced':
      return `all:${event.items.join(',')}`;
    case 'put':
      return `+${event.item}`;
    case 'deleted':
      return `-${event.name}`;
    case 'alive':
    case 'absent':
      return event.type;
  }
}

function put(name: string): void {
  server.put(PATH, { metadata: { name, namespace: 'a' } });
}

async function until(last: string): Promise<void> {
  await waitFor(`${last} in ${seen.join(' ')}`, () => (seen.at(-1) === last ? true : undefined));
}

async function untilWatching(count = 1): Promise<void> {
  await waitFor(`${count} open watches`, () => (server.openWatches === count ? true : undefined));
}

const watchRequests = (): Recorded[] => server.requests.filter(isWatch);

describe('listAndWatch', () => {
  it('lists in pages, then tells each change', async () => {
    for (const name of ['x', 'y', 'z']) put(name);
    follow({ pageSize: 2, labelSelector: 'app=x' });
    await until('all:x,y,z');
    await untilWatching();
    put('w');
    await until('+w');
    server.remove(PATH, 'a', 'x');
    await until('-x');
    server.sendBookmark();
    await until('alive');
    const lists = server.requests.filter(isList);
    assert.deepEqual(
      lists.map(({ query }) => query.get('limit')),
      ['2', '2'],
    );
    assert.ok(server.requests.every(({ query }) => query.get('labelSelector') === 'app=x'));
    const [{ query }] = watchRequests() as [Recorded];
    assert.equal(query.get('allowWatchBookmarks'), 'true');
    const seconds = Number(query.get('timeoutSeconds'));
    assert.ok(seconds >= 300 && seconds <= 600, `${seconds}`);
  });

  it('keeps nothing of what the projection refuses, and tells it as deleted when it changes', async () => {
    put('x');
    put('secret');
    follow({ project: (object) => (nameOf(object) === 'secret' ? undefined : nameOf(object)) });
    await until('all:x');
    await untilWatching();
    put('secret');
    await until('-secret');
  });

  it('goes on from the last version when the server ends a watch or its connection is cut', async () => {
    follow();
    await until('all:');
    await untilWatching();
    put('x');
    await until('+x');
    server.endWatches();
    await waitFor('another watch', () => (watchRequests().length === 2 ? true : undefined));
    await untilWatching();
    server.resetWatches();
    put('y');
    await until('+y');
    assert.equal(server.requests.filter(isList).length, 1);
    assert.deepEqual(seen, ['all:', '+x', '+y']);
  });

  it('goes on from a bookmark', async () => {
    follow();
    await untilWatching();
    server.sendBookmark();
    await until('alive');
    server.resetWatches();
    await waitFor('another watch', () => watchRequests()[1]);
    assert.ok(
      Number(watchRequests()[1]?.query.get('resourceVersion')) >
        Number(watchRequests()[0]?.query.get('resourceVersion')),
    );
  });

  for (const way of ['status', 'event'] as const) {
    it(`lists anew when its version was forgotten, told by the ${way} of a watch`, async () => {
      server.expireBy = way;
      put('x');
      follow();
      await until('all:x');
      await untilWatching();
      server.compact();
      put('y');
      await until('+y');
      server.compact();
      server.resetWatches();
      await until('all:x,y');
      assert.ok(errors.some(({ code }) => code === 'Expired'));
      await waitFor('a new watch', () => (server.openWatches > 0 ? true : undefined));
      put('z');
      await until('+z');
    });
  }

  it('lists anew when its version is ahead of the server, as after a restored backup', async () => {
    follow();
    await until('all:');
    await untilWatching();
    const ahead = status(504, 'Timeout', 'Too large resource version', {
      causes: [{ reason: 'ResourceVersionTooLarge' }],
    });
    server.sendToWatches(`${JSON.stringify({ type: 'ERROR', object: ahead })}\n`);
    await waitFor('a second list', () => (seen.length === 2 ? true : undefined));
    assert.deepEqual(seen, ['all:', 'all:']);
  });

  it('begins the list anew when a page of it was forgotten', async () => {
    for (const name of ['x', 'y', 'z']) put(name);
    server.plan(
      ({ query }) => query.has('continue'),
      (_, response) => sendStatus(response, 410, 'Expired', 'continue'),
    );
    follow({ pageSize: 2 });
    await until('all:x,y,z');
  });

  it('outlives refusals, broken answers and nonsense', async () => {
    server.plan(isList, (_, response) => sendStatus(response, 403, 'Forbidden', 'no role yet'));
    server.plan(isList, (_, response) => response.end('{"items":'));
    server.plan(isList, (_, response) => response.end('{"kind":"Wrong"}'));
    server.plan(isWatch, (_, response) => sendStatus(response, 500, 'InternalError', 'etcd'));
    server.plan(isWatch, (_, response) => response.end('{"type":"ADDED","object":{}}\n'));
    server.plan(isWatch, (_, response) =>
      response.end('{"type":"NEW","object":{"metadata":{"resourceVersion":"1"}}}\n'),
    );
    server.plan(isWatch, (_, response) => response.end('not json\n'));
    server.plan(isWatch, (_, response) => response.end('{"type":"ERROR","object":{}}\n'));
    follow();
    await until('all:');
    await untilWatching();
    put('x');
    await until('+x');
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['Forbidden', ...Array.from({ length: 7 }, () => 'Server')],
    );
    assert.equal(errors[0]?.message, 'no role yet');
  });

  it('tells of a kind that is absent, finds it when it comes, and loses it when it goes', async () => {
    const refuse = (matches: (request: Recorded) => boolean): void =>
      server.plan(matches, (_, response) => sendStatus(response, 404, 'NotFound', 'no such resource'));
    refuse(isList);
    refuse(isList);
    follow({ lookAgainMs: 1 });
    await until('all:');
    assert.deepEqual(seen, ['absent', 'absent', 'all:']);
    await untilWatching();
    refuse(isWatch);
    refuse(isList);
    server.endWatches();
    await waitFor('it to come again', () => (seen.length === 6 ? true : undefined));
    assert.deepEqual(seen.slice(3), ['absent', 'absent', 'all:']);
    assert.ok(errors.every(({ code }) => code !== 'NotFound'));
  });

  it('takes a kind that it may not read for absent, but not once it could', async () => {
    const forbid = (matches: (request: Recorded) => boolean): void =>
      server.plan(matches, (_, response) => sendStatus(response, 403, 'Forbidden', 'no role'));
    forbid(isList);
    follow({ lookAgainMs: 1 });
    await until('all:');
    await untilWatching();
    forbid(isWatch);
    server.endWatches();
    await waitFor('the second refusal', () => errors[1]);
    await untilWatching();
    put('x');
    await until('+x');
    assert.deepEqual(seen, ['absent', 'all:', '+x']);
  });

  it('pauses when the server ends each watch as soon as it begins', async () => {
    for (let times = 0; times < 3; times++) server.plan(isWatch, (_, response) => response.end());
    follow();
    await untilWatching();
    assert.equal(errors.length, 3);
  });

  it('gives up a watch on which nothing comes, not even a bookmark', async () => {
    follow({ idleMs: 50 });
    await waitFor('a second watch', () => watchRequests()[1]);
    assert.match(errors[0]?.message ?? '', /silent for 50 ms/);
    assert.equal(server.requests.filter(isList).length, 1);
  });

  it('reads a slow stream, cut anywhere', async () => {
    follow();
    await until('all:');
    await untilWatching();
    const event = JSON.stringify({
      type: 'ADDED',
      object: { metadata: { name: 'ü', namespace: 'a', resourceVersion: '900' } },
    });
    for (const piece of event.match(/.{1,9}/gsu) ?? []) server.sendToWatches(piece);
    server.sendToWatches('\n');
    await until('+ü');
  });

  it('ends quietly, and closes its connection, when the signal aborts', async () => {
    follow();
    await untilWatching();
    stop.abort();
    await running;
    await untilWatching(0);
  });

  it('ends quietly while it waits to try again', async () => {
    server.plan(isList, (_, response) => sendStatus(response, 500, 'InternalError', 'boom'));
    follow({ backoff: new Backoff(60_000, 60_000) });
    await waitFor('the failure', () => errors[0]);
    stop.abort();
    await running;
  });

  it('closes its connection when the consumer leaves or throws, and passes on what it throws', async () => {
    put('x');
    const consume = async (): Promise<void> => {
      for await (const { type } of listAndWatch(
        client,
        { resource: PODS },
        { project: nameOf, signal: stop.signal },
      )) {
        if (type === 'put') throw new Error('consumer');
        if (type === 'replaced')
          void waitFor('the watch', () => (server.openWatches === 1 ? true : undefined)).then(() => put('y'));
      }
    };
    await assert.rejects(consume(), /^Error: consumer$/);
    await untilWatching(0);
  });

  it('passes on what the projection throws', async () => {
    put('x');
    const broken = async (): Promise<void> => {
      const project = (): never => {
        throw new TypeError('bug');
      };
      for await (const _ of listAndWatch(client, { resource: PODS }, { project, signal: stop.signal }));
    };
    await assert.rejects(broken(), /bug/);
  });
});

describe('Backoff', () => {
  it('grows to its end with jitter, and begins anew after progress', () => {
    const backoff = new Backoff(100, 1000);
    const between = (low: number, high: number): void => {
      const pause = backoff.next();
      assert.ok(pause >= low && pause <= high, `${pause} is not between ${low} and ${high}`);
    };
    between(50, 100);
    between(100, 200);
    for (let times = 0; times < 5; times++) backoff.next();
    between(500, 1000);
    backoff.reset();
    between(50, 100);
  });
});
