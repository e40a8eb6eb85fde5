import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Agent, request } from 'undici';
import { connect, type KubeClient } from '../../kube/client.ts';
import { IMAGE_SCANS, MUTATING_WEBHOOKS, PODS, type Resource, urlPath } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { freePort } from '../control-plane/processes.ts';
import { type Service, startService } from '../fakes/service.ts';
import { waitFor } from '../wait.ts';
import {
  createNamespace,
  failOpenCount,
  IMAGE,
  podImages,
  publishedAuthorities,
  putInForce,
} from './admission.ts';
import { pod, untilPodsGet } from './following.ts';
import { underLoad } from './load.ts';
import { installProduct, type Product, type Program, sumOf } from './product.ts';
import { readPod } from './stored.ts';

const CLUSTER_ROLE_BINDINGS: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
};

/** How often all replicas are replaced. */
const ROUNDS = process.env['SOAK'] === undefined ? 1 : 20;

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
    await waitFor('a certificate', async () => (await publishedAuthorities(client))[0]);
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
    const replica = await product.startWebhook({ port, args: ['--drain', '2s'] });
    service.add({ port, health: replica.health });
    await waitFor('the endpoint', () => (service.endpoints().includes(port) ? true : undefined));
    return replica;
  }

  it('are ready only with all scans in memory, and have the API server ask again until then', async (t) => {
    await createNamespace(client, 'warm-up');
    await putInForce(client, { namespace: 'warm-up', name: 'web', tag: '1.1.0' });
    const allowScans = await forbidScans(t);
    const [port, healthPort] = [await freePort(), await freePort()];
    const starting = product.startWebhook({ port, healthPort });
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

    await callAt(port, 30);
    t.after(() => callAt(service.port, 2));
    const asked: Promise<string | undefined>[] = [];
    await waitFor('the API server to call there', async () => {
      asked.push(imageOfNewPod('warm-up'));
      return (await refusedBy(healthPort)) > 1 ? true : undefined;
    });
    asked.push(imageOfNewPod('warm-up'));
    await allowScans();
    // The first may have been let in before the API server knew where to call.
    assert.equal((await Promise.all(asked)).at(-1), `${IMAGE}:1.1.0`);
    const webhook = await starting;
    assert.equal(await webhook.metric('fleetscan_webhook_scans'), 1);
    await webhook.process.stop(0);
  });

  /** Has the API server call the webhook at a port, past the Service, and wait so many seconds for its answer. */
  async function callAt(port: number, timeoutSeconds: number): Promise<void> {
    const url = `https://127.0.0.1:${port}/mutate`;
    const body = { webhooks: [{ name: 'pods.fleetscan.io', clientConfig: { url }, timeoutSeconds }] };
    await client.patch({ resource: MUTATING_WEBHOOKS, name: 'fleetscan' }, body, 'strategic');
  }

  /** How many reviews a webhook has refused because it was not ready. */
  async function refusedBy(healthPort: number): Promise<number> {
    const { body } = await request(`http://127.0.0.1:${healthPort}/metrics`, { reset: true });
    return sumOf(await body.text(), 'fleetscan_admission_requests_total', { result: 'not_ready' });
  }

  /** The image that a new pod gets, which says `manifest` and bears a marker. */
  async function imageOfNewPod(namespace: string): Promise<string | undefined> {
    const object = pod(`pod-${crypto.randomUUID()}`, { image: `${IMAGE}:manifest`, marker: 'web' });
    return readPod(await client.create({ resource: PODS, namespace }, object)).images['web'];
  }

  /** Takes the right to read ImageScans from the programs. @returns what gives it back */
  async function forbidScans(t: TestContext): Promise<() => Promise<void>> {
    const path = { resource: CLUSTER_ROLE_BINDINGS, name: 'fleetscan' };
    const { subjects } = (await client.get(path)) as { subjects: object[] };
    const programs = await connect({ kubeconfig: product.kubeconfig });
    t.after(() => programs.close());
    const give = async (subjects: readonly object[], isAllowed: boolean): Promise<void> => {
      await client.patch(path, { subjects }, 'merge');
      await waitFor('the right to change', async () => {
        const { status } = await programs.raw('GET', urlPath({ resource: IMAGE_SCANS }));
        return (status === 200) === isAllowed ? true : undefined;
      });
    };
    await give([], false);
    return () => give(subjects, true);
  }

  it('lose no resolution in a rolling restart under 20 pod creations a second', async () => {
    await createNamespace(client, 'restart');
    await putInForce(client, { namespace: 'restart', name: 'web', tag: '1.1.0' });
    replicas = await Promise.all([startReplica(), startReplica()]);
    await untilPodsGet(client, 'restart', { marker: 'web', image: `${IMAGE}:1.1.0` });
    const before = await failOpenCount(client);

    const { asked, failures } = await underLoad(client, 'restart', async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const old of replicas.splice(0, 2)) {
          replicas.push(await startReplica());
          await old.process.stop(30_000);
          assert.equal(old.process.exitedWith(), 0, old.process.output());
        }
      }
    });

    assert.deepEqual(failures, []);
    assert.deepEqual(await podImages(client, 'restart'), { [`${IMAGE}:1.1.0`]: asked });
    assert.equal(await failOpenCount(client), before);
  });

  it('being gone, let pods start with the image of their manifest, and the API server counts them', async () => {
    await Promise.all(replicas.map(({ process }) => process.stop(30_000)));
    const before = await failOpenCount(client);
    assert.equal(await imageOfNewPod('restart'), `${IMAGE}:manifest`);
    assert.equal(await failOpenCount(client), before + 1);
  });
});
