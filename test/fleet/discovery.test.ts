import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KubeClient, type ListQuery } from '../../kube/client.ts';
import { openCredentials } from '../../kube/credentials.ts';
import type { ApiError } from '../../kube/errors.ts';
import { parseFleetImageScan } from '../../kube/kinds/fleet.ts';
import { FLEET_IMAGE_SCANS, type ObjectPath } from '../../kube/resource.ts';
import { createStore, type Named, type Store } from '../../kube/store.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds, removeFleetKind } from './kinds.ts';
import { applyAsFleet, fleetImageScan, overwriteStatusAsFleet } from './objects.ts';

const LOOK_AGAIN_MS = 200;

/** A client that counts its lists and watches. */
class CountingClient extends KubeClient {
  lists = 0;
  watches = 0;

  override list(path: ObjectPath, query?: ListQuery, signal?: AbortSignal): Promise<unknown> {
    this.lists += 1;
    return super.list(path, query, signal);
  }

  override watchLines(
    path: ObjectPath,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    this.watches += 1;
    return super.watchLines(path, query, signal);
  }
}

interface Item extends Named {
  readonly tag: string | undefined;
}

describe('a kind that comes, goes and comes again', () => {
  let cluster: Cluster;
  let client: CountingClient;
  let admin: KubeClient;
  let store: Store<Item>;
  const errors: ApiError[] = [];
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();

  before(async () => {
    cluster = await startCluster();
    const connect = () => openCredentials({ kubeconfig: cluster.kubeconfig });
    client = new CountingClient(await connect());
    admin = new KubeClient(await connect());
    const project = (raw: unknown): Item => {
      const { metadata, status } = parseFleetImageScan(raw);
      return { namespace: metadata.namespace, name: metadata.name, tag: status.latestTag };
    };
    store = createStore(
      client,
      { resource: FLEET_IMAGE_SCANS },
      { project, lookAgainMs: LOOK_AGAIN_MS, onError: (error) => errors.push(error) },
    );
    running = store.run(stop.signal);
  });

  after(async () => {
    stop.abort();
    await running;
    await Promise.all([client?.close(), admin?.close()]);
    await cluster?.stop();
  });

  const scan = (index: number) =>
    fleetImageScan({ namespace: 'default', gitRepo: 'apps', index }, { image: 'nginx' });
  const until = (what: string, isSo: () => boolean): Promise<true> =>
    waitFor(what, () => (isSo() ? true : undefined));

  it('is known to be absent at once', async () => {
    await store.synced;
    assert.equal(store.isServed, false);
  });

  for (const round of [1, 2, 3]) {
    it(`is found with its objects, followed, and lost with them: round ${round}`, async () => {
      await installFleetKinds(admin, ['imagescans']);
      await applyAsFleet(admin, scan(round));
      const key = `default/${scan(round).metadata.name}`;
      await until('the object', () => store.get(key) !== undefined);
      assert.equal(store.isServed, true);
      assert.equal(store.size, 1, 'nothing of an earlier round');
      await overwriteStatusAsFleet(admin, 'ImageScan', scan(round).metadata, { latestTag: `1.${round}` });
      await until('its change', () => store.get(key)?.tag === `1.${round}`);

      await removeFleetKind(admin, 'imagescans');
      await until('it to be lost', () => !store.isServed && store.size === 0);
    });
  }

  it('is asked for no more often than wanted, and tells of no failure but the end of its watches', async () => {
    const before = { lists: client.lists, watches: client.watches, at: performance.now() };
    await until('ten more looks', () => client.lists >= before.lists + 10);
    const elapsed = performance.now() - before.at;
    assert.ok(elapsed >= 9 * LOOK_AGAIN_MS, `ten looks in ${elapsed} ms`);
    assert.equal(client.watches, before.watches);
    // One or two for each round, and a few more where the server ended one while the kind went.
    assert.ok(client.watches <= 12, `${client.watches} watches`);
    assert.ok(errors.length <= 6, errors.map(String).join('; '));
  });
});
