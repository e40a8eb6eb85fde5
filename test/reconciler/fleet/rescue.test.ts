import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { z } from 'zod';
import { EventRecorder } from '../../../kube/events.ts';
import { FleetRescue } from '../../../reconciler/fleet/rescue.ts';
import { createStores } from '../../../reconciler/stores.ts';
import { FakeApiServer, sendStatus } from '../../fakes/apiserver.ts';
import { waitFor } from '../../wait.ts';
import {
  DIGEST,
  FLEET_GIT_REPOS_PATH,
  IMAGE_SCANS_PATH,
  rawGitRepo,
  rawScan,
  recordedLog,
} from '../samples.ts';

const FLEET_SCANS_PATH = '/apis/fleet.cattle.io/v1alpha1/imagescans';
const CRDS_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CRD = 'imagescans.fleet.cattle.io';
const INSTALLED = '2026-01-01T00:00:00Z';
const MADE = '2026-02-01T00:00:00Z';

const eventBody = z.object({
  reason: z.string(),
  note: z.string(),
  regarding: z.object({ kind: z.string(), name: z.string() }),
});

const inForce = {
  canonicalImageName: 'registry.example/web',
  latestTag: '1.0.0',
  latestImage: 'registry.example/web:1.0.0',
  latestDigest: DIGEST,
};
const crd = (metadata: object = {}) => ({
  metadata: { name: CRD, creationTimestamp: INSTALLED, ...metadata },
});
const going = crd({ deletionTimestamp: '2026-03-01T00:00:00Z' });

function fleets(name: string, spec: object = {}) {
  return rawScan({
    metadata: { name, creationTimestamp: MADE },
    spec: { interval: '5m', tagName: name, ...spec },
    status: inForce,
  });
}

/** The reconciler's stores and its rescue, on a server that has these ImageScans of Fleet's. */
async function setUp(
  t: TestContext,
  names: readonly string[],
  specOf: (name: string) => object = () => ({}),
) {
  const server = await new FakeApiServer().start();
  server.put(CRDS_PATH, crd());
  for (const name of names) server.put(FLEET_SCANS_PATH, fleets(name, specOf(name)));
  for (const name of ['apps', 'more']) server.put(FLEET_GIT_REPOS_PATH, rawGitRepo({ metadata: { name } }));
  const client = server.client();
  const { log, lines } = recordedLog();
  const stores = createStores(client, log, 'serve');
  const onError = (error: unknown): void => log.warn({ err: error }, 'an Event');
  const events = new EventRecorder(client, { component: 'test', instance: 'test', onError });
  const { scans, index, gitRepos } = stores;
  const rescue = new FleetRescue({ client, scans, index, gitRepos, events, log });
  const abort = new AbortController();
  const running = Promise.all([stores.run(abort.signal), rescue.run(abort.signal)]);
  t.after(async () => {
    abort.abort();
    await running;
    await events.flush();
    await client.close();
    await server.stop();
  });
  await scans.synced;
  await waitFor('the watches', () => (server.openWatches === 4 ? true : undefined));
  const remove = (): void => {
    for (const name of names) server.remove(FLEET_SCANS_PATH, 'team', name);
  };
  const untilInForce = (name: string, tag = '1.0.0') =>
    waitFor(`${name} to have ${tag} in force`, () => {
      const scan = scans.get(`team/${name}`);
      return scan?.status.latestTag === tag ? scan : undefined;
    });
  const told = (): z.infer<typeof eventBody>[] =>
    server.requests
      .filter(({ path }) => path === '/apis/events.k8s.io/v1/namespaces/team/events')
      .map(({ body }) => eventBody.parse(JSON.parse(body)));
  const questions = (): number => server.requests.filter(({ path }) => path === `${CRDS_PATH}/${CRD}`).length;
  return { server, scans, lines, remove, untilInForce, questions, told };
}

