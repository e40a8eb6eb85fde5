import { once } from 'node:events';
import type { Logger } from 'pino';
import { FLEET_GROUP, type Group, objectKey, OWN_GROUP } from '../../core/group.ts';
import type { ScanIndex } from '../../core/scan.ts';
import { hostOf } from '../../git/address.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { objectRef } from '../../kube/kinds/common.ts';
import type { Change, Collection } from '../../kube/store.ts';
import type { Metrics } from '../metrics.ts';
import { intervalMs } from '../../scan/interval.ts';
import { periodicDue, retryDue } from '../schedule.ts';
import { valueChange } from '../scan-status.ts';
import { isSameSpec } from '../status-writer.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';
import { WorkQueue } from '../work-queue.ts';
import { type Brought, Definitions, isOfDefinition } from '../definitions/definitions.ts';
import { definitionEvents } from '../definitions/events.ts';
import { removeCopy, removeOtherCopies } from './copies.ts';
import type { AccessDependencies } from './git-access.ts';
import type { Outcome, WriteBackResult } from './result.ts';
import { type WriteBackDependencies, writeBack } from './write-back.ts';
import { eventsOf, type WriteBackEvent } from './events.ts';
import { WriteBackMemory } from './memory.ts';
import { serves } from './serves.ts';
import { type Teller, tellers } from './tellers.ts';

// Each run has git processes of its own; most of the time they wait for their host.
const CONCURRENCY = 12;
const PER_HOST = 4;

