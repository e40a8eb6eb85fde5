import type { Logger } from 'pino';
import { FLEET_GROUP, objectKey, OWN_GROUP } from '../../core/group.ts';
import { Backoff } from '../../kube/backoff.ts';
import type { KubeClient } from '../../kube/client.ts';
import { failureText } from '../../kube/kinds/fleet-failure.ts';
import { GIT_REPO_KINDS } from '../../kube/kinds/served.ts';
import type { Collection } from '../../kube/store.ts';
import { type Written, writeStatus } from '../status-writer.ts';
import { parseStoredGitRepo, type StoredGitRepo, type StoredScan } from '../stores.ts';
import { WorkQueue } from '../work-queue.ts';
import { isReplaced } from '../write-back/replaced.ts';
import type { Outcome, WriteBackResult } from '../write-back/result.ts';
import type { SyncedState } from '../write-back/status.ts';
import { isConcerned } from './concern.ts';
import { fleetGitRepoStatus, saysTold, type Told, toldAfter, troubleIn } from './git-repo-status.ts';

/** What a {@link FleetGitRepoTeller} works with. */
export interface TellerDependencies {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly scans: Pick<Collection<StoredScan>, 'values'>;
  readonly gitRepos: Collection<StoredGitRepo>;
  readonly log: Logger;
}

/** Fleet writes a GitRepo's status in bursts while it deploys; one is not told again more often than this. */
const PAUSE_MS = 5000;
/** The longest pause after a failure: what the API server refuses it may refuse for long. */
const LONGEST_PAUSE_MS = 300_000;
const CONCURRENCY = 4;

interface Telling {
  readonly told: Told;
  /** When it may be told again, in milliseconds since the epoch. */
  readonly notBefore: number;
  /** The pauses after failures. */
  readonly backoff: Backoff;
}

/**
 * Tells in the status of Fleet's GitRepos what came of their write-backs, and tells it again where it got lost: Fleet writes that status
 * as a whole, from a copy that it read before.
 */
export class FleetGitRepoTeller {
  readonly #dependencies: TellerDependencies;
  readonly #queue: WorkQueue;
  readonly #tellings = new Map<string, Telling>();

