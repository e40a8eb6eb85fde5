import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type KubeClient } from '../../kube/client.ts';
import { PODS } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { freePort } from '../control-plane/processes.ts';
import { createNamespace, IMAGE } from '../e2e/admission.ts';
import { pod } from '../e2e/following.ts';
import { installProduct, type Product, type Program } from '../e2e/product.ts';
import { digestOf, putValue } from '../e2e/reconciling.ts';
import { readPod } from '../e2e/stored.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds, removeFleetKind } from './kinds.ts';
import { applyAsFleet, overwriteStatusAsFleet } from './objects.ts';
import { bareScan } from './taking-over.ts';

const TEAM = 'fleet-default';

describe("the webhook, with Fleet's kinds or without them", () => {
  let cluster: Cluster;
  let client: KubeClient;
  let webhookPort: number;

  before(async () => {
    cluster = await startCluster();
    client = await connect({ kubeconfig: cluster.kubeconfig });
    webhookPort = await freePort();
    await createNamespace(client, TEAM);
  });

  after(async () => {
    await client?.close();
    await cluster?.stop();
  });

  /** Runs both programs, with the rights that the chart gives for `takeover`, and flags that say `serve`. */
  async function serving(takeover: 'off' | 'serve', use: (webhook: Program) => Promise<void>): Promise<void> {
    const product: Product = await installProduct(cluster, {
      webhookPort,
      values: [`fleet.takeover=${takeover}`],
    });
    try {
      const args = ['--fleet-takeover=serve'];
      const [webhook] = await Promise.all([
        product.startWebhook({ args }),
        product.startReconciler({ args: ['--lease-duration=2s'] }),
      ]);
      await use(webhook);
    } finally {
      await product.stop();
    }
  }

  async function imageBy(marker: string): Promise<string | undefined> {
    const object = pod('probe', { image: `${IMAGE}:manifest`, marker });
    const path = { resource: PODS, namespace: TEAM };
    return readPod(await client.create(path, object, { dryRun: 'All' })).images['web'];
  }

  const untilImage = (marker: string, tag: string): Promise<true> =>
    waitFor(`${marker} to give ${tag}`, async () =>
      (await imageBy(marker)) === `${IMAGE}:${tag}` ? true : undefined,
    );

  async function putFleetValue(name: string, tag: string): Promise<void> {
    await applyAsFleet(client, { ...bareScan(name), metadata: { namespace: TEAM, name } });
    const latest = { latestTag: tag, latestImage: `${IMAGE}:${tag}`, latestDigest: digestOf(tag) };
    const status = { canonicalImageName: IMAGE, ...latest };
    await overwriteStatusAsFleet(client, 'ImageScan', { namespace: TEAM, name }, status);
  }

  const lastContact = (webhook: Program): Promise<number> =>
    webhook.metric('fleetscan_webhook_last_contact_timestamp_seconds');

  it('is ready in a cluster without Fleet, and serves its ImageScans once they come, and no longer when they go', async () => {
    await serving('serve', async (webhook) => {
      await putValue(client, { namespace: TEAM, name: 'own' }, '1.0.0');
      await untilImage('own', '1.0.0');
      await installFleetKinds(client);
      await putFleetValue('web', '2.0.0');
      await untilImage('web', '2.0.0');
      assert.equal(await webhook.metric('fleetscan_webhook_scans'), 2);
      await removeFleetKind(client, 'imagescans');
      await waitFor('web to go', async () =>
        (await imageBy('web')) === `${IMAGE}:manifest` ? true : undefined,
      );
      await untilImage('own', '1.0.0');
      assert.equal(webhook.process.output().includes('"level":50'), false);
    });
  });

  it("is ready where it may not read Fleet's ImageScans, and goes on with ours", async (t) => {
    await installFleetKinds(client, ['imagescans']);
    t.after(() => removeFleetKind(client, 'imagescans'));
    await serving('off', async (webhook) => {
      await putValue(client, { namespace: TEAM, name: 'own' }, '1.0.0');
      await untilImage('own', '1.0.0');
      assert.match(webhook.process.output(), /"group":"fleet\.cattle\.io".*forbidden/i);
      assert.ok((await lastContact(webhook)) > Date.now() / 1000 - 60);
    });
  });

  it('tells since when it knows of both groups, of an absent kind too', async () => {
    await serving('serve', async (webhook) => {
      const begun = Date.now() / 1000;
      let changes = 0;
      await waitFor('contact with both', async () => {
        changes += 1;
        await putValue(client, { namespace: TEAM, name: 'own' }, `1.0.${changes}`);
        return (await lastContact(webhook)) > begun ? true : undefined;
      });
    });
  });
});
