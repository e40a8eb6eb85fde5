import { connect, type KubeClient } from '../../kube/client.ts';
import { type Cluster, type ClusterOptions, startCluster } from '../control-plane/cluster.ts';
import { freePort } from '../control-plane/processes.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import type { RunResult } from '../control-plane/run.ts';
import { installProduct, type Product, type Program } from './product.ts';

/** The whole product on real parts: a control plane and a registry, the chart installed, both programs at work. */
export interface Setup {
  readonly cluster: Cluster;
  /** The administrator's. */
  readonly client: KubeClient;
  readonly registry: Registry;
  readonly product: Product;
  readonly webhook: Program;
  readonly reconciler: Program;
  /** Runs kubectl with an object on its standard input, or with none; its exit code is for the caller to judge. */
  readonly kubectl: (object: object | undefined, ...args: string[]) => Promise<RunResult>;
  stop(): Promise<void>;
}

/** Starts it all; nothing is left running when that fails. */
export async function setUp(options: Pick<ClusterOptions, 'apiServerArgs'> = {}): Promise<Setup> {
  const registry = await startRegistry();
  const cluster = await startCluster(options).catch(async (error: unknown) => {
    await registry.stop();
    throw error;
  });
  const stopParts = async (): Promise<void> => {
    await Promise.all([cluster.stop(), registry.stop()]);
  };
  try {
    const client = await connect({ kubeconfig: cluster.kubeconfig });
    const programs = await startProduct(cluster, registry);
    return {
      cluster,
      client,
      registry,
      ...programs,
      kubectl: (object, ...args) =>
        cluster.kubectlWith({ stdin: object === undefined ? '' : JSON.stringify(object) }, ...args),
      stop: async () => {
        await client.close();
        await Promise.all([programs.webhook.process.stop(0), programs.reconciler.process.stop(0)]);
        await stopParts();
      },
    };
  } catch (error) {
    await stopParts();
    throw error;
  }
}

async function startProduct(
  cluster: Cluster,
  registry: Registry,
): Promise<Pick<Setup, 'product' | 'webhook' | 'reconciler'>> {
  const product = await installProduct(cluster, {
    webhookPort: await freePort(),
    insecureRegistries: [registry.host],
  });
  const [reconciler, webhook] = await Promise.all([product.startReconciler(), product.startWebhook()]);
  return { product, webhook, reconciler };
}
