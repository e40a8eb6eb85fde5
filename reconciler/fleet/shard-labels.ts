import type { Logger } from 'pino';
import { giveBack, type Labelled, type MetadataChange, takeOver } from '../../core/fleet-shard.ts';
import { FLEET_GROUP } from '../../core/group.ts';
import { scanKey } from '../../core/scan.ts';
import { Backoff } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Collection } from '../../kube/store.ts';
import type { Metrics } from '../metrics.ts';
import type { StoredScan } from '../stores.ts';
import { WorkQueue } from '../work-queue.ts';
import { relabel, RELABEL_CONCURRENCY, RELABEL_PAUSE_MS } from './relabel.ts';

/** What {@link ShardLabels} works with. */
export interface ShardLabelsDependencies {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly scans: Collection<StoredScan>;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Are Fleet's ImageScans taken over, or only served? */
  readonly takeover: 'take-over' | 'serve';
}

/** When an ImageScan may be written to again, in milliseconds since the epoch, and the pauses after failures. */
interface Pause {
  readonly until: number;
  readonly backoff: Backoff;
}

/**
 * Sees to the shard label of Fleet's ImageScans, for as long as they are served. When they are taken over, those get it that
 * the webhook has not labelled: they were there before, or came while no webhook answered. When they are only served, what an
 * earlier take-over left is taken back.
 */
export class ShardLabels {
  readonly #dependencies: ShardLabelsDependencies;
  readonly #changeOf: (metadata: Labelled) => MetadataChange | undefined;
  readonly #queue: WorkQueue;
  readonly #pauses = new Map<string, Pause>();

  constructor(dependencies: ShardLabelsDependencies) {
    const { scans, takeover } = dependencies;
    this.#dependencies = dependencies;
    this.#changeOf = takeover === 'take-over' ? takeOver : giveBack;
    this.#queue = new WorkQueue({
      concurrency: RELABEL_CONCURRENCY,
      laneOf: () => ({ name: 'API server', width: RELABEL_CONCURRENCY }),
      work: (key, signal) => this.#relabel(key, signal),
      onError: (key, error) => this.#retry(key, error),
    });
    scans.onChange(({ type, item }) => {
      if (item.group !== FLEET_GROUP) return;
      const key = scanKey(item);
      if (type === 'put' && this.#changeOf(item.metadata) !== undefined) this.#schedule(key);
      else this.#queue.forget(key);
      if (type === 'deleted') this.#pauses.delete(key);
    });
  }

  /** Labels until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  #schedule(key: string): void {
    this.#queue.schedule(key, Math.max(Date.now(), this.#pauses.get(key)?.until ?? 0));
  }

  async #relabel(key: string, signal: AbortSignal): Promise<void> {
    const { client, scans, metrics, log, takeover } = this.#dependencies;
    const scan = scans.get(key);
    const change = scan && this.#changeOf(scan.metadata);
    if (scan === undefined || change === undefined) return;
    // Else the watch tells of what it is now, and it is looked at again.
    if (!(await relabel(client, scan.metadata, change, signal))) return;
    this.#pauses.set(key, { until: Date.now() + RELABEL_PAUSE_MS, backoff: new Backoff(RELABEL_PAUSE_MS) });
    metrics.relabelled(takeover === 'take-over' ? 'taken' : 'given_back');
    log.info({ scan: key, labels: change.labels }, "the shard of an ImageScan of Fleet's was changed");
  }

  #retry(key: string, error: unknown): void {
    const { metrics, log, scans } = this.#dependencies;
    metrics.relabelled('failed');
    const backoff = this.#pauses.get(key)?.backoff ?? new Backoff(RELABEL_PAUSE_MS);
    const delayMs = backoff.next();
    log.warn(
      { scan: key, err: error, delayMs },
      "the shard label of an ImageScan of Fleet's could not be written; it is tried again",
    );
    if (scans.get(key) === undefined) return;
    this.#pauses.set(key, { until: Date.now() + delayMs, backoff });
    this.#schedule(key);
  }
}
