import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { EventRecorder } from '../../kube/events.ts';
import { SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { RegistryError } from '../../registry/errors.ts';
import { Metrics } from '../../reconciler/metrics.ts';
import { ScanLoop } from '../../reconciler/scan-loop.ts';
import { createStores, type StoredScan } from '../../reconciler/stores.ts';
import { FakeApiServer, type Recorded, sendStatus } from '../fakes/apiserver.ts';
import { waitFor } from '../wait.ts';
import {
  DIGEST,
  FLEET_IMAGE_SCANS_PATH,
  IMAGE_SCANS_PATH,
  rawFleetScan,
  rawScan,
  recordedLog,
} from './samples.ts';

type ListTags = (repository: string) => Promise<string[]>;

/** A loop at work against an API server that can be meddled with and a registry of one's own. */
async function setUp(
  t: TestContext,
  listTags: ListTags = async () => ['1.0.0'],
  prepare: (server: FakeApiServer) => void = () => {},
) {
  const server = await new FakeApiServer().start();
  prepare(server);
  const client = server.client();
  const { log, lines } = recordedLog();
  const stores = createStores(client, log, 'serve');
  const listed: string[] = [];
  const loop = new ScanLoop({
    client,
    scans: stores.scans,
    index: stores.index,
    registry: {
      listTags: async ({ repository }, { signal }) => {
        listed.push(repository);
        const tags = await Promise.race([listTags(repository), aborted(signal)]);
        return { tags, revision: tags.join() };
      },
      resolve: async () => ({ digest: DIGEST }),
      resolveByContent: async () => ({ digest: DIGEST }),
      describe: async () => ({ kind: 'image' }),
      created: async () => undefined,
      labels: async () => ({}),
      amd64Digest: async () => undefined,
      close: async () => {},
    },
    pullAccess: async () => ({ credentials: [], notes: [] }),
    events: new EventRecorder(client, { component: 'test', instance: 'test' }),
    metrics: new Metrics(),
    log,
  });
  const abort = new AbortController();
  const running = Promise.all([stores.run(abort.signal), loop.run(abort.signal)]);
  t.after(async () => {
    abort.abort();
    await running;
    await client.close();
    await server.stop();
  });
  const put = (parts: Parameters<typeof rawScan>[0]): object => server.put(IMAGE_SCANS_PATH, rawScan(parts));
  const putFleet = (parts: Parameters<typeof rawScan>[0]): object =>
    server.put(FLEET_IMAGE_SCANS_PATH, rawFleetScan(parts));
  const until = (key: string, wanted: (scan: StoredScan) => boolean): Promise<StoredScan> =>
    waitFor(`the wanted status of ${key}`, () => {
      const scan = stores.scans.get(key);
      return scan !== undefined && wanted(scan) ? scan : undefined;
    });
  const settled = (name: string, wanted: (scan: StoredScan) => boolean): Promise<StoredScan> =>
    until(`team/${name}`, wanted);
  const settledFleet = (name: string, wanted: (scan: StoredScan) => boolean): Promise<StoredScan> =>
    until(`fleet.cattle.io/team/${name}`, wanted);
  /** What each Event says, once there are so many. */
  const events = (count: number): Promise<unknown[][]> =>
    waitFor(`${count} Events`, () => {
      const bodies = server.requests
        .filter(({ method, path }) => method === 'POST' && path.endsWith('/events'))
        .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
      return bodies.length >= count
        ? bodies.map(({ type, reason, note }) => [type, reason, note])
        : undefined;
    });
  return { server, stores, lines, listed, put, putFleet, settled, settledFleet, events };
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
}

const readyReason = ({ status }: StoredScan): string | undefined =>
  status.conditions?.find(({ type }) => type === 'Ready')?.reason;
const scannedReason = ({ status }: StoredScan): string | undefined =>
  status.conditions?.find(({ type }) => type === 'ImageScanned')?.reason;

describe('ScanLoop', () => {
  it('goes on with the others beside an interval that is no duration, and says so in the condition', async (t) => {
    const { put, settled } = await setUp(t);
    put({ metadata: { name: 'odd' }, spec: { interval: '1d' } });
    put({ metadata: { name: 'web' } });
    await settled('web', ({ status }) => status.latestTag === '1.0.0');
    await settled('odd', (scan) => scannedReason(scan) === 'InvalidInterval');
    put({ metadata: { name: 'odd', generation: 2 }, spec: { interval: '1h' } });
    await settled('odd', ({ status }) => status.latestTag === '1.0.0');
  });

  it('does not take a scan that began before a request for the answer to it', async (t) => {
    const lists: PromiseWithResolvers<string[]>[] = [];
    const { put, settled, stores } = await setUp(t, () => {
      const list = Promise.withResolvers<string[]>();
      lists.push(list);
      return list.promise;
    });
    put({});
    await waitFor('the first scan to begin', () => lists[0]);
    const annotations = { [SCAN_REQUEST_ANNOTATION]: 'please' };
    put({ metadata: { annotations } });
    await waitFor(
      'the request to be seen',
      () => stores.scans.get('team/web')?.metadata.annotations[SCAN_REQUEST_ANNOTATION],
    );
    const answers: (string | undefined)[] = [];
    stores.scans.onChange(({ item }) =>
      answers.push(`${item.status.latestTag} ${item.status.lastHandledScanRequest}`),
    );
    lists[0]?.resolve(['1.0.0']);
    await waitFor('the scan that was asked for', () => lists[1]);
    lists[1]?.resolve(['1.0.0', '1.1.0']);
    await settled('web', ({ status }) => status.lastHandledScanRequest === 'please');
    assert.deepEqual(answers, ['1.0.0 undefined', '1.1.0 please']);
  });

  it('leaves a scan alone that was suspended, also while it was scanned', async (t) => {
    const lists: PromiseWithResolvers<string[]>[] = [];
    const { put, settled, listed } = await setUp(t, (repository) => {
      if (repository === 'other') return Promise.resolve(['1.0.0']);
      const list = Promise.withResolvers<string[]>();
      lists.push(list);
      return list.promise;
    });
    put({ metadata: { name: 'never' }, spec: { suspend: true } });
    put({ metadata: { name: 'web' } });
    const list = await waitFor('the scan to begin', () => lists[0]);
    put({ metadata: { name: 'web', generation: 2 }, spec: { suspend: true } });
    list.resolve(['1.0.0']);
    put({ metadata: { name: 'other' }, spec: { image: 'registry.example/other' } });
    await settled('other', ({ status }) => status.latestTag === '1.0.0');
    const { status } = await settled('web', ({ spec }) => spec.suspend === true);
    assert.equal(status.latestTag, undefined);
    assert.deepEqual(listed, ['web', 'other']);
  });

  it('takes a scan that is deleted while it is scanned for no failure', async (t) => {
    const lists: PromiseWithResolvers<string[]>[] = [];
    const { server, put, settled, lines } = await setUp(t, (repository) => {
      if (repository === 'other') return Promise.resolve(['1.0.0']);
      const list = Promise.withResolvers<string[]>();
      lists.push(list);
      return list.promise;
    });
    put({});
    const list = await waitFor('the scan to begin', () => lists[0]);
    server.remove(IMAGE_SCANS_PATH, 'team', 'web');
    list.resolve(['1.0.0']);
    put({ metadata: { name: 'other' }, spec: { image: 'registry.example/other' } });
    await settled('other', ({ status }) => status.latestTag === '1.0.0');
    assert.deepEqual(
      lines.filter(({ level }) => level >= 40),
      [],
    );
  });

  it('tells both of two scans with one tagName, and takes it back when one is renamed, deleted or given to a GitRepo', async (t) => {
    const { server, put, settled } = await setUp(t);
    const both = async (reason: string): Promise<void> => {
      await settled('a', (scan) => readyReason(scan) === reason);
      await settled('b', (scan) => readyReason(scan) === reason);
    };
    let generation = 1;
    const putB = (spec: object): object => put({ metadata: { name: 'b', generation: generation++ }, spec });
    put({ metadata: { name: 'a' }, spec: { tagName: 'web', gitrepoName: 'apps' } });
    putB({ tagName: 'web' });
    await both('DuplicateTagName');
    putB({ tagName: 'web-b' });
    await both('InForce');
    putB({ tagName: 'web' });
    await both('DuplicateTagName');
    putB({ tagName: 'web', gitrepoName: 'others' });
    await both('InForce');
    putB({ tagName: 'web' });
    await both('DuplicateTagName');
    server.remove(IMAGE_SCANS_PATH, 'team', 'b');
    await settled('a', (scan) => readyReason(scan) === 'InForce');
  });

  it('tells after a restart of namesakes that came or went meanwhile', async (t) => {
    const status = (reason: string) => ({
      observedGeneration: 1,
      lastScanTime: new Date().toISOString(),
      latestTag: '1.0.0',
      latestDigest: DIGEST,
      canonicalImageName: 'registry.example/web',
      conditions: [{ type: 'Ready', status: reason === 'InForce' ? 'True' : 'False', reason }],
    });
    const { settled, listed } = await setUp(t, undefined, (server) => {
      const put = (name: string, tagName: string, reason: string): object =>
        server.put(
          IMAGE_SCANS_PATH,
          rawScan({
            metadata: { name },
            spec: { tagName, image: `registry.example/web-${name}` },
            status: status(reason),
          }),
        );
      put('a', 'twin', 'InForce');
      put('b', 'twin', 'InForce');
      put('c', 'c', 'DuplicateTagName');
      put('d', 'd', 'InForce');
      put('e', 'told', 'DuplicateTagName');
      put('f', 'told', 'DuplicateTagName');
    });
    for (const name of ['a', 'b']) await settled(name, (scan) => readyReason(scan) === 'DuplicateTagName');
    await settled('c', (scan) => readyReason(scan) !== 'DuplicateTagName');
    assert.deepEqual(
      listed.toSorted(),
      ['web-a', 'web-b', 'web-c'],
      'those whose status is right are not scanned',
    );
  });

  it('is not held up by a registry that does not answer, however many scans are for it', async (t) => {
    const { put, settled } = await setUp(t, (repository) =>
      repository === 'hangs' ? new Promise(() => {}) : Promise.resolve(['1.0.0']),
    );
    for (let i = 0; i < 100; i++) {
      put({ metadata: { name: `hangs-${i}` }, spec: { image: 'hanging.example/hangs' } });
    }
    put({ metadata: { name: 'web' } });
    await settled('web', ({ status }) => status.latestTag === '1.0.0');
  });

  it('tries again after the pause that the registry wants, and not before', async (t) => {
    t.mock.method(Math, 'random', () => 0.5);
    const error = new RegistryError('RateLimited', 'slow down', { retryAfterMs: 300 });
    const times: number[] = [];
    const { put, settled } = await setUp(t, async () => {
      times.push(performance.now());
      if (times.length === 1) throw error;
      return ['1.0.0'];
    });
    put({ spec: { interval: '1s' } });
    await settled('web', (scan) => scannedReason(scan) === 'RateLimited');
    await settled('web', ({ status }) => status.latestTag === '1.0.0');
    const [first = 0, second = 0] = times;
    assert.ok(second - first >= 300, `${second - first} ms`);
  });

  it('writes one Event for a failure that goes on, and one for a value', async (t) => {
    let isUp = false;
    const { events, put, settled, listed } = await setUp(t, async () => {
      if (!isUp) throw new RegistryError('Unauthorized', 'wants credentials');
      return ['1.0.0'];
    });
    put({ spec: { interval: '1s' } });
    await waitFor('a third try', () => (listed.length >= 3 ? true : undefined));
    isUp = true;
    await settled('web', ({ status }) => status.latestTag === '1.0.0');
    assert.deepEqual(await events(3), [
      ['Warning', 'Unauthorized', 'wants credentials'],
      ['Normal', 'ValueChanged', `nothing -> 1.0.0 (${DIGEST})`],
      ['Normal', 'Recovered', 'scans succeed again after Unauthorized; 1.0.0 is in force'],
    ]);
  });
});

describe("ScanLoop with ImageScans of Fleet's", () => {
  const scannedMessage = ({ status }: StoredScan): string =>
    status.conditions?.find(({ type }) => type === 'ImageScanned')?.message ?? '';

  it('says of nonsense what is wrong with it, and goes on', async (t) => {
    const { putFleet, settledFleet } = await setUp(t);
    const nonsense: [name: string, spec: object, wanted: RegExp][] = [
      ['days', { interval: '10d' }, /^InvalidInterval: the interval /],
      ['null', { image: null, interval: null }, /^InvalidImage: /],
      ['range', { policy: { semver: { range: '>=' } } }, /^Invalid/],
    ];
    for (const [name, spec] of nonsense) putFleet({ metadata: { name }, spec });
    putFleet({ metadata: { name: 'web' } });
    await settledFleet('web', ({ status }) => status.latestTag === '1.0.0');
    for (const [name, , wanted] of nonsense) {
      await settledFleet(
        name,
        (scan) => scannedReason(scan) === 'Error' && wanted.test(scannedMessage(scan)),
      );
    }
  });

  it('writes one Event for a failure that goes on, though the reason in the condition is always Error', async (t) => {
    let isUp = false;
    const { putFleet, settledFleet, listed, events } = await setUp(t, async () => {
      if (!isUp) throw new RegistryError('Unauthorized', 'wants credentials');
      return ['1.0.0'];
    });
    putFleet({ spec: { interval: '1s' } });
    await waitFor('a third try', () => (listed.length >= 3 ? true : undefined));
    isUp = true;
    await settledFleet('web', ({ status }) => status.latestTag === '1.0.0');
    assert.deepEqual(await events(3), [
      ['Warning', 'Unauthorized', 'wants credentials'],
      ['Normal', 'ValueChanged', `nothing -> 1.0.0 (${DIGEST})`],
      ['Normal', 'Recovered', 'scans succeed again after Unauthorized; 1.0.0 is in force'],
    ]);
  });

  it('does not scan over and over while the answer to a request cannot be written', async (t) => {
    const { server, putFleet, settledFleet, stores, listed, lines } = await setUp(t);
    putFleet({});
    await settledFleet('web', ({ status }) => status.latestTag === '1.0.0');
    const stored = () => stores.scans.get('fleet.cattle.io/team/web');
    const isAnswer = ({ method, path }: Recorded): boolean => method === 'PATCH' && path.endsWith('/web');
    server.plan(isAnswer, (_, response) => sendStatus(response, 403, 'Forbidden', 'no role'));
    const annotations = { [SCAN_REQUEST_ANNOTATION]: 'please' };
    putFleet({ metadata: { annotations }, status: stored()?.status ?? {} });
    await waitFor('the failure', () => lines.find(({ level }) => level === 50));
    // Fleet writes on meanwhile: each write is another look at when it is due.
    for (const commit of ['a', 'b', 'c']) {
      putFleet({ metadata: { annotations, labels: { commit } }, status: stored()?.status ?? {} });
      await settledFleet('web', (each) => each.metadata.labels['commit'] === commit);
    }
    putFleet({ metadata: { name: 'other' }, spec: { image: 'registry.example/other' } });
    await settledFleet('other', ({ status }) => status.latestTag === '1.0.0');
    assert.deepEqual(listed, ['web', 'web', 'other']);
  });

  it('is not kept from what is overdue by changes that come faster', async (t) => {
    const overdue = {
      observedGeneration: 1,
      lastScanTime: '2020-01-01T00:00:00Z',
      conditions: [{ type: 'Ready', status: 'False', reason: 'NoValue' }],
    };
    const { putFleet, settledFleet, listed } = await setUp(t);
    for (let commit = 0; listed.length === 0; commit++) {
      assert.ok(commit < 1000, 'it is never scanned');
      const labels = { commit: String(commit) };
      putFleet({ metadata: { labels }, spec: { interval: '5s' }, status: overdue });
      await settledFleet('web', ({ metadata }) => metadata.labels['commit'] === labels.commit);
    }
  });
});