describe('FleetRescue', () => {
  it('asks no more than once a second about a burst of removed objects', async (t) => {
    const names = Array.from({ length: 50 }, (_, index) => `app-${index}`);
    const { server, remove, untilInForce, questions } = await setUp(t, names);
    server.put(CRDS_PATH, going);
    remove();
    for (const name of names) await untilInForce(name);
    assert.ok(questions() <= 2, `it asked ${questions()} times`);
  });

  it('tells of many in one Event for each GitRepo, and what became of each in its condition', async (t) => {
    const names = Array.from({ length: 90 }, (_, index) => `app-${index}`);
    const gitRepos = ['apps', 'more', 'unknown'];
    const { server, scans, remove, untilInForce, told, lines } = await setUp(t, names, (name) => ({
      gitrepoName: gitRepos[Number(name.slice(4)) % 3],
    }));
    server.put(CRDS_PATH, going);
    remove();
    for (const name of names) await untilInForce(name);
    const events = await waitFor('the Events', () => (told().length === 3 ? told() : undefined));
    for (const { regarding, reason, note } of events) {
      assert.equal(reason, 'FleetKindRemoved');
      assert.match(note, /^30 ImageScans take the place of those of .*: \S+ \(1\.0\.0\), .* and 27 more$/);
      const { kind, name } = regarding;
      assert.ok(kind === 'GitRepo' ? gitRepos.includes(name) : names.includes(name), `${kind} ${name}`);
    }
    for (const scan of scans.values())
      assert.ok(scan.status.conditions?.some(({ type }) => type === 'Adopted'));
    assert.deepEqual(
      lines.filter(({ level }) => level > 30),
      [],
    );
  });

  it('tells of the others when one has to be tried again, and of that one by itself', async (t) => {
    const { server, remove, told } = await setUp(t, ['first', 'second', 'third'], () => ({
      gitrepoName: 'apps',
    }));
    server.put(CRDS_PATH, going);
    server.plan(
      ({ method, path }) => method === 'PATCH' && path.endsWith('/imagescans/second/status'),
      (_request, response) => sendStatus(response, 500, 'InternalError', 'etcd is away'),
    );
    remove();
    const [many, one] = await waitFor('both Events', () => (told().length === 2 ? told() : undefined));
    assert.match(many?.note ?? '', /^2 ImageScans take .*: first \(1\.0\.0\) and third \(1\.0\.0\)$/);
    assert.match(one?.note ?? '', /^ImageScan second takes the place of second, .*; 1\.0\.0 is in force$/);
  });

  it('takes a kind that is gone for removed', async (t) => {
    const { server, remove, untilInForce } = await setUp(t, ['web']);
    server.remove(CRDS_PATH, '', CRD);
    remove();
    await untilInForce('web');
  });

  it('takes a kind that is younger than the object for removed and installed again', async (t) => {
    const { server, remove, untilInForce } = await setUp(t, ['web']);
    server.put(CRDS_PATH, crd({ creationTimestamp: '2026-03-01T00:00:00Z' }));
    remove();
    await untilInForce('web');
  });

  it('makes nothing while the kind stays, and knows of a removal that begins later', async (t) => {
    const { server, scans, remove, untilInForce, questions } = await setUp(t, ['web']);
    remove();
    await waitFor('the question', () => (questions() === 1 ? true : undefined));
    server.put(FLEET_SCANS_PATH, fleets('late'));
    await waitFor('late', () => scans.get('fleet.cattle.io/team/late'));
    server.put(CRDS_PATH, going);
    server.remove(FLEET_SCANS_PATH, 'team', 'late');
    await untilInForce('late');
    assert.equal(scans.size, 1);
  });

  it('tries again when the API server fails, and does not make it twice', async (t) => {
    const { server, scans, remove, lines, untilInForce } = await setUp(t, ['web']);
    server.put(CRDS_PATH, going);
    server.plan(
      ({ method, path }) => method === 'PATCH' && path.endsWith('/imagescans/web/status'),
      (_request, response) => sendStatus(response, 500, 'InternalError', 'etcd is away'),
    );
    remove();
    await waitFor('the failure', () => lines.find(({ msg }) => msg.includes('it is tried again')));
    await untilInForce('web');
    assert.equal(scans.size, 1);
  });

  it('takes the next name where the best is that of another scan', async (t) => {
    const { server, scans, remove } = await setUp(t, ['imagescan-0']);
    server.put(IMAGE_SCANS_PATH, rawScan({ spec: { tagName: 'other' } }));
    server.put(FLEET_SCANS_PATH, fleets('imagescan-0', { tagName: 'web' }));
    await waitFor('both', () =>
      scans.get('fleet.cattle.io/team/imagescan-0')?.spec.tagName === 'web' && scans.get('team/web')
        ? true
        : undefined,
    );
    server.put(CRDS_PATH, going);
    remove();
    const scan = await waitFor('the adopted', () => {
      const found = scans.get('team/imagescan-0');
      return found?.status.latestTag === undefined ? undefined : found;
    });
    assert.equal(scan.spec.tagName, 'web');
    assert.equal(scans.get('team/web')?.status.latestTag, undefined);
  });

  it('leaves one of ours that serves the same markers and has a value as it is', async (t) => {
    const { server, scans, remove } = await setUp(t, ['web', 'last']);
    const newer = { ...inForce, latestTag: '2.0.0', latestImage: 'registry.example/web:2.0.0' };
    server.put(
      IMAGE_SCANS_PATH,
      rawScan({ metadata: { name: 'mine' }, spec: { tagName: 'web' }, status: newer }),
    );
    await waitFor('it to be known', () => scans.get('team/mine'));
    server.put(CRDS_PATH, going);
    remove();
    await waitFor('the other', () => (scans.get('team/last')?.status.latestTag ? true : undefined));
    assert.equal(scans.get('team/web'), undefined);
    assert.equal(scans.get('team/mine')?.status.latestTag, '2.0.0');
    assert.equal(scans.get('team/mine')?.status.conditions, undefined);
  });

  it('lets go what the API server refuses for good, tells so, and goes on with the others', async (t) => {
    const { server, remove, lines, untilInForce } = await setUp(t, ['bad', 'web']);
    server.put(CRDS_PATH, going);
    server.plan(
      ({ method, body }) => method === 'POST' && body.includes('"tagName":"bad"'),
      (_request, response) => sendStatus(response, 422, 'Invalid', 'spec.image: is an image, not a URL'),
    );
    remove();
    await untilInForce('web');
    const error = await waitFor('the line', () => lines.find(({ level }) => level === 50));
    assert.match(error.msg, /cannot be adopted/);
    assert.match(JSON.stringify(error), /is an image, not a URL/);
  });
});
