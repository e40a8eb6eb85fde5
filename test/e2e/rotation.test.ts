import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '../../core/errors.ts';
import { keepCertificates } from '../../certs/keeper.ts';
import { servingNames } from '../../certs/names.ts';
import { connect, type KubeClient } from '../../kube/client.ts';
import { SECRETS } from '../../kube/resource.ts';
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
import { untilPodsGet } from './following.ts';
import { underLoad } from './load.ts';
import { installProduct, NAMESPACE, type Product } from './product.ts';

const DAY_MS = 86_400_000;
const SECRET = { resource: SECRETS, namespace: NAMESPACE, name: 'fleetscan-webhook-cert' };
/** The leader waits ten seconds between publishing an authority and serving a certificate of it. */
const ROTATION = { timeoutMs: 60_000 };

describe('rotation of the certificates under 20 pod creations a second', () => {
  let cluster: Cluster;
  let client: KubeClient;
  let service: Service;
  let product: Product;
  let ports: number[];

  before(async () => {
    [cluster, service] = await Promise.all([startCluster(), startService(await freePort())]);
    client = await connect({ kubeconfig: cluster.kubeconfig });
    product = await installProduct(cluster, { webhookPort: service.port });
    await issueLongAgo();
    ports = [await freePort(), await freePort()];
    await Promise.all(ports.map(startReplica));
  });

  after(async () => {
    await product?.stop();
    await client?.close();
    await service?.stop();
    await cluster?.stop();
  });

  /** Certificates as a leader left them 70 days ago, and nobody has led since: all are due, none has expired. */
  async function issueLongAgo(): Promise<void> {
    const settled = new AbortController();
    const url = `https://127.0.0.1:${service.port}/mutate`;
    await keepCertificates(
      {
        client,
        namespace: NAMESPACE,
        secretName: SECRET.name,
        webhookConfiguration: 'fleetscan',
        wanted: servingNames({ service: 'fleetscan', namespace: NAMESPACE, url }),
        now: () => new Date(Date.now() - 70 * DAY_MS),
        policy: { caValidMs: 90 * DAY_MS, leafValidMs: 90 * DAY_MS, publishDelayMs: 0 },
        report: (event) => {
          if (event.kind === 'settled') settled.abort();
        },
      },
      settled.signal,
    );
  }

  async function startReplica(port: number): Promise<void> {
    const { health } = await product.startWebhook({ port });
    service.add({ port, health });
    await waitFor('the endpoint', () => (service.endpoints().includes(port) ? true : undefined));
  }

  /** The certificate at a port, by which the API server would know a webhook: it is checked as the API server does. */
  async function servedAt(port: number, authorities: readonly X509Certificate[]): Promise<X509Certificate> {
    const ca = authorities.map(String);
    const socket = connectTls({ host: '127.0.0.1', port, ca, ALPNProtocols: ['http/1.1'] });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerX509Certificate();
    socket.destroy();
    assert.ok(certificate);
    return certificate;
  }

  /**
   * Waits until all replicas serve a certificate of the newest authority, which is none of those before. Whatever is served
   * on the way there is of a published authority.
   *
   * @returns the authorities that are published then
   */
  async function untilRotated(before: readonly X509Certificate[]): Promise<X509Certificate[]> {
    const known = before.map(String);
    const distrusted: string[] = [];
    const after = await waitFor(
      'all replicas to serve a certificate of a new authority',
      async () => {
        const authorities = await publishedAuthorities(client);
        const served = ports.map((port) => servedAt(port, authorities));
        const leaves = await Promise.all(served).catch((error: unknown) => distrusted.push(messageOf(error)));
        const [newest] = authorities;
        if (newest === undefined || known.includes(String(newest)) || typeof leaves === 'number') return;
        return leaves.every((leaf) => leaf.verify(newest.publicKey)) ? authorities : undefined;
      },
      ROTATION,
    );
    assert.deepEqual(distrusted, []);
    return after;
  }

  /** Creates pods while `work` runs; each must get its image from the webhook, over connections that no replica ends. */
  async function nothingIsLost(namespace: string, work: () => Promise<void>): Promise<void> {
    await createNamespace(client, namespace);
    await putInForce(client, { namespace, name: 'web', tag: '1.1.0' });
    await untilPodsGet(client, namespace, { marker: 'web', image: `${IMAGE}:1.1.0` });
    const before = await failOpenCount(client);
    const { asked, failures } = await underLoad(client, namespace, work);
    assert.deepEqual(failures, []);
    assert.deepEqual(await podImages(client, namespace), { [`${IMAGE}:1.1.0`]: asked });
    assert.equal(await failOpenCount(client), before);
    assert.equal(service.connections().endedByReplica, 0);
  }

  it('fails no admission call when a new leader finds that all is due', async () => {
    const before = await publishedAuthorities(client);
    await nothingIsLost('due', async () => {
      await product.startReconciler();
      const [, ...retired] = await untilRotated(before);
      // A replica that did not hear of the new certificate is trusted still.
      assert.deepEqual(retired.map(String), before.map(String));
    });
  });

  it('fails no admission call when somebody deletes the Secret: all is issued anew', async () => {
    const before = await publishedAuthorities(client);
    await nothingIsLost('deleted', async () => {
      await client.delete(SECRET);
      await untilRotated(before);
    });
  });
});
