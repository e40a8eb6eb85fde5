import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the reconciler tells Prometheus, in its own registry. */
export class Metrics {
  readonly registry = new Registry();
  readonly #scans: Counter<'result'>;
  readonly #scanDuration: Histogram;
  readonly #writeBacks: Counter<'result'>;
  readonly #writeBackDuration: Histogram;
  readonly #shardLabels: Counter<'result'>;
  readonly #leading: Gauge;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    const labelNames = ['result'] as const;
    const buckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];
    this.#scans = new Counter({
      name: 'fleetscan_scans_total',
      help: 'Scans, by reason of the condition ImageScanned.',
      labelNames,
      registers,
    });
    this.#scanDuration = new Histogram({
      name: 'fleetscan_scan_duration_seconds',
      help: 'Time of a scan.',
      buckets,
      registers,
    });
    this.#writeBacks = new Counter({
      name: 'fleetscan_write_backs_total',
      help: 'Write-backs, by reason of the condition ImageSynced.',
      labelNames,
      registers,
    });
    this.#writeBackDuration = new Histogram({
      name: 'fleetscan_write_back_duration_seconds',
      help: 'Time of a write-back.',
      buckets,
      registers,
    });
    this.#shardLabels = new Counter({
      name: 'fleetscan_shard_labels_total',
      help: "Shard labels of Fleet's ImageScans that the reconciler wrote, by what it did; the webhook counts its own.",
      labelNames,
      registers,
    });
    this.#leading = new Gauge({
      name: 'fleetscan_reconciler_leading',
      help: '1 while this replica holds the Lease.',
      registers,
    });
  }

  /** Starts to time a scan; the function it returns counts its result. */
  scanStarted(): (result: string) => void {
    return timed(this.#scans, this.#scanDuration);
  }

  /** Starts to time a write-back; the function it returns counts its result. */
  writeBackStarted(): (result: string) => void {
    return timed(this.#writeBacks, this.#writeBackDuration);
  }

  /** Counts a write, or a try, of the shard label of an ImageScan of Fleet's. */
  relabelled(result: 'taken' | 'given_back' | 'failed'): void {
    this.#shardLabels.inc({ result });
  }

  leading(isLeading: boolean): void {
    this.#leading.set(isLeading ? 1 : 0);
  }
}

function timed(counter: Counter<'result'>, duration: Histogram): (result: string) => void {
  const end = duration.startTimer();
  return (result) => {
    end();
    counter.inc({ result });
  };
}
