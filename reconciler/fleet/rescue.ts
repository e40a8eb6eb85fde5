import type { Logger } from 'pino';
import { FLEET_GROUP, OWN_GROUP } from '../../core/group.ts';
import { type ScanIndex, scanKey } from '../../core/scan.ts';
import { Backoff } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { type Conversion, convert } from '../../kube/kinds/from-fleet.ts';
import { toScan } from '../../kube/kinds/to-scan.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import type { Collection } from '../../kube/store.ts';
import { writeStatus } from '../status-writer.ts';
import { parseStoredScan, type StoredGitRepo, type StoredScan } from '../stores.ts';
import { WorkQueue } from '../work-queue.ts';
import { adoptedStatus, hasValue } from './adopted-status.ts';
import { AdoptionNews } from './adoption-news.ts';
import { KindRemoval, wentWithKind } from './removal.ts';

const CONCURRENCY = 8;
/** Removed objects that are remembered at once; 5,000 of them are a few MiB. */
const MAX_REMOVED = 20_000;
/** With the pauses between them a quarter of an hour. What is refused for so long, such as in a namespace that is being deleted, is let go. */
const MAX_FAILURES = 40;

/** What {@link FleetRescue} works with. */
export interface FleetRescueDependencies {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  readonly scans: Collection<StoredScan>;
  readonly index: ScanIndex;
  readonly gitRepos: Collection<StoredGitRepo>;
  readonly events: EventRecorder;
  readonly log: Logger;
}

/** An ImageScan of Fleet's that was deleted, by whatever cause. */
interface Removed {
  readonly scan: StoredScan;
  /** When we heard of it, or last tried in vain; of `performance.now()`. */
  readonly since: number;
  readonly failures: number;
  readonly backoff: Backoff;
}

/**
 * Keeps values in force when Fleet's ImageScan kind is removed from the cluster, as an upgrade of Fleet may do: each ImageScan that
 * goes with it gets one of ours in its place. While the kind stays, a deletion is a deletion.
 */
export class FleetRescue {
  readonly #dependencies: FleetRescueDependencies;
  readonly #removal: KindRemoval;
  readonly #news: AdoptionNews;
  readonly #removed = new Map<string, Removed>();
  readonly #queue: WorkQueue;

