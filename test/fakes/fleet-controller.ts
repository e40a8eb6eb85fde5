import { z } from 'zod';
import { SHARD_LABEL } from '../../core/fleet-shard.ts';
import type { KubeClient } from '../../kube/client.ts';
import { objectMeta } from '../../kube/kinds/common.ts';
import { FLEET_IMAGE_SCANS } from '../../kube/resource.ts';
import { listAndWatch } from '../../kube/watch.ts';

/** What Fleet's controller looks at of an ImageScan. */
export interface SeenScan {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const imageScan = z.object({
  metadata: objectMeta,
  spec: z.object({ suspend: z.boolean().optional() }),
});
type SeenObject = z.infer<typeof imageScan>;

/**
 * Fleet's controller of ImageScans, default shard, as far as it decides what to scan: it passes over every event of an object that
 * bears the shard label, with whatever value, and events at which neither generation nor labels nor annotations change. For any
 * other it schedules a job anew, which runs at each interval and never looks at labels: it ends only with a restart, with
 * the object, or when that is suspended.
 */
export class FleetController {
  readonly #client: KubeClient;
  readonly #scan: (scan: SeenScan) => Promise<void>;
  readonly #intervalMs: number;
  readonly #jobs = new Map<string, NodeJS.Timeout>();
  readonly #cache = new Map<string, SeenObject>();
  readonly #running = new Set<Promise<void>>();
  #abort = new AbortController();
  #following: Promise<void> = Promise.resolve();

  /** @param scan what a job does at each interval */
  constructor(
    client: KubeClient,
    { scan, intervalMs = 100 }: { scan: (scan: SeenScan) => Promise<void>; intervalMs?: number },
  ) {
    this.#client = client;
    this.#scan = scan;
    this.#intervalMs = intervalMs;
  }

  /** The ImageScans, `namespace/name`, that it has a job for. */
  get jobs(): string[] {
    return [...this.#jobs.keys()].sort();
  }

  /** The labels of an ImageScan as it last saw them. */
  labelsSeen(namespace: string, name: string): Readonly<Record<string, string>> | undefined {
    return this.#cache.get(`${namespace}/${name}`)?.metadata.labels;
  }

  start(): void {
    this.#abort = new AbortController();
    this.#following = this.#follow(this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#following;
    for (const key of this.#jobs.keys()) this.#unschedule(key);
    this.#cache.clear();
    await Promise.all(this.#running);
  }

  async restart(): Promise<void> {
    await this.stop();
    this.start();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const project = (raw: unknown): SeenObject => imageScan.parse(raw);
    const events = listAndWatch(this.#client, { resource: FLEET_IMAGE_SCANS }, { project, signal });
    for await (const event of events) {
      if (event.type === 'replaced') for (const object of event.items) this.#see(object);
      if (event.type === 'put') this.#see(event.item);
      if (event.type === 'deleted') this.#forget(`${event.namespace}/${event.name}`);
    }
  }

  #see(object: SeenObject): void {
    const { namespace, name, labels } = object.metadata;
    const key = `${namespace}/${name}`;
    const before = this.#cache.get(key);
    this.#cache.set(key, object);
    if (SHARD_LABEL in labels || (before !== undefined && isUnchanged(before, object))) return;
    this.#unschedule(key);
    if (object.spec.suspend === true) return;
    this.#jobs.set(
      key,
      setInterval(() => this.#run({ namespace, name, labels }), this.#intervalMs),
    );
  }

  #run(scan: SeenScan): void {
    // A job whose object is gone fails, and is not heard of.
    const running = this.#scan(scan)
      .catch(() => undefined)
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #forget(key: string): void {
    const labels = this.#cache.get(key)?.metadata.labels ?? {};
    this.#cache.delete(key);
    if (!(SHARD_LABEL in labels)) this.#unschedule(key);
  }

  #unschedule(key: string): void {
    clearInterval(this.#jobs.get(key));
    this.#jobs.delete(key);
  }
}

function isUnchanged(before: SeenObject, after: SeenObject): boolean {
  const facts = ({ metadata: { generation, labels, annotations } }: SeenObject): string =>
    JSON.stringify([generation, labels, annotations]);
  return facts(before) === facts(after);
}
