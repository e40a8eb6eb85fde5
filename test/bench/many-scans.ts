import { writeFile } from 'node:fs/promises';
import { connect, type KubeClient } from '../../kube/client.ts';
import { API_VERSION } from '../../kube/kinds/common.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import { startCluster } from '../control-plane/cluster.ts';
import { freePort, temporaryFolder } from '../control-plane/processes.ts';
import { bundlePrograms, SHIPPED_ENV } from '../e2e/as-shipped.ts';
import { installProduct, type Program } from '../e2e/product.ts';
import { type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts';
import { waitFor } from '../wait.ts';
import type { Row } from './row.ts';

const SCANS = 10_000;
const TAGS_EACH = 20;
const INTERVAL_S = 3600;
const CREATING_AT_ONCE = 32;
const WATCHED_MS = 60_000;
const MIB = 1024 * 1024;

/**
 * 10,000 ImageScans of 10,000 repositories: the memory of both programs once all are scanned, and what the registry gets in the first
 * minute after the reconciler was restarted, against what the interval would have it get.
 */
export async function manyScans(): Promise<Row[]> {
  const [cluster, registry] = await Promise.all([startCluster(), startFakeRegistry()]);
  const client = await connect({ kubeconfig: cluster.kubeconfig });
  try {
    const bundles = await bundlePrograms();
    const product = await installProduct(cluster, { webhookPort: await freePort(), bundles });
    fill(registry);
    await createScans(client, registry.host);
    const settings = `${temporaryFolder('settings')}/registries.yaml`;
    const fast = { host: registry.host, plainHTTP: true, requestsPerSecond: 2000, concurrency: 32 };
    await writeFile(settings, JSON.stringify({ registries: [fast] }));
    const args = ['--registries-config', settings];
    const first = await product.startReconciler({ args, env: SHIPPED_ENV.reconciler });
    const webhook = await product.startWebhook({ env: SHIPPED_ENV.webhook });
    const started = performance.now();
    await untilScanned(first);
    const scanningS = (performance.now() - started) / 1000;
    const more = {
      'heap used, MiB': (await first.metric('nodejs_heap_size_used_bytes')) / MIB,
      'external, MiB': (await first.metric('nodejs_external_memory_bytes')) / MIB,
      'webhook heap used, MiB': (await webhook.metric('nodejs_heap_size_used_bytes')) / MIB,
    };
    const memory = { reconciler: await memoryOf(first), webhook: await memoryOf(webhook), more };
    await first.process.stop();
    const burst = await requestsAfterRestart(registry, () =>
      product.startReconciler({ args, env: SHIPPED_ENV.reconciler }),
    );
    return rows(memory, burst, scanningS);
  } finally {
    await client.close();
    await cluster.stop();
    await registry.stop();
  }
}

function rows(
  memory: { reconciler: number; webhook: number; more: Record<string, number> },
  burst: number,
  scanningS: number,
): Row[] {
  // Each scan lists and asks for a digest once in an interval.
  const steady = (SCANS * 2 * (WATCHED_MS / 1000)) / INTERVAL_S;
  return [
    {
      name: 'memory of the reconciler with 10,000 ImageScans',
      ratio: memory.reconciler / 300,
      target: '≤ 1 of 300 MiB',
      met: memory.reconciler <= 300,
      details: { 'resident, MiB': memory.reconciler, ...memory.more, 'first scan of all, s': scanningS },
    },
    {
      name: 'memory of the webhook with 10,000 ImageScans',
      ratio: memory.webhook / 150,
      target: '≤ 1 of 150 MiB',
      met: memory.webhook <= 150,
      details: { 'resident, MiB': memory.webhook },
    },
    {
      name: 'requests in the minute after a restart',
      ratio: burst / steady,
      target: '≤ 1.5 × those of any other minute',
      met: burst <= steady * 1.5,
      details: { requests: burst, 'of any other minute': steady },
    },
  ];
}

function fill(registry: FakeRegistry): void {
  for (let index = 0; index < SCANS; index++) {
    for (let tag = 0; tag < TAGS_EACH; tag++) registry.push(repositoryOf(index), `1.${tag}.0`);
  }
}

async function createScans(client: KubeClient, host: string): Promise<void> {
  const indexes = Array.from({ length: SCANS }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const index of indexes) {
      const metadata = { namespace: 'default', name: `app-${index}` };
      const spec = { image: `${host}/${repositoryOf(index)}`, interval: `${INTERVAL_S}s` };
      await client.patch(
        { resource: IMAGE_SCANS, ...metadata },
        { apiVersion: API_VERSION, kind: 'ImageScan', metadata, spec },
        'apply',
        { fieldManager: 'bench', force: true },
      );
    }
  };
  await Promise.all(Array.from({ length: CREATING_AT_ONCE }, worker));
}

function repositoryOf(index: number): string {
  return `team-${index % 100}/app-${index}`;
}

async function untilScanned(reconciler: Program): Promise<void> {
  await waitFor(
    'all to be scanned',
    async () =>
      (await reconciler.metric('fleetscan_scans_total', { result: 'Scanned' })) >= SCANS ? true : undefined,
    { everyMs: 1000, timeoutMs: 900_000 },
  );
}

async function memoryOf(program: Program): Promise<number> {
  return (await program.metric('process_resident_memory_bytes')) / MIB;
}

async function requestsAfterRestart(registry: FakeRegistry, start: () => Promise<Program>): Promise<number> {
  const program = await start();
  await waitFor('the new leader', async () =>
    (await program.metric('fleetscan_reconciler_leading')) === 1 ? true : undefined,
  );
  const before = registry.requests.length;
  const end = performance.now() + WATCHED_MS;
  await waitFor('a minute to be over', () => (performance.now() >= end ? true : undefined), {
    everyMs: 500,
    timeoutMs: WATCHED_MS + 10_000,
  });
  return registry.requests.length - before;
}
