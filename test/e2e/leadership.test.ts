import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { connect, type KubeClient } from '../../kube/client.ts';
import { parseImageScan, SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { IMAGE_SCANS, LEASES } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { freePort } from '../control-plane/processes.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { waitFor } from '../wait.ts';
import { createNamespace } from './admission.ts';
import { createScan } from './following.ts';
import { installProduct, NAMESPACE, type Product, type Program } from './product.ts';

const SCANS = Array.from({ length: 12 }, (_, index) => `app-${index}`);
const [FIRST = ''] = SCANS;
const SHORT = ['--lease-duration', '3s'];
const LONG = ['--lease-duration', '20s'];
/** Less than {@link LONG}: who leads by then did not wait for the Lease to expire. */
const AT_ONCE = { timeoutMs: 15_000 };
const lease = z.object({ spec: z.object({ holderIdentity: z.string() }) });

describe('reconcilers, of which one leads', () => {
  let cluster: Cluster;
  let client: KubeClient;
  let registry: Registry;
  let product: Product;
  let leader: Program;
  let standby: Program;

  before(async () => {
    [cluster, registry] = await Promise.all([startCluster(), startRegistry()]);
    client = await connect({ kubeconfig: cluster.kubeconfig });
    const webhookPort = await freePort();
    product = await installProduct(cluster, { webhookPort, insecureRegistries: [registry.host] });
    await createNamespace(client, 'scans');
    for (const name of SCANS) {
      await pushImage(registry.host, name, '1.0.0', { platforms: ['linux/amd64'] });
      await createScan(client, { namespace: 'scans', name }, { image: `${registry.host}/${name}` });
    }
  });

  after(async () => {
    await product?.stop();
    await client?.close();
    await Promise.all([registry?.stop(), cluster?.stop()]);
  });

  async function untilLeads(identity: string, options: { timeoutMs?: number } = {}): Promise<void> {
    const path = { resource: LEASES, namespace: NAMESPACE, name: 'fleetscan-reconciler' };
    const check = async (): Promise<true | undefined> => {
      const { spec } = lease.parse(await client.get(path));
      return spec.holderIdentity === identity ? true : undefined;
    };
    await waitFor(`${identity} to lead`, check, options);
  }

  async function statusOf(name: string) {
    return parseImageScan(await client.get({ resource: IMAGE_SCANS, namespace: 'scans', name })).status;
  }

  /** Asks for a scan and waits until somebody has carried it out. */
  async function scanNow(name: string, request: string): Promise<void> {
    const metadata = { annotations: { [SCAN_REQUEST_ANNOTATION]: request } };
    await client.patch({ resource: IMAGE_SCANS, namespace: 'scans', name }, { metadata }, 'merge');
    await waitFor(`an answer to ${request}`, async () => {
      return (await statusOf(name)).lastHandledScanRequest === request ? true : undefined;
    });
  }

  /** What reconcilers have asked the registry since its request number `from`: each repository with its requests. */
  function askedSince(from: number): Map<string, string[]> {
    const asked = new Map<string, string[]>();
    for (const { method, url, userAgent } of registry.requests().slice(from)) {
      if (!userAgent.startsWith('fleetscan')) continue;
      const [, repository = '', what = ''] = /^\/v2\/([^/]+)\/([^?]*)/.exec(url) ?? [];
      const request = `${method} ${what.replace(/sha256:.*/, 'DIGEST')}`;
      asked.set(repository, [...(asked.get(repository) ?? []), request]);
    }
    return asked;
  }

  function scansOf(program: Program): Promise<number> {
    return program.metric('fleetscan_scans_total');
  }

  /** Who scans now, and nobody else: a scan that is asked for is carried out, and is all that the registry hears of. */
  async function assertOnlyScans(program: Program, from: number): Promise<void> {
    const before = await scansOf(program);
    await scanNow(FIRST, `after request ${from}`);
    await waitFor('the log of the registry', () =>
      askedSince(from).get(FIRST)?.length === 2 ? true : undefined,
    );
    assert.deepEqual([...askedSince(from).keys()], [FIRST]);
    assert.equal(await scansOf(program), before + 1);
  }

  it('leave all scans to the leader, which asks the registry once for each', async () => {
    leader = await product.startReconciler({ identity: 'a', args: SHORT });
    await untilLeads('a');
    standby = await product.startReconciler({ identity: 'b', args: SHORT });
    for (const name of SCANS) {
      await waitFor(`a value of ${name}`, async () => (await statusOf(name)).latestTag);
    }
    const once = ['GET tags/list', 'HEAD manifests/1.0.0', 'GET manifests/DIGEST'];
    await waitFor('the log of the registry', () =>
      [...askedSince(0).values()].flat().length >= once.length * SCANS.length ? true : undefined,
    );
    assert.deepEqual(askedSince(0), new Map(SCANS.map((name) => [name, once])));
    assert.deepEqual([await scansOf(leader), await scansOf(standby)], [SCANS.length, 0]);
  });

  it('step down when they wake after a freeze in which another took over', async () => {
    const from = registry.requests().length;
    leader.process.kill('SIGSTOP');
    await untilLeads('b');
    leader.process.kill('SIGCONT');
    await waitFor('a to step down', async () =>
      (await leader.metric('fleetscan_reconciler_leading')) === 0 ? true : undefined,
    );
    await assertOnlyScans(standby, from);
    assert.equal(await scansOf(leader), SCANS.length);
    await leader.process.stop();
    leader = standby;
  });

  it('take over from one that was killed, without a scan that is not due', async () => {
    const from = registry.requests().length;
    standby = await product.startReconciler({ identity: 'c', args: LONG });
    leader.process.kill('SIGKILL');
    await untilLeads('c');
    await assertOnlyScans(standby, from);
    leader = standby;
  });

  it('take over at once from one that ends in order', async () => {
    const from = registry.requests().length;
    standby = await product.startReconciler({ identity: 'd', args: SHORT });
    await leader.process.stop();
    assert.equal(leader.process.exitedWith(), 0, leader.process.output());
    await untilLeads('d', AT_ONCE);
    await assertOnlyScans(standby, from);
    leader = standby;
  });

  it('spread scans that have become overdue while none of them ran', async () => {
    await leader.process.stop();
    const status = { lastScanTime: '2020-01-01T00:00:00Z' };
    for (const name of SCANS) {
      const path = { resource: IMAGE_SCANS, namespace: 'scans', name, subresource: 'status' };
      await client.patch(path, { status }, 'merge');
    }
    const from = registry.requests().length;
    await product.startReconciler({ identity: 'e', args: SHORT });
    await untilLeads('e');
    await scanNow(FIRST, 'among the overdue');
    // The minute over which they are spread has just begun.
    assert.ok(askedSince(from).size < SCANS.length / 2, [...askedSince(from).keys()].join());
  });
});
