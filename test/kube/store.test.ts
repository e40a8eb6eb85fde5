import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { PODS } from '../../kube/resource.ts';
import { type Change, createStore, type Named, Store } from '../../kube/store.ts';
import type { WatchEvent } from '../../kube/watch.ts';
import { FakeApiServer } from '../fakes/apiserver.ts';
import { waitFor } from '../wait.ts';

interface Item extends Named {
  readonly value?: number;
}

const item = (name: string, value = 1): Item => ({ namespace: 'a', name, value });
const words = ({ type, item }: Change<Item>): string => `${type} ${item.name}${item.value}`;

/** A store that has been told these events, and what its listener heard. */
async function told(...events: WatchEvent<Item>[]): Promise<{ store: Store<Item>; heard: Change<Item>[] }> {
  const store = new Store<Item>(async function* () {
    yield* events;
  });
  const heard: Change<Item>[] = [];
  store.onChange((change) => heard.push(change));
  await store.run(new AbortController().signal);
  return { store, heard };
}

describe('Store', () => {
  it('is not synced before its first list', async () => {
    const { store } = await told({ type: 'alive' });
    assert.equal(store.isSynced, false);
    assert.ok(store.lastContact > 0);
  });

  it('holds what it was told, by namespace/name', async () => {
    const { store, heard } = await told(
      { type: 'replaced', items: [item('x'), item('y')] },
      { type: 'put', item: item('x', 2) },
      { type: 'deleted', namespace: 'a', name: 'y' },
      { type: 'deleted', namespace: 'a', name: 'never-seen' },
    );
    await store.synced;
    assert.equal(store.isSynced, true);
    assert.deepEqual([...store.values()], [item('x', 2)]);
    assert.deepEqual(store.get('a/x'), item('x', 2));
    assert.equal(store.get('b/x'), undefined);
    assert.deepEqual(heard.map(words), ['put x1', 'put y1', 'put x2', 'deleted y1']);
    assert.deepEqual(heard[2], { type: 'put', item: item('x', 2), previous: item('x', 1) });
  });

  it('tells a new list as what differs: the missing as deleted, the rest as put', async () => {
    const { store, heard } = await told(
      { type: 'replaced', items: [item('x'), item('y')] },
      { type: 'replaced', items: [item('y', 2), item('z')] },
    );
    assert.equal(store.size, 2);
    assert.deepEqual(heard.slice(2).map(words), ['deleted x1', 'put y2', 'put z1']);
  });

  it('is empty, but synced, while its kind is absent', async () => {
    const { store, heard } = await told({ type: 'replaced', items: [item('x')] }, { type: 'absent' });
    assert.deepEqual([store.isSynced, store.isServed, store.size], [true, false, 0]);
    assert.deepEqual(heard.map(words), ['put x1', 'deleted x1']);
  });

  it('tells when its kind comes and goes, once each', async () => {
    const store = new Store<Item>(async function* (): AsyncGenerator<WatchEvent<Item>> {
      yield { type: 'absent' };
      yield { type: 'replaced', items: [] };
      yield { type: 'alive' };
      yield { type: 'absent' };
      yield { type: 'absent' };
    });
    const heard: boolean[] = [];
    store.onServed((isServed) => heard.push(isServed));
    await store.run(new AbortController().signal);
    assert.deepEqual(heard, [true, false]);
  });

  it('ends with what a listener throws', async () => {
    const store = new Store<Item>(async function* () {
      yield { type: 'put', item: item('x') };
    });
    store.onChange(() => {
      throw new Error('listener');
    });
    await assert.rejects(store.run(new AbortController().signal), /listener/);
  });

  it('follows a server until its signal aborts', async () => {
    const server = await new FakeApiServer().start();
    const client = server.client();
    server.put('/api/v1/pods', { metadata: { name: 'x', namespace: 'a' } });
    const project = (object: unknown): Item => {
      const { metadata } = z
        .object({ metadata: z.object({ namespace: z.string(), name: z.string() }) })
        .parse(object);
      return metadata;
    };
    const store = createStore<Item>(client, { resource: PODS }, { project });
    const stop = new AbortController();
    const running = store.run(stop.signal);
    await store.synced;
    assert.ok(store.get('a/x'));
    await waitFor('the watch', () => (server.openWatches === 1 ? true : undefined));
    server.put('/api/v1/pods', { metadata: { name: 'y', namespace: 'a' } });
    await waitFor('y', () => store.get('a/y'));
    stop.abort();
    await running;
    await client.close();
    await server.stop();
  });
});
