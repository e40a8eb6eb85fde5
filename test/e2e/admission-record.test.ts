import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RESOLVED_ANNOTATION } from '../../core/resolution.ts';
import { parseImageScan } from '../../kube/kinds/image-scan.ts';
import { IMAGE_SCANS, PODS } from '../../kube/resource.ts';
import { type FakeWebhook, startWebhook } from '../fakes/webhook.ts';
import { waitFor } from '../wait.ts';
import { follow, type Followed, pod, type PodText, release } from './following.ts';
import { type Setup, setUp } from './setup.ts';
import { podNamed, readPod, recordOf, type StoredPod } from './stored.ts';

describe('the record of what was resolved, on the pod', () => {
  let setup: Setup;
  let shop: Followed;

  before(async () => {
    setup = await setUp();
    shop = await follow(setup, 'shop');
  });

  after(() => setup?.stop());

  /** Creates a pod whose manifest says tag `manifest` unless told otherwise, and reads what is stored. */
  async function create(name: string, text: Partial<PodText>, followed = shop): Promise<StoredPod> {
    const { namespace, image } = followed;
    const object = pod(name, { image: `${image}:manifest`, marker: 'web', ...text });
    await setup.client.create({ resource: PODS, namespace }, object);
    return podNamed(setup.client, namespace, name);
  }

  it('says from what to what, by which scan in which generation, and when', async () => {
    const { client } = setup;
    const { namespace, image } = shop;
    const path = { resource: IMAGE_SCANS, namespace, name: 'web' };
    await client.patch(path, { spec: { interval: '1h' } }, 'merge');
    const { generation } = parseImageScan(await client.get(path)).metadata;
    assert.equal(generation, 2);
    await waitFor('the webhook to know', async () => {
      const object = pod('probe', { image, marker: 'web' });
      const seen = readPod(await client.create({ resource: PODS, namespace }, object, { dryRun: 'All' }));
      return recordOf(seen)['web']?.generation === generation ? true : undefined;
    });

    const earliest = Date.now();
    const { web, ...others } = recordOf(await create('recorded', { marker: 'web:digest' }));
    const { time, ...what } = web ?? assert.fail('nothing is recorded of web');
    assert.deepEqual(what, {
      from: `${image}:manifest`,
      to: `${image}:1.1.0@${shop.digests.get('1.1.0')}`,
      scan: 'shop/web',
      generation,
    });
    assert.ok(Date.parse(time) >= earliest && Date.parse(time) <= Date.now(), time);
    assert.deepEqual(others, {});
  });

  it('says so too where the manifest has the image in force already', async () => {
    const image = `${shop.image}:1.1.0`;
    const { web } = recordOf(await create('current', { image }));
    assert.deepEqual([web?.from, web?.to], [image, image]);
  });

  it('is believed of nobody else: a forged one is replaced', async () => {
    const { image } = shop;
    const forged = (to: string) =>
      JSON.stringify({
        web: { from: 'a:1', to, scan: 'shop/web', generation: 7, time: '2020-01-01T00:00:00.000Z' },
        other: { from: 'a:1', to, scan: 'shop/web', generation: 7, time: '2020-01-01T00:00:00.000Z' },
      });
    const texts = {
      'not-json': 'believe me',
      'other-image': forged('registry.example/evil:1'),
      'not-in-history': forged(`${image}:manifest`),
    };
    for (const [name, text] of Object.entries(texts)) {
      const stored = await create(name, { annotations: { [RESOLVED_ANNOTATION]: text } });
      assert.deepEqual(stored.images, { web: `${image}:1.1.0` });
      const { web, ...others } = recordOf(stored);
      assert.deepEqual([web?.from, web?.to], [`${image}:manifest`, `${image}:1.1.0`], name);
      assert.deepEqual(others, {});
    }
  });

  it('is taken away where nothing is resolved', async () => {
    const annotations = { [RESOLVED_ANNOTATION]: '{"web":{}}' };
    const { annotations: stored } = await create('unresolved', { marker: 'unknown', annotations });
    assert.deepEqual(stored, { 'imagescan.fleetscan.io/web': 'unknown' });
  });

  describe('when a later webhook adds a container', () => {
    let late: FakeWebhook;
    const LABEL = { sidecar: 'wanted' };

    before(async () => {
      late = await startWebhook([
        { op: 'add', path: '/metadata/annotations/imagescan.fleetscan.io~1proxy', value: 'web' },
        { op: 'add', path: '/spec/containers/-', value: { name: 'proxy', image: `${shop.image}:late` } },
      ]);
      await setup.cluster.apply(configurationOf(late, LABEL));
      await waitFor('the other webhook to be called', async () => {
        const object = pod('probe', { image: `${shop.image}:manifest`, marker: 'web', labels: LABEL });
        const path = { resource: PODS, namespace: 'shop' };
        await setup.client.create(path, object, { dryRun: 'All' });
        return late.asked() > 0 ? true : undefined;
      });
    });

    after(() => late?.stop());

    it('says what that container got, and what it said of the first stays', async () => {
      const { image } = shop;
      const stored = await create('injected', { labels: LABEL });
      assert.deepEqual(stored.images, { web: `${image}:1.1.0`, proxy: `${image}:1.1.0` });
      const { web, proxy, ...others } = recordOf(stored);
      assert.deepEqual([web?.from, web?.to], [`${image}:manifest`, `${image}:1.1.0`]);
      assert.deepEqual([proxy?.from, proxy?.to], [`${image}:late`, `${image}:1.1.0`]);
      assert.deepEqual(others, {});
    });

    it('keeps the first container at its value when another came into force meanwhile', async () => {
      const moving = await follow(setup, 'moving');
      const { image } = moving;
      const asked = late.asked();
      late.hold();
      const creating = create('held', { labels: LABEL }, moving);
      await waitFor('the other webhook to be asked', () => (late.asked() > asked ? true : undefined));
      await release(setup, moving, '1.2.0');
      const between = Date.now();
      late.pass();

      const stored = await creating;
      assert.deepEqual(stored.images, { web: `${image}:1.1.0`, proxy: `${image}:1.2.0` });
      const { web, proxy } = recordOf(stored);
      assert.deepEqual([web?.from, web?.to], [`${image}:manifest`, `${image}:1.1.0`]);
      assert.ok(Date.parse(web?.time ?? '') < between && Date.parse(proxy?.time ?? '') >= between);
    });

    it('lets in a pod that requires a value for a container that is yet to come', async () => {
      const annotations = {
        'fleetscan.io/required': 'true',
        'imagescan.fleetscan.io/proxy': 'web:tag',
      };
      const { images } = await create('required', { labels: LABEL, annotations });
      assert.deepEqual(images, { web: `${shop.image}:1.1.0`, proxy: `${shop.image}:1.1.0` });
    });
  });
});

/** Makes the API server call a webhook for pods with a label, after ours: it calls them in the order of their names. */
function configurationOf({ clientConfig }: FakeWebhook, matchLabels: object): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'zz-sidecars' },
    webhooks: [
      {
        name: 'sidecars.example.com',
        clientConfig,
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
        objectSelector: { matchLabels },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 30,
      },
    ],
  };
}
