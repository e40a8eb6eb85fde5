import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PODS } from '../../kube/resource.ts';
import { waitFor } from '../wait.ts';
import { follow, type Followed, pod, podTemplate, type PodText, release } from './following.ts';
import { NAMESPACE } from './product.ts';
import { type Setup, setUp } from './setup.ts';
import { podNamed, podsOf, type StoredPod } from './stored.ts';
import {
  CONTROLLER_REVISIONS,
  CRON_JOB,
  DAEMON_SET,
  DEPLOYMENT,
  JOB,
  namesOwnedBy,
  REPLICA_SETS,
  STATEFUL_SET,
  storedWorkload,
  type Workload,
} from './workloads.ts';

/** What a kubelet makes to show a pod of its own files; nobody may change it. */
function mirrorPod(name: string, text: PodText): object {
  const { metadata, spec } = podTemplate({ ...text, annotations: { 'kubernetes.io/config.mirror': 'hash' } });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { ...spec, nodeName: 'node-1' },
  };
}

describe('workloads with a marker on their pod template', () => {
  let setup: Setup;
  let shop: Followed;

  before(async () => {
    setup = await setUp();
    await setup.cluster.addNode('node-1');
    shop = await follow(setup, 'shop');
  });

  after(() => setup?.stop());

  const marked = ({ image }: Followed) => ({ image: `${image}:manifest`, marker: 'web' });

  async function create({ resource, manifest }: Workload, name: string, followed = shop): Promise<void> {
    const { namespace } = followed;
    await setup.client.create({ resource, namespace }, manifest(name, marked(followed)));
  }

  async function imagesOfPods(name: string, count: number, { namespace } = shop): Promise<string[]> {
    const pods = await podsOf(setup.client, namespace, `app=${name}`, count);
    return pods.flatMap(({ images }) => Object.values(images));
  }

  /** Asserts that a workload's template is as it was applied, and that nothing has changed its spec since. */
  async function assertUntouched({ resource }: Workload, name: string, generation = 1): Promise<void> {
    const { namespace, image } = shop;
    assert.deepEqual(await storedWorkload(setup.client, { resource, namespace, name }), {
      images: [`${image}:manifest`],
      annotations: { 'imagescan.fleetscan.io/web': 'web' },
      generation,
      collisions: 0,
    });
  }

  it('have their like in a bare Pod: it gets the image in force', async () => {
    const { client } = setup;
    const { namespace, image } = shop;
    await client.create({ resource: PODS, namespace }, pod('bare', marked(shop)));
    assert.deepEqual((await podNamed(client, namespace, 'bare')).images, { web: `${image}:1.1.0` });
  });

  for (const workload of [DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB]) {
    const { kind, pods } = workload;
    it(`give the pods of a ${kind} the image in force, and its template stays as it is`, async () => {
      const name = kind.toLowerCase();
      await create(workload, name);
      const expected = Array.from({ length: pods }, () => `${shop.image}:1.1.0`);
      assert.deepEqual(await imagesOfPods(name, pods), expected);
      await assertUntouched(workload, name);
    });
  }

  it('give the pod of a CronJob that is run the image in force; its template and that of its Job stay as they are', async () => {
    await create(CRON_JOB, 'nightly');
    const run = ['create', 'job', 'nightly-now', '--from=cronjob/nightly', '-n', shop.namespace];
    const { code, stderr } = await setup.kubectl(undefined, ...run);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await imagesOfPods('nightly', 1), [`${shop.image}:1.1.0`]);
    await assertUntouched(CRON_JOB, 'nightly');
    await assertUntouched(JOB, 'nightly-now');
  });

  it('give a pod that is added the value in force by then, and leave the others alone', async () => {
    const { client, kubectl } = setup;
    const scaled = await follow(setup, 'scaled');
    const { namespace, image } = scaled;
    await create(DEPLOYMENT, 'web', scaled);
    const old = await podsOf(client, namespace, 'app=web', 2);
    await release(setup, scaled, '1.2.0');

    const scale = await kubectl(undefined, 'scale', 'deployment/web', '--replicas=3', '-n', namespace);
    assert.equal(scale.code, 0, scale.stderr);
    const pods = await podsOf(client, namespace, 'app=web', 3);
    const isOld = ({ uid }: StoredPod) => old.some((each) => each.uid === uid);
    assert.deepEqual(pods.filter(isOld), old);
    assert.deepEqual(
      old.map(({ images }) => images),
      [{ web: `${image}:1.1.0` }, { web: `${image}:1.1.0` }],
    );
    assert.deepEqual(
      pods.filter((each) => !isOld(each)).map(({ images }) => images),
      [{ web: `${image}:1.2.0` }],
    );
    await assertOneRevision(scaled, 'web');
  });

  // A controller that took a pod's image for its template's would make revision after revision.
  async function assertOneRevision({ namespace, image }: Followed, name: string): Promise<void> {
    const { client } = setup;
    const deployment = await storedWorkload(client, { resource: DEPLOYMENT.resource, namespace, name });
    assert.deepEqual([deployment.images, deployment.collisions], [[`${image}:manifest`], 0]);
    const path = { resource: REPLICA_SETS, namespace };
    const sets = await namesOwnedBy(client, path, { kind: 'Deployment', name });
    assert.equal(sets.length, 1);
    const set = await storedWorkload(client, { ...path, name: sets[0] ?? '' });
    assert.deepEqual(set.images, [`${image}:manifest`]);
  }

  it('give a pod that takes the place of a deleted one the value in force by then', async () => {
    const { client } = setup;
    const replaced = await follow(setup, 'replaced');
    const { namespace, image } = replaced;
    await create(STATEFUL_SET, 'db', replaced);
    const [first, second] = await podsOf(client, namespace, 'app=db', 2);
    assert.deepEqual(first?.images, { web: `${image}:1.1.0` });
    await release(setup, replaced, '1.2.0');

    await client.delete({ resource: PODS, namespace, name: 'db-0' }, { gracePeriodSeconds: 0 });
    const [again, other] = await waitFor('another db-0', async () => {
      const pods = await podsOf(client, namespace, 'app=db', 2);
      return pods[0]?.uid === first?.uid ? undefined : pods;
    });
    assert.deepEqual(again?.images, { web: `${image}:1.2.0` });
    assert.deepEqual(other, second);
    const path = { resource: CONTROLLER_REVISIONS, namespace };
    assert.equal((await namesOwnedBy(client, path, { kind: 'StatefulSet', name: 'db' })).length, 1);
  });

  it('cost the webhook no request but for new pods with a marker, outside of its own and the system namespace', async () => {
    const { client, webhook } = setup;
    const { namespace, image } = shop;
    const asked = () => webhook.metric('fleetscan_admission_requests_total');
    const create = (name: string, text: object, where = namespace) =>
      client.create({ resource: PODS, namespace: where }, pod(name, { image: `${image}:manifest`, ...text }));
    const before = await asked();

    await create('plain', {});
    await create('other-annotation', { annotations: { 'fleetscan.io/required': 'true' } });
    await create('system', { marker: 'web' }, 'kube-system');
    await create('own', { marker: 'web' }, NAMESPACE);
    await client.create({ resource: PODS, namespace }, mirrorPod('mirror', marked(shop)));
    await client.patch(
      { resource: PODS, namespace, name: 'bare' },
      { metadata: { labels: { a: 'b' } } },
      'merge',
    );
    assert.equal(await asked(), before);

    await create('marked', { marker: 'web' });
    assert.equal(await asked(), before + 1);
    assert.deepEqual((await podNamed(client, 'kube-system', 'system')).images, { web: `${image}:manifest` });
    assert.deepEqual((await podNamed(client, namespace, 'marked')).images, { web: `${image}:1.1.0` });
  });
});
