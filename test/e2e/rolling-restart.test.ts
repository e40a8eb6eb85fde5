import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Agent, request } from 'undici';
import { connect, type KubeClient } from '../../kube/client.ts';
import { MUTATING_WEBHOOKS } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { freePort } from '../control-plane/processes.ts';
import { type Service, startService } from '../fakes/service.ts';
import { startTcpProxy } from '../fakes/tcp-proxy.ts';
import { waitFor } from '../wait.ts';
import {
  createNamespace,
  failOpenCount,
  IMAGE,
  imageOfNewPod,
  kubeconfigThrough,
  markedPod,
  podImages,
  putInForce,
  untilPodsGet,
} from './admission.ts';
import { underLoad } from './load.ts';
import { installProduct, type Product, type Program } from './product.ts';

describe('webhook replicas behind a Service', () => {
  let cluster: Cluster;
  let client: KubeClient;
  let service: Service;
  let product: Product;
  let replicas: Program[] = [];

  before(async () => {
    [cluster, service] = await Promise.all([startCluster(), startService(await freePort())]);
    client = await connect({ kubeconfig: cluster.kubeconfig });
    product = await installProduct(cluster, { webhookPort: service.port });
    await product.startReconciler();
  });

  after(async () => {
    await product?.stop();
    await client?.close();
    await service?.stop();
    await cluster?.stop();
  });

  /** Starts a replica, puts it behind the Service when it is ready, and waits until it gets connections. */
  async function startReplica(): Promise<Program> {
    const port = await freePort();
    const replica = await product.startWebhook({ port, args: ['--drain', '3s'] });
    service.add({ port, health: replica.health });
    await waitFor('the endpoint', () => (service.endpoints().includes(port) ? true : undefined));
    return replica;
  }

  it('are ready only with all scans in memory, and until then ask the API server to ask again', async (t) => {
    await createNamespace(client, 'warm-up');
    // Of the list, which is larger than what comes through, half is held back; the certificate is small.
    const annotations = { filler: 'x'.repeat(200_000) };
    await putInForce(client, { namespace: 'warm-up', name: 'web', tag: '1.1.0', annotations });
    const proxy = await startTcpProxy(Number(new URL(cluster.url).port));
    t.after(() => proxy.stop());
    proxy.hold(100_000);

    const [port, healthPort] = [await freePort(), await freePort()];
    const kubeconfig = await kubeconfigThrough(proxy, product.kubeconfig);
    const starting = product.startWebhook({ port, healthPort, args: ['--kubeconfig', kubeconfig] });
    const agent = new Agent({ connect: { rejectUnauthorized: false } });
    t.after(() => agent.destroy());
    const review = await waitFor('the webhook to listen', () =>
      request(`https://127.0.0.1:${port}/mutate`, { method: 'POST', body: '{}', dispatcher: agent }),
    );
    assert.equal(review.statusCode, 503);
    assert.equal(review.headers['retry-after'], '1');
    const probe = await request(`http://127.0.0.1:${healthPort}/readyz`, { reset: true });
    assert.equal(probe.statusCode, 503);
    assert.match(await probe.body.text(), /scans are still being read/);

    proxy.pass();
    const webhook = await starting;
    t.after(() => webhook.process.stop());
    assert.equal(await webhook.metric('fleetscan_webhook_scans'), 1);
    assert.equal(await webhook.metric('fleetscan_admission_requests_total', { result: 'not_ready' }), 1);
  });

  it('lose no resolution in a rolling restart under 20 pod creations a second', async () => {
    await createNamespace(client, 'restart');
    await putInForce(client, { namespace: 'restart', name: 'web', tag: '1.1.0' });
    await createNamespace(client, 'probe');
    await putInForce(client, { namespace: 'probe', name: 'web', tag: '1.1.0' });
    replicas = await Promise.all([startReplica(), startReplica()]);
    await untilPodsGet(client, 'probe', `${IMAGE}:1.1.0`);
    const before = await failOpenCount(client);

    const { asked, failures } = await underLoad(client, 'restart', async () => {
      for (const old of replicas.splice(0, 2)) {
        replicas.push(await startReplica());
        await old.process.stop(30_000);
        assert.equal(old.process.exitedWith(), 0, old.process.output());
      }
    });

    assert.deepEqual(failures, []);
    assert.deepEqual(await podImages(client, 'restart'), { [`${IMAGE}:1.1.0`]: asked });
    assert.equal(await failOpenCount(client), before);
    for (const replica of replicas)
      assert.ok((await replica.metric('fleetscan_admission_requests_total')) > 0);
  });

  it('being gone, let pods start with the image of their manifest, and the API server counts them', async () => {
    await Promise.all(replicas.map(({ process }) => process.stop(30_000)));
    const before = await failOpenCount(client);
    assert.equal(await imageOfNewPod(client, 'restart'), `${IMAGE}:manifest`);
    assert.equal(await failOpenCount(client), before + 1);
  });
});
