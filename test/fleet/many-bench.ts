import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { connect, type KubeClient } from '../../kube/client.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { freePort, temporaryFolder } from '../control-plane/processes.ts';
import { bundlePrograms, SHIPPED_ENV } from '../e2e/as-shipped.ts';
import { installProduct, type Product, type Program } from '../e2e/product.ts';
import { namespaceObject, put, secret } from '../e2e/reconciling.ts';
import { type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts';
import { Estate, type EstateSize } from './estate.ts';
import { FleetAtWork } from './fleet-at-work.ts';
import { installFleetKinds } from './kinds.ts';

/** Registries, and Git servers. */
const HOSTS = 3;
const PUSHER = { username: 'fleet', password: 'a password' };
const TAKE_OVER = ['--fleet-takeover=take-over'];
const MIB = 1024 * 1024;
/** What the programs may take with 10,000 ImageScans. */
const MAX_MIB = { reconciler: 300, webhook: 150 };

/** A control plane with Fleet's kinds, an estate in it, and the product as it is shipped. */
export class ManyBench {
  readonly client: KubeClient;
  readonly estate: Estate;
  readonly fleet: FleetAtWork;
  /** What the reconciler's log has of errors and warnings. */
  readonly troubles: string[] = [];
  readonly #cluster: Cluster;
  readonly #product: Product;
  readonly #registries: readonly FakeRegistry[];
  readonly #gits: readonly GitServer[];

  /** Starts all but the programs; the ImageScans are there. */
  static async start(size: EstateSize): Promise<ManyBench> {
    const bundling = bundlePrograms();
    const cluster = await startCluster();
    const registries = await Promise.all(Array.from({ length: HOSTS }, () => startFakeRegistry()));
    const gits = await Promise.all(
      Array.from({ length: HOSTS }, () => startGitServer({ credential: PUSHER })),
    );
    const client = await connect({ kubeconfig: cluster.kubeconfig });
    const product = await installProduct(cluster, {
      webhookPort: await freePort(),
      bundles: await bundling,
      values: ['fleet.takeover=take-over'],
    });
    await installFleetKinds(client);
    const bench = new ManyBench({ cluster, client, product, registries, gits }, size);
    const { estate, fleet } = bench;
    const credential = { namespace: estate.namespace, name: 'git' };
    await put(
      client,
      namespaceObject(estate.namespace),
      secret(credential, 'kubernetes.io/basic-auth', PUSHER),
    );
    await estate.create(client);
    await fleet.applyAll();
    return bench;
  }

  private constructor(parts: Parts, size: EstateSize) {
    const { cluster, client, product, registries, gits } = parts;
    this.client = client;
    this.#cluster = cluster;
    this.#product = product;
    this.#registries = registries;
    this.#gits = gits;
    this.estate = new Estate({ registries, gits }, size);
    this.fleet = new FleetAtWork(client, this.estate);
  }

  async startReconciler(): Promise<Program> {
    const settings = `${temporaryFolder('settings')}/registries.yaml`;
    const fast = this.#registries.map(({ host }) => ({ host, plainHTTP: true, requestsPerSecond: 500 }));
    await writeFile(settings, JSON.stringify({ registries: fast }));
    return this.#product.startReconciler({
      args: [...TAKE_OVER, '--registries-config', settings],
      env: SHIPPED_ENV.reconciler,
      onLine: (line) => {
        if (isTrouble(line)) this.troubles.push(line);
      },
    });
  }

  startWebhook(): Promise<Program> {
    return this.#product.startWebhook({ args: TAKE_OVER, env: SHIPPED_ENV.webhook });
  }

  /** How many requests the Git servers have had. */
  requestsToGit(): number {
    return this.#gits.reduce((sum, each) => sum + each.requests().length, 0);
  }

  async stop(): Promise<void> {
    await this.fleet.stop();
    await this.#product.stop();
    await this.client.close();
    await Promise.all([this.#cluster, ...this.#registries, ...this.#gits].map((part) => part.stop()));
  }
}

interface Parts {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly product: Product;
  readonly registries: readonly FakeRegistry[];
  readonly gits: readonly GitServer[];
}

/** Tells what a program takes of memory, which must not be more than what it may with many more ImageScans. */
export async function tellMemory(
  context: TestContext,
  name: keyof typeof MAX_MIB,
  program: Program,
): Promise<void> {
  const resident = (await program.metric('process_resident_memory_bytes')) / MIB;
  const heap = (await program.metric('nodejs_heap_size_used_bytes')) / MIB;
  context.diagnostic(`${name}: ${Math.round(resident)} MiB resident, ${Math.round(heap)} MiB of heap`);
  assert.ok(resident <= MAX_MIB[name], `${name}: ${resident} MiB`);
}

/** Is a line of the log an error or a warning? A marker of a scan that has no value yet is warned of, and so is a watch that ended. */
function isTrouble(line: string): boolean {
  const isWarning = /"level":"(?:warn|error|fatal)"/.test(line) || !line.startsWith('{');
  return isWarning && !/"msg":"(?:write-back|a watch failed; it is resumed)"/.test(line);
}