/** What the loop works with. */
export interface WriteBackLoopDependencies
  extends Omit<AccessDependencies, 'client' | 'signal'>,
    Pick<WriteBackDependencies, 'askLabels' | 'fleetValues' | 'compatibility'> {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'patch' | 'delete'>;
  readonly scans: Collection<StoredScan>;
  readonly index: ScanIndex;
  readonly gitRepos: Collection<StoredGitRepo>;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Writes values back to each GitRepo: when one that it may name comes into force, when its spec changes, and at its interval. */
export class WriteBackLoop {
  readonly #dependencies: WriteBackLoopDependencies;
  readonly #definitions: Definitions;
  readonly #queue: WorkQueue;
  readonly #memories = new Map<string, WriteBackMemory>();
  readonly #tellers: Readonly<Record<Group, Teller>>;

  constructor(dependencies: WriteBackLoopDependencies) {
    this.#dependencies = dependencies;
    this.#tellers = tellers(dependencies);
    this.#definitions = new Definitions(dependencies);
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      laneOf: (key) => ({
        name: hostOf(dependencies.gitRepos.get(key)?.spec.repo ?? ''),
        width: PER_HOST,
      }),
      work: (key, signal) => this.#writeBack(key, signal),
      onError: (key, error) => {
        dependencies.log.error(
          { gitRepo: key, err: error },
          'a write-back could not be carried out; it is tried again',
        );
        this.#retry(key);
      },
    });
    dependencies.gitRepos.onChange((change) => {
      if (change.item.group === OWN_GROUP) this.#lookAtShadowed(change);
      if (change.type === 'deleted') return this.#forget(change.item);
      const { item, previous } = change;
      if (previous && previous.spec.repo !== item.spec.repo) this.#removeCopy(previous);
      this.#schedule(item, previous);
    });
    dependencies.scans.onChange((change) => {
      const previous = change.type === 'put' ? change.previous : undefined;
      if (previous && !concernsMarkers(previous, change.item))
        return this.#keepDefined(change.item, previous);
      this.#valueChanged(change.item, previous);
    });
  }

  /** Writes back until the signal aborts; not before all scans are known, for a marker of one that is not would be reported. */
  async run(signal: AbortSignal): Promise<void> {
    const { scans, gitRepos, cacheDirectory, log } = this.#dependencies;
    await settledOrAborted(Promise.all([scans.synced, gitRepos.synced]), signal);
    if (!signal.aborted) {
      await removeOtherCopies(cacheDirectory, gitRepos.values()).catch((error: unknown) => {
        log.warn({ err: error }, 'copies of repositories that are of no use could not be removed');
      });
    }
    const running = Object.values(this.#tellers).map((teller) => teller.run(signal));
    await Promise.all([this.#queue.run(signal), ...running]);
  }

  #schedule(gitRepo: StoredGitRepo, previous?: StoredGitRepo): void {
    const key = objectKey(gitRepo);
    if (this.#rests(gitRepo)) return this.#queue.forget(key);
    const memory = this.#memory(key);
    if (previous === undefined || !isSameTask(previous, gitRepo)) memory.change();
    const now = Date.now();
    const interval = intervalMs(gitRepo.spec.imageScanInterval);
    const last = memory.lastSynced ?? gitRepo.status.lastSyncedImageScanTime;
    const periodic = periodicDue(key, last, interval, now, this.#queue.dueOf(key));
    this.#queue.schedule(key, memory.due(periodic, now));
  }

  /** Is nothing written back for it: is it suspended, or one of Fleet's in whose place one of ours is? */
  #rests({ group, namespace, name, spec }: StoredGitRepo): boolean {
    if (spec.suspend === true) return true;
    const own = objectKey({ group: OWN_GROUP, namespace, name });
    return group === FLEET_GROUP && this.#dependencies.gitRepos.get(own) !== undefined;
  }

  // One of ours takes the write-back of Fleet's over when it comes, and gives it back when it goes.
  #lookAtShadowed({ type, item: { namespace, name } }: Change<StoredGitRepo>): void {
    const key = objectKey({ group: FLEET_GROUP, namespace, name });
    const gitRepo = this.#dependencies.gitRepos.get(key);
    if (gitRepo === undefined) return;
    if (type === 'deleted') this.#memory(key).change();
    this.#schedule(gitRepo, gitRepo);
  }

  #valueChanged(scan: StoredScan, previous?: StoredScan): void {
    for (const gitRepo of this.#dependencies.gitRepos.values()) {
      if (!serves(scan, gitRepo) && !(previous && serves(previous, gitRepo))) continue;
      this.#memory(objectKey(gitRepo)).change();
      if (!this.#rests(gitRepo)) this.#queue.schedule(objectKey(gitRepo), Date.now());
    }
  }

  /** A scan that is not as its file says any more is made so again. */
  #keepDefined(scan: StoredScan, previous: StoredScan): void {
    if (!isOfDefinition(scan) && !isOfDefinition(previous)) return;
    for (const gitRepo of this.#dependencies.gitRepos.values()) {
      if (gitRepo.namespace !== scan.namespace) continue;
      if (!this.#definitions.isDisturbed(gitRepo, scan, previous)) continue;
      this.#memory(objectKey(gitRepo)).change();
      if (gitRepo.spec.suspend !== true) this.#queue.schedule(objectKey(gitRepo), Date.now());
    }
  }

  #forget(gitRepo: StoredGitRepo): void {
    const key = objectKey(gitRepo);
    this.#definitions.forget(gitRepo);
    this.#queue.forget(key);
    this.#memories.delete(key);
    this.#removeCopy(gitRepo);
  }

  #removeCopy(gitRepo: StoredGitRepo): void {
    const { cacheDirectory, log } = this.#dependencies;
    removeCopy(cacheDirectory, gitRepo).catch((error: unknown) => {
      log.warn({ gitRepo: objectKey(gitRepo), err: error }, 'the copy of a repository could not be removed');
    });
  }

  async #writeBack(key: string, signal: AbortSignal): Promise<void> {
    const { gitRepos, metrics } = this.#dependencies;
    const gitRepo = gitRepos.get(key);
    if (gitRepo === undefined || this.#rests(gitRepo)) return;
    // Taken before the values are read: one that changes during the run asks for another.
    const memory = this.#memory(key);
    const { version, agreedAt, known } = memory;
    const measure = metrics.writeBackStarted();
    let brought: Brought | undefined;
    const result = await writeBack(gitRepo, {
      ...this.#dependencies,
      signal,
      known,
      define: async (source, commit) => {
        brought = await this.#definitions.bring(gitRepo, source, commit, signal);
        if (brought) this.#tell(gitRepo, definitionEvents(gitRepo, brought));
      },
      ...(agreedAt !== undefined && { agreedAt }),
    });
    measure(result.kind === 'failed' ? result.reason : result.kind);
    this.#remember(memory, gitRepo, result, version, brought);
    // The run may have made the copy again that went with the GitRepo, or with its former repository.
    if (gitRepos.get(key)?.spec.repo !== gitRepo.spec.repo) this.#removeCopy(gitRepo);
    const outcome: Outcome = { result, ...(brought && { brought }) };
    const written = await this.#tellers[gitRepo.group].tell(gitRepo, outcome, signal);
    // The watch has told, or will tell, of what came in between, and that makes the key due.
    if (written === undefined) return;
    this.#tell(written.after, eventsOf(written, result));
    if (gitRepos.get(key) !== undefined) this.#schedule(written.after, written.before);
  }

  #retry(key: string): void {
    const gitRepo = this.#dependencies.gitRepos.get(key);
    if (gitRepo === undefined) return;
    const memory = this.#memory(key);
    this.#fail(memory, gitRepo, memory.version, 0);
    this.#schedule(gitRepo, gitRepo);
  }

  /** In the memory that the run began with: one of the same name that came since has nothing to do with it. */
  #remember(
    memory: WriteBackMemory,
    gitRepo: StoredGitRepo,
    result: WriteBackResult,
    version: number,
    brought: Brought | undefined,
  ): void {
    if (result.kind === 'failed') return this.#fail(memory, gitRepo, version, result.retryAfterMs ?? 0);
    const isIncomplete = 'plan' in result && result.plan.isIncomplete;
    if (isIncomplete || brought?.failures.length) return this.#fail(memory, gitRepo, version, 0);
    memory.agree(result.at, version);
  }

  #fail(memory: WriteBackMemory, { spec }: StoredGitRepo, version: number, retryAfterMs: number): void {
    const interval = intervalMs(spec.imageScanInterval);
    memory.fail(version, (failures) => retryDue(failures, interval, Date.now(), retryAfterMs));
  }

  #tell(gitRepo: StoredGitRepo, news: readonly WriteBackEvent[]): void {
    const { events, log } = this.#dependencies;
    const about = objectRef('GitRepo', gitRepo);
    for (const event of news) {
      const { type, reason, message } = event;
      events.record(about, { ...event, action: 'WriteBack' });
      log[type === 'Warning' ? 'warn' : 'info'](
        { gitRepo: objectKey(gitRepo), reason, message },
        'write-back',
      );
    }
  }

  #memory(key: string): WriteBackMemory {
    const memory = this.#memories.get(key) ?? new WriteBackMemory();
    this.#memories.set(key, memory);
    return memory;
  }
}

async function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await Promise.race([promise, once(signal, 'abort')]);
}

/** Is what is asked for the same? Of Fleet's GitRepos an annotation has its say, which no generation counts. */
function isSameTask(before: StoredGitRepo, after: StoredGitRepo): boolean {
  return isSameSpec(before, after) && before.spec.compatibility === after.spec.compatibility;
}

/** Did a scan change in a way that a marker in Git can show? */
function concernsMarkers(before: StoredScan, after: StoredScan): boolean {
  const { tagName, gitrepoName, exportTo, image } = after.spec;
  return (
    valueChange(before.status, after.status) !== undefined ||
    before.spec.image !== image ||
    before.spec.tagName !== tagName ||
    before.spec.gitrepoName !== gitrepoName ||
    before.spec.exportTo?.join() !== exportTo?.join()
  );
}
