import { FLEET_GROUP, objectKey, OWN_GROUP } from '../../core/group.ts';
import { annotationMistake } from '../../kube/kinds/fleet.ts';
import type { Change, Collection } from '../../kube/store.ts';
import { intervalMs } from '../../scan/interval.ts';
import { type Definitions, isOfDefinition } from '../definitions/definitions.ts';
import { valueChange } from '../scan-status.ts';
import { periodicDue } from '../schedule.ts';
import { isSameSpec } from '../status-writer.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';
import type { WorkQueue } from '../work-queue.ts';
import type { WriteBackMemories } from './memories.ts';
import { isReplaced } from './replaced.ts';
import { servedBy } from './serves.ts';

/** What an {@link Agenda} works with. */
export interface AgendaDependencies {
  readonly scans: Collection<StoredScan>;
  readonly gitRepos: Collection<StoredGitRepo>;
  readonly definitions: Pick<Definitions, 'isDisturbed'>;
  readonly memories: WriteBackMemories;
  /** In which the GitRepos wait for their time. */
  readonly queue: Pick<WorkQueue, 'schedule' | 'forget' | 'dueOf'>;
}

/**
 * Makes GitRepos due: at their intervals, and at once when one is new or is to be written back in another way, when a value that a
 * marker in it may name comes into force, or when somebody changed an ImageScan that it defines.
 */
export class Agenda {
  readonly #dependencies: AgendaDependencies;

  constructor(dependencies: AgendaDependencies) {
    this.#dependencies = dependencies;
    dependencies.gitRepos.onChange((change) => this.#gitRepoChanged(change));
    dependencies.scans.onChange((change) => this.#scanChanged(change));
  }

  /** Is nothing written back for it: is it suspended, or one of Fleet's in whose place one of ours is? */
  rests(gitRepo: StoredGitRepo): boolean {
    return gitRepo.spec.suspend === true || isReplaced(gitRepo, this.#dependencies.gitRepos);
  }

  /** Gives a GitRepo its next time, by what is remembered of its runs; at once where what it asks for is not as it was `previous`ly. */
  schedule(gitRepo: StoredGitRepo, previous?: StoredGitRepo): void {
    const { queue, memories } = this.#dependencies;
    const key = objectKey(gitRepo);
    if (this.rests(gitRepo)) return queue.forget(key);
    const memory = memories.of(key);
    if (previous === undefined || !isSameTask(previous, gitRepo)) memory.change();
    const now = Date.now();
    const interval = intervalMs(gitRepo.spec.imageScanInterval);
    const last = memory.lastSynced ?? gitRepo.status.lastSyncedImageScanTime;
    const periodic = periodicDue(key, last, interval, now, queue.dueOf(key));
    queue.schedule(key, memory.due(periodic, now));
  }

  #gitRepoChanged(change: Change<StoredGitRepo>): void {
    const { item } = change;
    if (item.group === OWN_GROUP) this.#lookAtReplaced(change);
    if (change.type === 'put') this.schedule(item, change.previous);
    else this.#dependencies.queue.forget(objectKey(item));
  }

  // One of ours takes the write-back of Fleet's over when it comes, and gives it back when it goes.
  #lookAtReplaced({ type, item: { namespace, name } }: Change<StoredGitRepo>): void {
    const { gitRepos, memories } = this.#dependencies;
    const key = objectKey({ group: FLEET_GROUP, namespace, name });
    const gitRepo = gitRepos.get(key);
    if (gitRepo === undefined) return;
    if (type === 'deleted') memories.of(key).change();
    this.schedule(gitRepo, gitRepo);
  }

  #scanChanged(change: Change<StoredScan>): void {
    const { item } = change;
    const previous = change.type === 'put' ? change.previous : undefined;
    if (previous && !concernsMarkers(previous, item)) this.#keepDefined(item, previous);
    else this.#wakeServed(item, previous);
  }

  /** Wakes those in which a marker may name the scan, or might before. */
  #wakeServed(scan: StoredScan, previous?: StoredScan): void {
    const { gitRepos } = this.#dependencies;
    const before = previous === undefined ? [] : servedBy(previous, gitRepos);
    for (const gitRepo of new Set([...before, ...servedBy(scan, gitRepos)])) this.#wake(gitRepo);
  }

  /** Wakes the one whose file defines a scan that is not as the file says any more, to be made so again. */
  #keepDefined(scan: StoredScan, previous: StoredScan): void {
    if (!isOfDefinition(scan) && !isOfDefinition(previous)) return;
    const { gitRepos, definitions } = this.#dependencies;
    for (const gitRepo of gitRepos.values()) {
      if (gitRepo.namespace !== scan.namespace) continue;
      if (definitions.isDisturbed(gitRepo, scan, previous)) this.#wake(gitRepo);
    }
  }

  #wake(gitRepo: StoredGitRepo): void {
    const { queue, memories } = this.#dependencies;
    const key = objectKey(gitRepo);
    memories.of(key).change();
    if (!this.rests(gitRepo)) queue.schedule(key, Date.now());
  }
}

/**
 * Is what is asked for the same? Of Fleet's GitRepos an annotation has its say, which no generation counts; and what Fleet deploys,
 * for it decides which ImageScans `fleet apply` left behind.
 */
function isSameTask(before: StoredGitRepo, after: StoredGitRepo): boolean {
  return (
    isSameSpec(before, after) &&
    before.spec.compatibility === after.spec.compatibility &&
    before.deployedCommit === after.deployedCommit &&
    annotationMistake(before) === annotationMistake(after)
  );
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
