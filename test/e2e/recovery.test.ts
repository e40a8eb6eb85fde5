import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type KubeClient } from '../../kube/client.ts';
import { IMAGE_SCANS, PODS } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { freePort } from '../control-plane/processes.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { startTcpProxy, type TcpProxy } from '../fakes/tcp-proxy.ts';
import { waitFor } from '../wait.ts';
import { createNamespace, IMAGE, kubeconfigThrough, putInForce } from './admission.ts';
import { follow, pod, release, untilPodsGet } from './following.ts';
import { installProduct, type Product, type Program } from './product.ts';
import { readPod } from './stored.ts';

describe('webhook and reconciler, when they lose the API server', () => {
  let cluster: Cluster;
  let client: KubeClient;
  let registry: Registry;
  /** Between the programs and the API server; the tests go past it. */
  let proxy: TcpProxy;
  let product: Product;
  let programs: Program[];

  before(async () => {
    [cluster, registry] = await Promise.all([startCluster(), startRegistry()]);
    client = await connect({ kubeconfig: cluster.kubeconfig });
    const webhookPort = await freePort();
    product = await installProduct(cluster, { webhookPort, insecureRegistries: [registry.host] });
    proxy = await startTcpProxy(Number(new URL(cluster.url).port));
    const kubeconfig = await kubeconfigThrough(proxy, product.kubeconfig);
    programs = await Promise.all([
      // Long enough to be the leader still when the API server comes back.
      product.startReconciler({ kubeconfig, args: ['--lease-duration', '2m'] }),
      product.startWebhook({ args: ['--kubeconfig', kubeconfig] }),
    ]);
  });

  after(async () => {
    await product?.stop();
    await client?.close();
    await Promise.all([proxy?.stop(), registry?.stop(), cluster?.stop()]);
  });

  async function restartApiServer(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await cluster.stopApiServer(signal);
    await cluster.startApiServer();
    // The connections of this process have ended too.
    await waitFor('the API server', async () => {
      const { status } = await client.raw('GET', '/readyz');
      return status === 200 ? true : undefined;
    });
  }

  /** How often a program was told that the changes it asks for are forgotten, as its log has it. */
  function timesTold({ process }: Program): number {
    return process.output().split('"code":"Expired"').length - 1;
  }

  /** The image that pods of a namespace get by a marker; their manifest says `manifest`. */
  async function imageBy(marker: string, namespace: string): Promise<string | undefined> {
    const object = pod('probe', { image: `${IMAGE}:manifest`, marker });
    const stored = await client.create({ resource: PODS, namespace }, object, { dryRun: 'All' });
    return readPod(stored).images['web'];
  }

  it('go on after it has crashed and come back', async () => {
    const followed = await follow({ client, registry }, 'crash');
    await restartApiServer('SIGKILL');
    await release({ client, registry }, followed, '1.2.0');
    await follow({ client, registry }, 'crash-new');
  });

  it('go on after their connections were cut', async () => {
    const followed = await follow({ client, registry }, 'cut');
    proxy.cut();
    await release({ client, registry }, followed, '1.2.0');
  });

  it('get what changed while no connection was possible', async () => {
    await createNamespace(client, 'away');
    await putInForce(client, { namespace: 'away', name: 'web', tag: '1.1.0' });
    await untilPodsGet(client, 'away', { marker: 'web', image: `${IMAGE}:1.1.0` });
    proxy.refuse();
    await putInForce(client, { namespace: 'away', name: 'web', tag: '1.2.0' });
    assert.equal(await imageBy('web', 'away'), `${IMAGE}:1.1.0`);
    proxy.pass();
    await untilPodsGet(client, 'away', { marker: 'web', image: `${IMAGE}:1.2.0` });
  });

  it('get what changed so long ago that the API server has forgotten the changes (410 Gone)', async () => {
    await createNamespace(client, 'gone');
    for (const name of ['changed', 'deleted']) {
      await putInForce(client, { namespace: 'gone', name, tag: '1.1.0' });
      await untilPodsGet(client, 'gone', { marker: name, image: `${IMAGE}:1.1.0` });
    }
    const toldBefore = programs.map(timesTold);
    proxy.hold(0);
    await putInForce(client, { namespace: 'gone', name: 'changed', tag: '1.2.0' });
    await putInForce(client, { namespace: 'gone', name: 'new', tag: '1.3.0' });
    await client.delete({ resource: IMAGE_SCANS, namespace: 'gone', name: 'deleted' });
    // It remembers no changes from before its start.
    await restartApiServer('SIGTERM');
    proxy.cut();
    proxy.pass();
    await untilPodsGet(client, 'gone', { marker: 'changed', image: `${IMAGE}:1.2.0` });
    assert.equal(await imageBy('new', 'gone'), `${IMAGE}:1.3.0`);
    assert.equal(await imageBy('deleted', 'gone'), `${IMAGE}:manifest`);
    const followed = await follow({ client, registry }, 'gone-then-followed');
    await release({ client, registry }, followed, '1.2.0');
    for (const [index, program] of programs.entries()) assert.ok(timesTold(program) > toldBefore[index]!);
  });
});
