import { z } from 'zod';
import { OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import { connect, type KubeClient } from '../../kube/client.ts';
import { FLEET_API_VERSION } from '../../kube/kinds/common.ts';
import { FLEET_IMAGE_SCANS, type ObjectPath } from '../../kube/resource.ts';
import type { FleetTakeover } from '../../program/fleet-takeover.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { freePort } from '../control-plane/processes.ts';
import { createNamespace, IMAGE } from '../e2e/admission.ts';
import { installProduct, type Product, type Program } from '../e2e/product.ts';
import { FleetController } from '../fakes/fleet-controller.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds } from './kinds.ts';
import { type FleetObject, fleetImageScan, overwriteStatusAsFleet } from './objects.ts';

/** Where Fleet's objects are. */
export const FLEET = 'fleet-default';
/** Nobody listens there: what our own scans of it come to is no matter of these tests. */
const NOWHERE = '127.0.0.1:1/web';

const storedObject = z.looseObject({
  metadata: z.looseObject({
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  status: z.looseObject({ latestTag: z.string().optional() }).default({}),
});

/** An ImageScan of Fleet's as the API server has it. */
export type StoredImageScan = z.infer<typeof storedObject>;

export function storedImageScan(raw: unknown): StoredImageScan {
  return storedObject.parse(raw);
}

export function scanPath(name: string): ObjectPath & { readonly namespace: string } {
  return { resource: FLEET_IMAGE_SCANS, namespace: FLEET, name };
}

/** As `fleet apply` makes them at a commit: one that is scanned, one that is not, and one that its bundle puts into a shard. */
export const fromGit = {
  active: (commit: string): FleetObject =>
    fleetImageScan({ namespace: FLEET, gitRepo: 'active', commit }, { image: NOWHERE, tagName: 'active' }),
  idle: (commit: string): FleetObject =>
    fleetImageScan(
      { namespace: FLEET, gitRepo: 'idle', commit },
      { image: IMAGE, tagName: 'idle', suspend: true },
    ),
  sharded: (commit: string): FleetObject => {
    const spec = { image: IMAGE, tagName: 'sharded', suspend: true };
    const object = fleetImageScan({ namespace: FLEET, gitRepo: 'sharded', commit }, spec);
    const labels = { ...object.metadata.labels, [SHARD_LABEL]: 'shard-a' };
    return { ...object, metadata: { ...object.metadata, labels } };
  },
};

/** The names that {@link fromGit} gives. */
export const NAMES = {
  active: 'imagescan-active-0',
  idle: 'imagescan-idle-0',
  sharded: 'imagescan-sharded-0',
} as const;

/** As a person makes one, without any label. */
export function bareScan(name: string): FleetObject {
  const spec = { image: IMAGE, interval: '5m', suspend: true };
  return { apiVersion: FLEET_API_VERSION, kind: 'ImageScan', metadata: { namespace: FLEET, name }, spec };
}

/** A control plane with Fleet's kinds and its controller, on which the product can be installed in any mode. */
export class FleetCluster {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly fleet: FleetController;
  readonly #webhookPort: number;
  #product: Product | undefined;

  static async start(): Promise<FleetCluster> {
    const cluster = await startCluster();
    const client = await connect({ kubeconfig: cluster.kubeconfig });
    await installFleetKinds(client);
    await createNamespace(client, FLEET);
    return new FleetCluster(cluster, client, await freePort());
  }

  private constructor(cluster: Cluster, client: KubeClient, webhookPort: number) {
    this.cluster = cluster;
    this.client = client;
    this.#webhookPort = webhookPort;
    this.fleet = new FleetController(client, {
      scan: (scan) =>
        overwriteStatusAsFleet(client, 'ImageScan', scan, {
          lastScanTime: new Date().toISOString(),
          latestTag: 'by-fleet',
        }),
    });
  }

  /** Upgrades the release to a mode, by its one value, and starts both programs in it anew. */
  async run(takeover: FleetTakeover): Promise<{ webhook: Program; reconciler: Program }> {
    await this.stopPrograms();
    const values = [`fleet.takeover=${takeover}`];
    const product = await installProduct(this.cluster, { webhookPort: this.#webhookPort, values });
    this.#product = product;
    const args = [`--fleet-takeover=${takeover}`];
    const [webhook, reconciler] = await Promise.all([
      product.startWebhook({ args }),
      // The programs are killed and give up no Lease: it is over soon.
      product.startReconciler({ args: [...args, '--lease-duration=2s'] }),
    ]);
    if (takeover === 'take-over') await this.#untilAsked();
    return { webhook, reconciler };
  }

  async stopPrograms(): Promise<void> {
    await this.#product?.stop();
  }

  async read(name: string): Promise<StoredImageScan> {
    return storedImageScan(await this.client.get(scanPath(name)));
  }

  /** Waits until an ImageScan is in a shard; undefined: in none. */
  untilShard(name: string, shard: string | undefined): Promise<StoredImageScan> {
    return waitFor(`${name} to be in ${shard ?? 'no shard'}`, async () => {
      const object = await this.read(name);
      return object.metadata.labels[SHARD_LABEL] === shard ? object : undefined;
    });
  }

  /** Waits until Fleet has scanned once more. */
  async untilFleetScans(name: string): Promise<void> {
    await overwriteStatusAsFleet(this.client, 'ImageScan', { namespace: FLEET, name }, {});
    await waitFor(`a scan of ${name} by Fleet`, async () => {
      const { status } = await this.read(name);
      return status.latestTag === 'by-fleet' ? true : undefined;
    });
  }

  async stop(): Promise<void> {
    await this.fleet.stop();
    await this.stopPrograms();
    await this.client.close();
    await this.cluster.stop();
  }

  /** Waits until the API server asks the webhook about ImageScans, which it does once it can judge the certificate. */
  async #untilAsked(): Promise<void> {
    await waitFor('the webhook to be asked', async () => {
      const path = { resource: FLEET_IMAGE_SCANS, namespace: FLEET };
      const answer = await this.client.create(path, bareScan('probe'), { dryRun: 'All' });
      return storedImageScan(answer).metadata.labels[SHARD_LABEL] === OWN_SHARD ? true : undefined;
    });
  }
}
