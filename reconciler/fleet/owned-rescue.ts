import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { FLEET_GROUP, OWN_GROUP } from '../../core/group.ts';
import { scanKey } from '../../core/scan.ts';
import { Backoff } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { API_VERSION, objectRef, VERSION } from '../../kube/kinds/common.ts';
import { setCondition } from '../../kube/kinds/conditions.ts';
import type { ImageScanStatus } from '../../kube/kinds/image-scan.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import type { Collection } from '../../kube/store.ts';
import { writeStatus } from '../status-writer.ts';
import { parseStoredScan, type StoredScan } from '../stores.ts';
import { WorkQueue } from '../work-queue.ts';
import { hasValue } from './adopted-status.ts';
import { KindRemoval, wentWithKind } from './removal.ts';

/** What an {@link OwnedRescue} works with. */
export interface OwnedRescueDependencies {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  readonly scans: Collection<StoredScan>;
  readonly events: EventRecorder;
  readonly log: Logger;
}

const CONCURRENCY = 8;
const FLEET_API_VERSION = `${FLEET_GROUP}/${VERSION}`;

interface Removed {
  readonly scan: StoredScan;
  /** When we heard of it, or last tried in vain; of `performance.now()`. */
  readonly since: number;
  readonly backoff: Backoff;
}

/**
 * Keeps values in force when Fleet's GitRepo kind is removed from the cluster: Kubernetes then collects the ImageScans of ours that
 * these GitRepos defined and owned. Each is made again as it was, without an owner. While the kind stays, they go with their GitRepo.
 */
export class OwnedRescue {
  readonly #dependencies: OwnedRescueDependencies;
  readonly #removal: KindRemoval;
  readonly #removed = new Map<string, Removed>();
  readonly #queue: WorkQueue;

  constructor(dependencies: OwnedRescueDependencies) {
    const { client, scans } = dependencies;
    this.#dependencies = dependencies;
    this.#removal = new KindRemoval(client, 'gitrepos.fleet.cattle.io');
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      laneOf: () => ({ name: 'API server', width: CONCURRENCY }),
      work: (key, signal) => this.#look(key, signal),
      onError: (key, error) => this.#fail(key, error),
    });
    scans.onChange(({ type, item }) => {
      if (item.group !== OWN_GROUP || type !== 'deleted' || !isOwnedByFleet(item)) return;
      const key = scanKey(item);
      this.#removed.set(key, { scan: item, since: performance.now(), backoff: new Backoff() });
      this.#queue.schedule(key, Date.now());
    });
  }

  /** Makes them again until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  async #look(key: string, signal: AbortSignal): Promise<void> {
    const removed = this.#removed.get(key);
    if (removed === undefined) return;
    const { scan, since } = removed;
    if (wentWithKind(scan, await this.#removal.state(since, signal))) await this.#restore(scan, signal);
    if (this.#removed.get(key) === removed) this.#removed.delete(key);
  }

  async #restore(former: StoredScan, signal: AbortSignal): Promise<void> {
    const { client, events, log } = this.#dependencies;
    const scan = await this.#create(former, signal);
    if (hasValue(scan.status) || !isDeepStrictEqual(scan.spec, former.spec)) return;
    const path = { resource: IMAGE_SCANS, namespace: scan.namespace, name: scan.name };
    const written = await writeStatus(client, path, scan, {
      parse: parseStoredScan,
      next: (fresh) => restoredStatus(fresh, former, new Date()),
      signal,
    });
    if (written === undefined) throw new Error(`${scanKey(scan)} changed while its status was to be written`);
    events.record(objectRef('ImageScan', written.after), {
      type: 'Normal',
      reason: 'FleetKindRemoved',
      action: 'Adopt',
      message: textOf(former),
    });
    log.info({ scan: scanKey(scan) }, 'an ImageScan that went with its owner was made again');
  }

  /** The ImageScan made again; or the one that bears its name by now, from an earlier attempt or by somebody else. */
  async #create(former: StoredScan, signal: AbortSignal): Promise<StoredScan> {
    const { client } = this.#dependencies;
    const { namespace, name, labels, annotations } = former.metadata;
    const metadata = { namespace, name, labels, annotations };
    const object = { apiVersion: API_VERSION, kind: 'ImageScan', metadata, spec: former.spec };
    try {
      return parseStoredScan(await client.create({ resource: IMAGE_SCANS, namespace }, object, {}, signal));
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'AlreadyExists') throw error;
      return parseStoredScan(await client.get({ resource: IMAGE_SCANS, namespace, name }, signal));
    }
  }

  #fail(key: string, error: unknown): void {
    const { log } = this.#dependencies;
    const removed = this.#removed.get(key);
    if (removed === undefined) return;
    if (isFinal(error)) {
      this.#removed.delete(key);
      log.error({ scan: key, err: error }, 'an ImageScan that went with its owner cannot be made again');
      return;
    }
    this.#removed.set(key, { ...removed, since: performance.now() });
    log.warn(
      { scan: key, err: error },
      'an ImageScan that went with its owner could not be looked at; it is tried again',
    );
    this.#queue.schedule(key, Date.now() + removed.backoff.next());
  }
}

/** The status that it had, as far as it has none by now, and the condition that says what happened. */
function restoredStatus({ metadata, status }: StoredScan, former: StoredScan, now: Date): ImageScanStatus {
  const { generation: observedGeneration } = metadata;
  const kept = hasValue(status) ? status : former.status;
  const adopted = {
    type: 'Adopted',
    status: 'True',
    reason: 'FleetKindRemoved',
    message: textOf(former),
    observedGeneration,
  } as const;
  // The spec is the same, and its generations are counted anew.
  const conditions = kept.conditions?.map((condition) => ({ ...condition, observedGeneration }));
  return { ...kept, observedGeneration, conditions: setCondition(conditions, adopted, now) };
}

function textOf({ metadata, status }: StoredScan): string {
  const owner = metadata.ownerReferences?.find(isFleetGitRepo)?.name ?? '';
  const inForce = status.latestTag ? `${status.latestTag} is in force` : 'it has no value yet';
  return `was made again: its owner, GitRepo ${owner} of ${FLEET_GROUP}, went with the CustomResourceDefinition; ${inForce}`;
}

function isOwnedByFleet({ metadata }: StoredScan): boolean {
  return metadata.ownerReferences?.some(isFleetGitRepo) ?? false;
}

function isFleetGitRepo({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): boolean {
  return apiVersion === FLEET_API_VERSION && kind === 'GitRepo';
}

/** Is it refused for good, or is its namespace gone or going? */
function isFinal(error: unknown): boolean {
  const codes: readonly string[] = ['Invalid', 'BadRequest', 'NotFound', 'Forbidden'];
  return error instanceof ApiError && codes.includes(error.code);
}
