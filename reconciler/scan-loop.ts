import type { Logger } from 'pino';
import { around } from '../core/policy/explain.ts';
import { tryParseReference } from '../core/reference.ts';
import { type ScanIndex, scanKey } from '../core/scan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import { SCAN_REQUEST_ANNOTATION } from '../kube/kinds/image-scan.ts';
import { toScan } from '../kube/kinds/to-scan.ts';
import type { Collection } from '../kube/store.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { LaneOf } from './lanes.ts';
import type { Metrics } from './metrics.ts';
import { intervalMs } from '../scan/interval.ts';
import { ScanMemory } from '../scan/memory.ts';
import { type ScanDependencies, scanImage } from '../scan/scan.ts';
import { recordScan } from './scan-record.ts';
import { tellScan } from './scan-report.ts';
import { conditionOf } from './scan-status.ts';
import { retryDue, scanDue } from './schedule.ts';
import type { StoredScan } from './stores.ts';
import { WorkQueue } from './work-queue.ts';

// Scans wait for their registry most of the time. The registry client makes no more calls to one host at once.
const CONCURRENCY = 64;
const PER_REGISTRY = 4;
// Those that took long and then failed go one by one beside the others, so that what hangs does not hold up what works.
const SLOW_FAILURE_MS = 5000;
const SLOW_PER_REGISTRY = 1;

/** What the loop works with. */
export interface ScanLoopDependencies {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly scans: Collection<StoredScan>;
  /** The same scans, by what markers call them; kept current before the loop hears of a change. */
  readonly index: ScanIndex;
  readonly registry: RegistryClient;
  readonly pullAccess: ScanDependencies['pullAccess'];
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** A scan that failed, and will be tried again. */
interface Failing {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly retryAt: number;
  readonly isSlow: boolean;
}

/** Scans each ImageScan when it is due, and writes what came of it to its status. */
export class ScanLoop {
  readonly #dependencies: ScanLoopDependencies;
  readonly #queue: WorkQueue;
  readonly #memory = new ScanMemory();
  readonly #failures = new Map<string, Failing>();
  /** The last request of each that was served, though the object may not say so yet. */
  readonly #served = new Map<string, string>();

  constructor(dependencies: ScanLoopDependencies) {
    this.#dependencies = dependencies;
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      laneOf: (key) => this.#laneOf(key),
      work: (key, signal) => this.#scan(key, signal),
      onError: (key, error) => {
        dependencies.log.error(
          { scan: key, err: error },
          'a scan could not be carried out; it is tried again',
        );
        // What was found out may not have been written.
        this.#memory.forget(key);
        this.#retry(key, { tookMs: 0 });
      },
    });
    dependencies.scans.onChange((change) => {
      if (change.type === 'deleted') {
        this.#forget(change.item);
        return this.#lookAtNamesakes(change.item);
      }
      const { item, previous } = change;
      this.#schedule(item);
      if (previous && isNamedAlike(previous, item)) return;
      if (previous) this.#lookAtNamesakes(previous);
      this.#lookAtNamesakes(item);
    });
  }

  /** How many scans are due and wait for a worker. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Scans until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  #laneOf(key: string): LaneOf {
    const registry = registryOf(this.#dependencies.scans.get(key));
    if (!this.#failures.get(key)?.isSlow) return { name: registry, width: PER_REGISTRY };
    return { name: `${registry}, slow failures`, width: SLOW_PER_REGISTRY };
  }

  #schedule(scan: StoredScan): void {
    const key = scanKey(scan);
    if (scan.spec.suspend === true) return this.#queue.forget(key);
    const now = Date.now();
    const due = this.#tellsOfNamesakes(scan)
      ? scanDue(this.#asServed(scan), now, this.#queue.dueOf(key))
      : now;
    const retryAt = this.#failures.get(key)?.retryAt;
    this.#queue.schedule(key, due <= now ? due : (retryAt ?? due));
  }

  #retry(key: string, { tookMs, retryAfterMs }: { tookMs: number; retryAfterMs?: number | undefined }): void {
    const scan = this.#dependencies.scans.get(key);
    if (scan === undefined) return;
    const now = Date.now();
    const count = (this.#failures.get(key)?.count ?? 0) + 1;
    const retryAt = retryDue(count, intervalMs(scan.spec.interval), now, retryAfterMs);
    this.#failures.set(key, { count, retryAt, isSlow: tookMs > SLOW_FAILURE_MS });
    this.#queue.schedule(key, retryAt);
  }

  #forget(scan: StoredScan): void {
    const key = scanKey(scan);
    this.#failures.delete(key);
    this.#served.delete(key);
    this.#memory.forget(key);
    this.#queue.forget(key);
  }

  // The answer may be written after the status, and the watch tells of either.
  #asServed(scan: StoredScan): StoredScan {
    const served = this.#served.get(scanKey(scan));
    const isServed = served !== undefined && served === scan.metadata.annotations[SCAN_REQUEST_ANNOTATION];
    return isServed ? { ...scan, status: { ...scan.status, lastHandledScanRequest: served } } : scan;
  }

  async #scan(key: string, signal: AbortSignal): Promise<void> {
    const { scans, registry, pullAccess, client, metrics } = this.#dependencies;
    const scan = scans.get(key);
    if (scan === undefined || scan.spec.suspend === true) return;
    const request = scan.metadata.annotations[SCAN_REQUEST_ANNOTATION];
    const startedAt = performance.now();
    const measure = metrics.scanStarted();
    const result = await scanImage(scan, {
      registry,
      pullAccess,
      memory: this.#memory,
      explain: around,
      signal,
    });
    measure(result.kind === 'selected' ? 'Scanned' : result.reason);
    const tookMs = performance.now() - startedAt;
    if (request !== undefined) this.#served.set(key, request);
    const written = await recordScan(client, scan, result, {
      occasionOf: (fresh) => ({ request, namesakes: this.#namesakes(fresh), now: new Date() }),
      signal,
    });
    // The watch has told, or will tell, of what came in between, and that makes the key due.
    if (written === undefined) return this.#memory.forget(key);
    tellScan(this.#dependencies, written, result);
    if (result.kind === 'failed') return this.#retry(key, { tookMs, retryAfterMs: result.retryAfterMs });
    this.#failures.delete(key);
    this.#schedule(written.after);
  }

  // A scan that comes, goes or is renamed can settle or cause a quarrel over a tagName: the others' Ready must tell.
  #lookAtNamesakes(scan: StoredScan): void {
    for (const key of this.#namesakes(scan)) {
      const other = this.#dependencies.scans.get(key);
      if (other !== undefined) this.#schedule(other);
    }
  }

  /** Does the status say what is so: that the scan has namesakes, or that it has none? */
  #tellsOfNamesakes(scan: StoredScan): boolean {
    const isTold = conditionOf(scan, 'Ready')?.reason === 'DuplicateTagName';
    return isTold === this.#namesakes(scan).length > 0;
  }

  #namesakes(scan: StoredScan): string[] {
    return this.#dependencies.index.namesakes(toScan(scan)).map(scanKey);
  }
}

/** Are two forms of one scan the same to markers? */
function isNamedAlike({ spec: a }: StoredScan, { spec: b }: StoredScan): boolean {
  return a.tagName === b.tagName && a.gitrepoName === b.gitrepoName;
}

function registryOf(scan: StoredScan | undefined): string {
  return tryParseReference(scan?.spec.image ?? '')?.registry ?? '';
}