  constructor(dependencies: TellerDependencies) {
    this.#dependencies = dependencies;
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      laneOf: () => ({ name: 'API server', width: CONCURRENCY }),
      work: (key, signal) => this.#tellAgain(key, signal),
      onError: (key, error) => this.#retry(key, error),
    });
    dependencies.gitRepos.onChange(({ type, item }) => {
      if (type === 'put') return this.#look(item);
      if (item.group === OWN_GROUP) return;
      this.#tellings.delete(objectKey(item));
      this.#queue.forget(objectKey(item));
    });
  }

  /** Mends statuses until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  /**
   * Tells what came of a run. A GitRepo that only deploys hears nothing, and what was wrong is taken back from one that only
   * deploys from now on.
   *
   * @returns the object unchanged where nothing was to be told; undefined where it is not as it was any more
   * @throws {ApiError}
   */
  async tell(
    gitRepo: StoredGitRepo,
    outcome: Outcome,
    signal: AbortSignal,
  ): Promise<Written<StoredGitRepo> | undefined> {
    const { scans, gitRepos, log } = this.#dependencies;
    // One of ours came while the run was under way.
    if (isReplaced(gitRepo, gitRepos)) return asItWas(gitRepo);
    const key = objectKey(gitRepo);
    const former = this.#toldOf(gitRepo);
    if (isConcerned(gitRepo, scans.values(), outcome, former)) {
      const told = toldAfter(gitRepo, outcome, former, new Date());
      return told === undefined ? asItWas(gitRepo) : this.#write(gitRepo, told, signal);
    }
    log.debug({ gitRepo: key, result: resultText(outcome.result) }, 'no ImageScan is for this GitRepo');
    if (former && isToBeTakenBack(former))
      await this.#write(gitRepo, { synced: NO_SCAN, accepted: 'None' }, signal);
    this.#tellings.delete(key);
    return asItWas(gitRepo);
  }

  async #write(
    gitRepo: StoredGitRepo,
    told: Told,
    signal: AbortSignal,
  ): Promise<Written<StoredGitRepo> | undefined> {
    const { client, gitRepos } = this.#dependencies;
    const { group, namespace, name, metadata } = gitRepo;
    const key = objectKey(gitRepo);
    // One that was made anew meanwhile has not been told of anything.
    if (gitRepos.get(key)?.metadata.uid !== metadata.uid) return undefined;
    const { backoff } = this.#remember(key, told, Date.now() + PAUSE_MS);
    const path = { resource: GIT_REPO_KINDS[group].resource, namespace, name };
    const written = await writeStatus(client, path, gitRepo, {
      parse: (raw) => parseStoredGitRepo(raw, group),
      next: (fresh) => fleetGitRepoStatus(fresh, told, new Date()),
      signal,
    });
    backoff.reset();
    return written;
  }

  #remember(key: string, told: Told, notBefore: number): Telling {
    const backoff = this.#tellings.get(key)?.backoff ?? new Backoff(2 * PAUSE_MS, LONGEST_PAUSE_MS);
    const telling = { told, notBefore, backoff };
    this.#tellings.set(key, telling);
    return telling;
  }

  #toldOf(gitRepo: StoredGitRepo): Told | undefined {
    return this.#tellings.get(objectKey(gitRepo))?.told ?? troubleIn(gitRepo);
  }

  async #tellAgain(key: string, signal: AbortSignal): Promise<void> {
    const gitRepo = this.#dependencies.gitRepos.get(key);
    const told = this.#tellings.get(key)?.told;
    if (gitRepo === undefined || told === undefined || saysTold(gitRepo, told)) return;
    await this.#write(gitRepo, told, signal);
  }

  #retry(key: string, error: unknown): void {
    const telling = this.#tellings.get(key);
    if (telling === undefined) return;
    const delayMs = telling.backoff.next();
    this.#dependencies.log.warn(
      { gitRepo: key, err: error, delayMs },
      'the status of a GitRepo could not be mended; tried again',
    );
    const { notBefore } = this.#remember(key, telling.told, Date.now() + delayMs);
    this.#queue.schedule(key, notBefore);
  }

  #look(item: StoredGitRepo): void {
    const { gitRepos } = this.#dependencies;
    const gitRepo = gitRepos.get(objectKey({ ...item, group: FLEET_GROUP }));
    if (gitRepo === undefined) return;
    if (isReplaced(gitRepo, gitRepos)) this.#takeOver(gitRepo);
    const key = objectKey(gitRepo);
    const telling = this.#tellings.get(key);
    if (telling === undefined || saysTold(gitRepo, telling.told)) return;
    this.#queue.schedule(key, Math.max(Date.now(), telling.notBefore));
  }

  // What was wrong is now to be read on the GitRepo of ours that writes back in its place.
  #takeOver(gitRepo: StoredGitRepo): void {
    const told = this.#toldOf(gitRepo);
    if (told === undefined || !isToBeTakenBack(told)) return;
    this.#remember(objectKey(gitRepo), { ...told, synced: TAKEN_OVER, accepted: 'None' }, Date.now());
  }
}

const NO_SCAN: SyncedState = {
  type: 'ImageSynced',
  status: 'True',
  reason: 'NoImageScan',
  message: 'no ImageScan is for this GitRepo any more',
};
const TAKEN_OVER: SyncedState = {
  type: 'ImageSynced',
  status: 'True',
  reason: 'TakenOver',
  message: `the GitRepo of ${OWN_GROUP} with the same name writes back in place of this one`,
};

/** Does it say anything that must not stay when it is no longer so? */
function isToBeTakenBack({ synced, accepted }: Told): boolean {
  return synced.status !== 'True' || (accepted !== undefined && accepted !== 'None');
}

function asItWas(gitRepo: StoredGitRepo): Written<StoredGitRepo> {
  return { before: gitRepo, after: gitRepo };
}

function resultText(result: WriteBackResult): string {
  return result.kind === 'failed' ? failureText(result) : result.kind;
}
