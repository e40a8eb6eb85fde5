import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { DEFINED_BY_LABEL } from '../../../kube/kinds/defined.ts';
import { EventRecorder } from '../../../kube/events.ts';
import { OwnedRescue } from '../../../reconciler/fleet/owned-rescue.ts';
import { createStores } from '../../../reconciler/stores.ts';
import { FakeApiServer, sendStatus } from '../../fakes/apiserver.ts';
import { waitFor } from '../../wait.ts';
import { DIGEST, IMAGE_SCANS_PATH, rawScan, recordedLog } from '../samples.ts';

const CRDS_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CRD = 'gitrepos.fleet.cattle.io';
const KEY = 'team/web';

const crd = (metadata: object = {}) => ({
  metadata: { name: CRD, creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
});
const going = crd({ deletionTimestamp: '2026-03-01T00:00:00Z' });
const owner = (apiVersion: string) => ({ apiVersion, kind: 'GitRepo', name: 'apps', uid: 'u' });
const spec = { tagName: 'web', gitrepoName: 'apps', suspend: true };
const status = {
  observedGeneration: 4,
  canonicalImageName: 'registry.example/web',
  latestTag: '1.0.0',
  latestImage: 'registry.example/web:1.0.0',
  latestDigest: DIGEST,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'InForce',
      message: '1.0.0 is in force',
      observedGeneration: 4,
      lastTransitionTime: '2026-02-01T00:00:00Z',
    },
  ],
};
const owned = (apiVersion = 'fleet.cattle.io/v1alpha1') =>
  rawScan({
    metadata: {
      generation: 4,
      creationTimestamp: '2026-02-01T00:00:00Z',
      labels: { [DEFINED_BY_LABEL]: 'apps' },
      ownerReferences: [owner(apiVersion)],
    },
    spec,
    status,
  });

/** The reconciler's stores and the rescue, on a server that has this ImageScan of ours. */
async function setUp(t: TestContext, scan: ReturnType<typeof owned>) {
  const server = await new FakeApiServer().start();
  server.put(CRDS_PATH, crd());
  server.put(IMAGE_SCANS_PATH, scan);
  const client = server.client();
  const { log, lines } = recordedLog();
  const stores = createStores(client, log, 'serve');
  const events = new EventRecorder(client, { component: 'test', instance: 'test' });
  const { scans } = stores;
  const rescue = new OwnedRescue({ client, scans, events, log });
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
  const untilAdopted = () =>
    waitFor('it to be made again', () => {
      const found = scans.get(KEY);
      return found?.status.conditions?.some(({ type }) => type === 'Adopted') ? found : undefined;
    });
  const questions = (): number => server.requests.filter(({ path }) => path === `${CRDS_PATH}/${CRD}`).length;
  return { server, scans, lines, untilAdopted, questions };
}

describe('OwnedRescue', () => {
  it('makes again what was collected with its owner, as it was and with its value, when the kind of the owner went', async (t) => {
    const { server, untilAdopted } = await setUp(t, owned());
    server.put(CRDS_PATH, going);
    server.remove(IMAGE_SCANS_PATH, 'team', 'web');
    const scan = await untilAdopted();
    assert.deepEqual(scan.spec, { image: 'registry.example/web', ...spec });
    assert.deepEqual(scan.metadata.labels, { [DEFINED_BY_LABEL]: 'apps' });
    assert.equal(scan.metadata.ownerReferences, undefined);
    assert.equal(scan.status.latestDigest, DIGEST);
    const { generation } = scan.metadata;
    assert.deepEqual(
      scan.status.conditions?.map(({ type, reason, observedGeneration }) => [
        type,
        reason,
        observedGeneration,
      ]),
      [
        ['Ready', 'InForce', generation],
        ['Adopted', 'FleetKindRemoved', generation],
      ],
    );
    assert.match(
      scan.status.conditions?.[1]?.message ?? '',
      /^was made again: .*GitRepo apps .*; 1\.0\.0 is in force$/,
    );
  });

  it('leaves deleted what goes while the kind stays, and does not ask about what others own', async (t) => {
    const { server, scans, questions } = await setUp(t, owned('fleetscan.io/v1alpha1'));
    server.remove(IMAGE_SCANS_PATH, 'team', 'web');
    await waitFor('it to be gone', () => (scans.get(KEY) === undefined ? true : undefined));
    server.put(IMAGE_SCANS_PATH, owned());
    await waitFor('the other', () => scans.get(KEY));
    server.remove(IMAGE_SCANS_PATH, 'team', 'web');
    await waitFor('the question', () => (questions() === 1 ? true : undefined));
    assert.equal(server.requests.filter(({ method }) => method === 'POST').length, 0);
  });

  it('tries again when the API server fails, and does not make it twice', async (t) => {
    const { server, lines, untilAdopted } = await setUp(t, owned());
    server.put(CRDS_PATH, going);
    server.plan(
      ({ method, path }) => method === 'PATCH' && path.endsWith('/imagescans/web/status'),
      (_request, response) => sendStatus(response, 500, 'InternalError', 'etcd is away'),
    );
    server.remove(IMAGE_SCANS_PATH, 'team', 'web');
    await waitFor('the failure', () => lines.find(({ msg }) => msg.includes('it is tried again')));
    assert.equal((await untilAdopted()).status.latestTag, '1.0.0');
  });
});
