import { connect, type KubeClient } from '../../kube/client.ts';
import { IMAGE_SCANS, PODS } from '../../kube/resource.ts';
import { startCluster } from '../control-plane/cluster.ts';
import { freePort } from '../control-plane/processes.ts';
import { installProduct } from '../e2e/product.ts';
import { quantile } from './measure.ts';

const PODS_EACH = 300;
const IMAGE = 'registry.example.com/app';

/**
 * How long the API server takes to create a pod that the webhook resolves, and one without a marker, which never reaches
 * it: for the reader, as most of either is the API server's own time.
 *
 * @returns milliseconds, by name
 */
export async function podCreation(): Promise<Record<string, number>> {
  const cluster = await startCluster();
  const client = await connect({ kubeconfig: cluster.kubeconfig });
  try {
    const product = await installProduct(cluster, { webhookPort: await freePort() });
    await product.startReconciler();
    await product.startWebhook();
    await putScan(client);
    const times = { with: [] as number[], without: [] as number[] };
    for (let number = 0; number < PODS_EACH; number++) {
      times.with.push(await createPod(client, `with-${number}`, { 'imagescan.fleetscan.io/app': 'app' }));
      times.without.push(await createPod(client, `without-${number}`, {}));
    }
    const sorted = {
      with: times.with.toSorted((a, b) => a - b),
      without: times.without.toSorted((a, b) => a - b),
    };
    return {
      'pod created with the webhook, p50 ms': quantile(sorted.with, 0.5),
      'pod created without, p50 ms': quantile(sorted.without, 0.5),
      'pod created with the webhook, p99 ms': quantile(sorted.with, 0.99),
      'pod created without, p99 ms': quantile(sorted.without, 0.99),
    };
  } finally {
    await client.close();
    await cluster.stop();
  }
}

// No registry: a suspended scan is left alone, and what its status says is in force.
async function putScan(client: KubeClient): Promise<void> {
  const scan = {
    apiVersion: 'fleetscan.io/v1alpha1',
    kind: 'ImageScan',
    metadata: { name: 'app' },
    spec: { image: IMAGE, suspend: true },
  };
  const path = { resource: IMAGE_SCANS, namespace: 'default' };
  await client.create(path, scan);
  const digest = `sha256:${'0'.repeat(64)}`;
  const status = {
    canonicalImageName: IMAGE,
    latestTag: '1.0.0',
    latestImage: `${IMAGE}:1.0.0`,
    latestDigest: digest,
  };
  await client.patch({ ...path, name: 'app', subresource: 'status' }, { status }, 'merge');
}

async function createPod(
  client: KubeClient,
  name: string,
  annotations: Record<string, string>,
): Promise<number> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: { containers: [{ name: 'app', image: `${IMAGE}:0.9.0` }] },
  };
  const begun = performance.now();
  await client.create({ resource: PODS, namespace: 'default' }, pod);
  return performance.now() - begun;
}
