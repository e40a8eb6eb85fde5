import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FORMER_SHARD_ANNOTATION, OWN_SHARD, SHARD_LABEL } from '../../../core/fleet-shard.ts';
import { ShardLabels } from '../../../reconciler/fleet/shard-labels.ts';
import { takeLabelsBack } from '../../../reconciler/fleet/take-labels-back.ts';
import { Metrics } from '../../../reconciler/metrics.ts';
import { createStores } from '../../../reconciler/stores.ts';
import { sumOf } from '../../e2e/product.ts';
import { FakeApiServer, type Recorded, sendStatus } from '../../fakes/apiserver.ts';
import { waitFor } from '../../wait.ts';
import { IMAGE_SCANS_PATH, rawScan, recordedLog } from '../samples.ts';

const FLEET_SCANS_PATH = '/apis/fleet.cattle.io/v1alpha1/imagescans';
const OURS = { [SHARD_LABEL]: OWN_SHARD };
const A_WHILE_AGO = { [FORMER_SHARD_ANNOTATION]: 'shard-a' };

type Metadata = Readonly<Record<'labels' | 'annotations', Readonly<Record<string, string>>>>;

/** A server with ImageScans of Fleet's, by their names. */
async function serverWith(t: TestContext, scans: Readonly<Record<string, Partial<Metadata>>>) {
  const server = await new FakeApiServer().start();
  const client = server.client();
  const metrics = new Metrics();
  const { log, lines } = recordedLog();
  const put = (name: string, metadata: Partial<Metadata> = {}): void => {
    server.put(FLEET_SCANS_PATH, rawScan({ metadata: { name, ...metadata } }));
  };
  for (const [name, metadata] of Object.entries(scans)) put(name, metadata);
  t.after(async () => {
    await client.close();
    await server.stop();
  });
  const read = async (name: string): Promise<Metadata> => {
    const { metadata } = (await client.get({
      resource: { group: 'fleet.cattle.io', version: 'v1alpha1', plural: 'imagescans' },
      namespace: 'team',
      name,
    })) as { metadata: Partial<Metadata> };
    return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} };
  };
  const untilLabels = (name: string, labels: Metadata['labels']): Promise<Metadata> =>
    waitFor(`${name} to have ${JSON.stringify(labels)}`, async () => {
      const found = await read(name);
      return JSON.stringify(found.labels) === JSON.stringify(labels) ? found : undefined;
    });
  const patches = (): Recorded[] => server.requests.filter(({ method }) => method === 'PATCH');
  const counted = async (result: string): Promise<number> =>
    sumOf(await metrics.registry.metrics(), 'fleetscan_shard_labels_total', { result });
  return { server, client, metrics, log, lines, put, read, untilLabels, patches, counted };
}

/** The same, with the reconciler's stores and its labels at work. */
async function setUp(
  t: TestContext,
  takeover: 'take-over' | 'serve',
  scans: Readonly<Record<string, Partial<Metadata>>> = {},
) {
  const world = await serverWith(t, scans);
  const { client, metrics, log, server } = world;
  const stores = createStores(client, log, takeover);
  const labels = new ShardLabels({ client, scans: stores.scans, metrics, log, takeover });
  const abort = new AbortController();
  const running = Promise.all([stores.run(abort.signal), labels.run(abort.signal)]);
  t.after(async () => {
    abort.abort();
    await running;
  });
  await stores.scans.synced;
  await waitFor('the watches', () => (server.openWatches === 4 ? true : undefined));
  return { ...world, scans: stores.scans };
}

const warnings = (lines: readonly { level: number; msg: string }[]): string[] =>
  lines.filter(({ level }) => level >= 40).map(({ msg }) => msg);

