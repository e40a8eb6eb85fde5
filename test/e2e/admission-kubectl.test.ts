import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { EVENTS, IMAGE_SCANS, type ObjectPath, PODS } from '../../kube/resource.ts';
import { follow, type Followed, pod, release } from './following.ts';
import { type Setup, setUp } from './setup.ts';
import { podNamed, podsOf, readPod, recordOf } from './stored.ts';
import { DEPLOYMENT } from './workloads.ts';

describe('kubectl', () => {
  let setup: Setup;
  let shop: Followed;

  before(async () => {
    setup = await setUp();
    shop = await follow(setup, 'shop');
  });

  after(() => setup?.stop());

  /** Runs a command that must succeed and warn of nothing. @returns what it says */
  async function kubectl(object: object | undefined, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await setup.kubectl(object, '-n', shop.namespace, ...args);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    return stdout.trim();
  }

  const apply = (object: object, ...args: string[]) => kubectl(object, 'apply', '-f', '-', ...args);
  const podPath = (name: string): ObjectPath => ({ resource: PODS, namespace: shop.namespace, name });
  const deploymentPath = (name: string): ObjectPath => ({
    resource: DEPLOYMENT.resource,
    namespace: shop.namespace,
    name,
  });

  async function specVersion(path: ObjectPath): Promise<number | undefined> {
    return versioned.parse(await setup.client.get(path)).metadata.generation;
  }

  it('apply says unchanged of an unchanged Deployment, before and after a new value', async () => {
    const moving = await follow(setup, 'moving');
    const { namespace, image } = moving;
    const manifest = DEPLOYMENT.manifest('web', { image: `${image}:manifest`, marker: 'web' });
    assert.equal(await apply(manifest, '-n', namespace), 'deployment.apps/web created');
    await podsOf(setup.client, namespace, 'app=web', 2);
    assert.equal(await apply(manifest, '-n', namespace), 'deployment.apps/web unchanged');
    await release(setup, moving, '1.2.0');
    assert.equal(await apply(manifest, '-n', namespace), 'deployment.apps/web unchanged');
    assert.equal(await specVersion({ ...deploymentPath('web'), namespace }), 1);
    for (const { images } of await podsOf(setup.client, namespace, 'app=web', 2))
      assert.deepEqual(images, { web: `${image}:1.1.0` });
  });

  it('apply says unchanged of an unchanged Pod whose manifest has the value in force', async () => {
    const manifest = pod('current', { image: `${shop.image}:1.1.0`, marker: 'web' });
    assert.equal(await apply(manifest), 'pod/current created');
    const stored = await setup.client.get(podPath('current'));
    assert.equal(await apply(manifest), 'pod/current unchanged');
    assert.deepEqual(await setup.client.get(podPath('current')), stored);
  });

  it('apply puts a bare Pod back to its manifest, as it does with any field, since updates of pods are left alone', async () => {
    const { image, namespace } = shop;
    const manifest = pod('older', { image: `${image}:1.0.0`, marker: 'web' });
    assert.equal(await apply(manifest), 'pod/older created');
    assert.deepEqual((await podNamed(setup.client, namespace, 'older')).images, { web: `${image}:1.1.0` });
    assert.equal(await apply(manifest), 'pod/older configured');
    assert.deepEqual((await podNamed(setup.client, namespace, 'older')).images, { web: `${image}:1.0.0` });
  });

  it('apply --dry-run=server shows the resolved image, and nothing is written', async () => {
    const { client } = setup;
    const { namespace, image } = shop;
    const everything = () =>
      Promise.all([PODS, IMAGE_SCANS, EVENTS].map((resource) => client.list({ resource, namespace })));
    const before = (await everything()).map((list) => items.parse(list));

    const manifest = pod('dry', { image: `${image}:1.0.0`, marker: 'web:digest' });
    const shown = readPod(JSON.parse(await apply(manifest, '--dry-run=server', '-o', 'json')));
    const resolved = `${image}:1.1.0@${shop.digests.get('1.1.0')}`;
    assert.deepEqual(shown.images, { web: resolved });
    assert.equal(recordOf(shown)['web']?.to, resolved);
    assert.deepEqual(
      (await everything()).map((list) => items.parse(list)),
      before,
    );
  });

  it('apply --server-side creates pods with the resolved image', async () => {
    const { client } = setup;
    const { namespace, image } = shop;
    const text = { image: `${image}:manifest`, marker: 'web' };
    assert.equal(await apply(pod('side', text), '--server-side'), 'pod/side serverside-applied');
    const stored = await podNamed(client, namespace, 'side');
    assert.deepEqual(stored.images, { web: `${image}:1.1.0` });
    assert.equal(recordOf(stored)['web']?.from, `${image}:manifest`);
  });

  it('apply --server-side of an unchanged Deployment changes nothing, and conflicts with nobody', async () => {
    const { namespace, image } = shop;
    const manifest = DEPLOYMENT.manifest('side', { image: `${image}:manifest`, marker: 'web' });
    for (let time = 0; time < 2; time++) {
      assert.equal(await apply(manifest, '--server-side'), 'deployment.apps/side serverside-applied');
      for (const { images } of await podsOf(setup.client, namespace, 'app=side', 2))
        assert.deepEqual(images, { web: `${image}:1.1.0` });
    }
    assert.equal(await specVersion(deploymentPath('side')), 1);
  });

  it('run makes a pod with the resolved image', async () => {
    const { namespace, image } = shop;
    const annotation = '--annotations=imagescan.fleetscan.io/ran=web:tag';
    assert.equal(await kubectl(undefined, 'run', 'ran', `--image=${image}:0`, annotation), 'pod/ran created');
    assert.deepEqual((await podNamed(setup.client, namespace, 'ran')).images, { ran: `${image}:1.1.0` });
  });
});

const versioned = z.object({ metadata: z.object({ generation: z.int().optional() }) });
const items = z.object({ items: z.array(z.unknown()) });