  constructor(dependencies: FleetRescueDependencies) {
    const { client, scans } = dependencies;
    this.#dependencies = dependencies;
    this.#removal = new KindRemoval(client);
    this.#news = new AdoptionNews(dependencies);
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      laneOf: () => ({ name: 'API server', width: CONCURRENCY }),
      work: (key, signal) => this.#look(key, signal),
      onError: (key, error) => this.#fail(key, error),
    });
    scans.onChange(({ type, item }) => {
      if (item.group !== FLEET_GROUP) return;
      const key = scanKey(item);
      if (type === 'deleted') return this.#remember(key, item);
      // It is there again, so there is nothing to put in its place.
      this.#removed.delete(key);
      this.#queue.forget(key);
      this.#news.settle(item);
    });
  }

  /** Adopts until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  #remember(key: string, scan: StoredScan): void {
    if (this.#removed.size >= MAX_REMOVED) {
      this.#dependencies.log.error(
        { scan: key },
        `${MAX_REMOVED} removed ImageScans wait to be looked at; this one is not`,
      );
      return;
    }
    this.#removed.set(key, { scan, since: performance.now(), failures: 0, backoff: new Backoff() });
    this.#news.expect(scan);
    this.#queue.schedule(key, Date.now());
  }

  async #look(key: string, signal: AbortSignal): Promise<void> {
    const removed = this.#removed.get(key);
    if (removed === undefined) return;
    if (wentWithKind(removed.scan, await this.#removal.state(removed.since, signal))) {
      await this.#adopt(removed.scan, signal);
    }
    // It may have come back meanwhile, and been removed again.
    if (this.#removed.get(key) === removed) this.#removed.delete(key);
    this.#news.settle(removed.scan);
  }

  async #adopt(former: StoredScan, signal: AbortSignal): Promise<void> {
    const { client, log } = this.#dependencies;
    const conversion = convert(former);
    const scan = await this.#successor(conversion, signal);
    if (hasValue(scan.status)) return;
    const path = { resource: IMAGE_SCANS, namespace: scan.namespace, name: scan.name };
    const { notes } = conversion;
    const written = await writeStatus(client, path, scan, {
      parse: parseStoredScan,
      next: (fresh) => adoptedStatus(fresh, former, notes, new Date()),
      signal,
    });
    if (written === undefined) throw new Error(`${scanKey(scan)} changed while its status was to be written`);
    this.#news.adopted({ scan: written.after, former, notes });
    log.info({ scan: scanKey(written.after), from: scanKey(former), notes }, 'an ImageScan was adopted');
  }

  /** The ImageScan of ours that serves the same markers: one that is there, else a new one. */
  async #successor(conversion: Conversion, signal: AbortSignal): Promise<StoredScan> {
    const known = this.#namesake(conversion);
    if (known !== undefined) return known;
    const { client } = this.#dependencies;
    const { object, names } = conversion;
    const { namespace } = object.metadata;
    for (const name of names) {
      const named = { ...object, metadata: { ...object.metadata, name } };
      try {
        return parseStoredScan(await client.create({ resource: IMAGE_SCANS, namespace }, named, {}, signal));
      } catch (error) {
        if (!isCode(error, 'AlreadyExists')) throw error;
      }
      // Made by an earlier attempt, or for the definition in Git, and not seen in the watch yet; or somebody else's.
      const other = parseStoredScan(await client.get({ resource: IMAGE_SCANS, namespace, name }, signal));
      if (servesSameMarkers(other, object)) return other;
    }
    throw new ApiError('AlreadyExists', `the names ${names.join(', ')} are taken by other ImageScans`);
  }

  #namesake({ object }: Conversion): StoredScan | undefined {
    const { index, scans } = this.#dependencies;
    const { namespace, name } = object.metadata;
    const { tagName, gitrepoName } = object.spec;
    const like = { group: OWN_GROUP, namespace, tagName: tagName ?? name, generation: 0, history: [] };
    // No object is called so, so that none counts as this one itself.
    const asked = { ...like, name: '', exportTo: [], ...(gitrepoName && { gitrepoName }) };
    const found = index.namesakes(asked).map((other) => scans.get(scanKey(other)));
    return found.find((scan) => scan !== undefined && hasValue(scan.status)) ?? found[0];
  }

  #fail(key: string, error: unknown): void {
    const { log } = this.#dependencies;
    const removed = this.#removed.get(key);
    if (removed === undefined) return;
    const failures = removed.failures + 1;
    // The Event of the others does not wait for it.
    this.#news.settle(removed.scan);
    if (isFinal(error) || failures === MAX_FAILURES) {
      this.#removed.delete(key);
      log.error({ scan: key, err: error }, 'an ImageScan that went with the kind of Fleet cannot be adopted');
      return;
    }
    this.#removed.set(key, { ...removed, since: performance.now(), failures });
    log.warn({ scan: key, err: error }, 'a removed ImageScan could not be looked at; it is tried again');
    this.#queue.schedule(key, Date.now() + removed.backoff.next());
  }
}

function servesSameMarkers(scan: StoredScan, { spec }: Conversion['object']): boolean {
  return toScan(scan).tagName === spec.tagName && (scan.spec.gitrepoName || '') === (spec.gitrepoName || '');
}

/** Is it of no use to try again: the object is refused, its names are taken, or its namespace is gone or going? */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && FINAL.has(error.code);
}

const FINAL: ReadonlySet<ApiError['code']> = new Set(['Invalid', 'BadRequest', 'AlreadyExists', 'NotFound']);

function isCode(error: unknown, code: ApiError['code']): boolean {
  return error instanceof ApiError && error.code === code;
}