describe('ShardLabels, when Fleet is taken over', () => {
  it('labels what was there before and what comes, and leaves ours alone', async (t) => {
    const { server, put, read, untilLabels, patches, counted } = await setUp(t, 'take-over', {
      web: { labels: { app: 'web' } },
      api: { labels: { [SHARD_LABEL]: 'shard-a' } },
      done: { labels: OURS, annotations: A_WHILE_AGO },
    });
    server.put(IMAGE_SCANS_PATH, rawScan({ metadata: { name: 'own' } }));
    await untilLabels('web', { app: 'web', ...OURS });
    assert.deepEqual(await untilLabels('api', OURS), { labels: OURS, annotations: A_WHILE_AGO });
    put('later');
    await untilLabels('later', OURS);
    assert.deepEqual(await read('done'), { labels: OURS, annotations: A_WHILE_AGO });
    assert.deepEqual(
      patches().map(({ path }) => path.split('/').at(-1)),
      ['web', 'api', 'later'],
    );
    assert.equal(await counted('taken'), 3);
  });

  it('labels again what somebody unlabels, but not as fast as they do', async (t) => {
    const { put, untilLabels, patches, scans } = await setUp(t, 'take-over');
    scans.onChange(({ item }) => {
      if (item.metadata.labels[SHARD_LABEL] === OWN_SHARD) put('web');
    });
    const begun = performance.now();
    put('web');
    await waitFor('three patches', () => (patches().length >= 3 ? true : undefined));
    assert.ok(performance.now() - begun > 1000, 'they undid each other without a pause');
    put('other');
    await untilLabels('other', OURS);
  });

  it('takes the former shard from the object as it is, when that was changed meanwhile', async (t) => {
    const { server, put, untilLabels, lines } = await setUp(t, 'take-over');
    server.plan(
      ({ method }) => method === 'PATCH',
      (request, response) => {
        put('web', { labels: { [SHARD_LABEL]: 'shard-b' } });
        server.answer(request, response);
      },
    );
    put('web', { labels: { [SHARD_LABEL]: 'shard-a' } });
    const { annotations } = await untilLabels('web', OURS);
    assert.deepEqual(annotations, { [FORMER_SHARD_ANNOTATION]: 'shard-b' });
    assert.deepEqual(warnings(lines), []);
  });

  it('tries again what failed, says so, and goes on with the others', async (t) => {
    const { server, put, untilLabels, lines, counted } = await setUp(t, 'take-over');
    server.plan(
      ({ method, path }) => method === 'PATCH' && path.endsWith('/web'),
      (_request, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
    );
    put('web');
    put('api');
    await untilLabels('api', OURS);
    await untilLabels('web', OURS);
    assert.equal(warnings(lines).length, 1);
    assert.match(warnings(lines)[0] ?? '', /could not be written; it is tried again/);
    assert.deepEqual([await counted('taken'), await counted('failed')], [2, 1]);
  });

  it('forgets one that was deleted meanwhile', async (t) => {
    const { server, put, untilLabels, lines } = await setUp(t, 'take-over');
    server.plan(
      ({ method }) => method === 'PATCH',
      (request, response) => {
        server.remove(FLEET_SCANS_PATH, 'team', 'web');
        server.answer(request, response);
      },
    );
    put('web');
    await waitFor('web to go', () =>
      server.requests.some(({ method }) => method === 'PATCH') ? true : undefined,
    );
    put('api');
    await untilLabels('api', OURS);
    assert.deepEqual(warnings(lines), []);
  });
});

describe('ShardLabels, when Fleet is served', () => {
  it('takes our label back, gives the former one, and leaves other shards alone', async (t) => {
    const { read, untilLabels, put, counted } = await setUp(t, 'serve', {
      web: { labels: { app: 'web', ...OURS }, annotations: { note: 'x' } },
      api: { labels: OURS, annotations: { note: 'x', ...A_WHILE_AGO } },
      other: { labels: { [SHARD_LABEL]: 'shard-b' } },
    });
    assert.deepEqual((await untilLabels('web', { app: 'web' })).annotations, { note: 'x' });
    assert.deepEqual((await untilLabels('api', { [SHARD_LABEL]: 'shard-a' })).annotations, { note: 'x' });
    put('late', { labels: OURS });
    await untilLabels('late', {});
    assert.deepEqual((await read('other')).labels, { [SHARD_LABEL]: 'shard-b' });
    assert.equal(await counted('given_back'), 3);
  });
});

describe('takeLabelsBack', () => {
  it('gives back what was there, and ends once no ImageScan bears our label', async (t) => {
    const many = Array.from({ length: 50 }, (_, index) => [
      `app-${index}`,
      { labels: OURS, annotations: A_WHILE_AGO },
    ]);
    const world = await serverWith(t, { ...Object.fromEntries(many), web: { labels: OURS }, other: {} });
    await takeLabelsBack(world, new AbortController().signal);
    assert.deepEqual(await world.read('web'), { labels: {}, annotations: {} });
    assert.deepEqual(await world.read('app-7'), { labels: { [SHARD_LABEL]: 'shard-a' }, annotations: {} });
    assert.equal(world.patches().length, 51);
    assert.equal(await world.counted('given_back'), 51);
    const lists = world.server.requests.filter(({ method }) => method === 'GET');
    assert.equal(lists[0]?.query.get('labelSelector'), 'fleet.cattle.io/shard-ref=fleetscan');
    assert.ok(!world.server.requests.some(({ isWatch }) => isWatch));
  });

  it('ends at once, and without a word, in a cluster without Fleet', async (t) => {
    const { server, client, metrics, log, lines } = await serverWith(t, {});
    server.plan(
      ({ method }) => method === 'GET',
      (_request, response) => sendStatus(response, 404, 'NotFound', 'no such kind'),
    );
    await takeLabelsBack({ client, metrics, log }, new AbortController().signal);
    assert.equal(server.requests.length, 1);
    assert.deepEqual(lines, []);
  });

  it('tries again a list and a patch that failed, and says so', async (t) => {
    const world = await serverWith(t, { web: { labels: OURS }, api: { labels: OURS } });
    for (const method of ['GET', 'PATCH']) {
      world.server.plan(
        (request) => request.method === method,
        (_request, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
      );
    }
    await takeLabelsBack(world, new AbortController().signal);
    assert.equal(warnings(world.lines).length, 2);
    for (const name of ['web', 'api']) assert.deepEqual((await world.read(name)).labels, {});
    assert.deepEqual([await world.counted('given_back'), await world.counted('failed')], [2, 1]);
  });

  it('lists again until nobody labels any more', async (t) => {
    const world = await serverWith(t, { web: { labels: OURS } });
    world.server.plan(
      ({ method }) => method === 'PATCH',
      (request, response) => {
        world.server.answer(request, response);
        world.put('web', { labels: OURS });
      },
    );
    await takeLabelsBack(world, new AbortController().signal);
    assert.deepEqual((await world.read('web')).labels, {});
    assert.equal(world.patches().length, 2);
  });

  it('ends when it is told to, in the middle of a pause too', async (t) => {
    const { client, metrics, log, server } = await serverWith(t, {});
    const forbidden = (): void =>
      server.plan(
        () => true,
        (_request, response) => {
          forbidden();
          sendStatus(response, 403, 'Forbidden', 'not you');
        },
      );
    forbidden();
    const abort = new AbortController();
    const running = takeLabelsBack({ client, metrics, log }, abort.signal);
    await waitFor('a first try', () => server.requests[0]);
    abort.abort();
    await running;
  });
});
