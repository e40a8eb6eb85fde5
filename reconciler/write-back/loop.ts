import { once } from 'node:events';
import type { Logger } from 'pino';
import { type Group, objectKey } from '../../core/group.ts';
import type { ScanIndex } from '../../core/scan.ts';
import { hostOf } from '../../git/address.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Change, Collection } from '../../kube/store.ts';
import { Definitions } from '../definitions/definitions.ts';
import type { FleetTakeover } from '../../program/fleet-takeover.ts';
import type { Metrics } from '../metrics.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';
import { WorkQueue } from '../work-queue.ts';
import { Agenda } from './agenda.ts';
import { removeCopy, removeOtherCopies } from './copies.ts';
import type { AccessDependencies } from './git-access.ts';
import { WriteBackMemories } from './memories.ts';
import { rememberFailure, runWriteBack } from './run.ts';
import { type Teller, tellers } from './tellers.ts';
import type { WriteBackDependencies } from './write-back.ts';

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
  readonly fleetTakeover: FleetTakeover;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Writes values back to each GitRepo when it is due, see {@link Agenda}, some at once; and keeps the local copies of their repositories. */
export class WriteBackLoop {
  readonly #dependencies: WriteBackLoopDependencies;
  readonly #definitions: Definitions;
  readonly #tellers: Readonly<Record<Group, Teller>>;
  readonly #memories = new WriteBackMemories();
  readonly #queue: WorkQueue;
  readonly #agenda: Agenda;

  constructor(dependencies: WriteBackLoopDependencies) {
    const { gitRepos, log } = dependencies;
    this.#dependencies = dependencies;
    this.#tellers = tellers(dependencies);
    this.#definitions = new Definitions(dependencies);
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      laneOf: (key) => ({ name: hostOf(gitRepos.get(key)?.spec.repo ?? ''), width: PER_HOST }),
      work: (key, signal) => this.#writeBack(key, signal),
      onError: (key, error) => {
        log.error({ gitRepo: key, err: error }, 'a write-back could not be carried out; it is tried again');
        this.#retry(key);
      },
    });
    gitRepos.onChange((change) => this.#forgetFormer(change));
    this.#agenda = new Agenda({
      ...dependencies,
      definitions: this.#definitions,
      memories: this.#memories,
      queue: this.#queue,
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

  async #writeBack(key: string, signal: AbortSignal): Promise<void> {
    const { gitRepos } = this.#dependencies;
    const gitRepo = gitRepos.get(key);
    if (gitRepo === undefined || this.#agenda.rests(gitRepo)) return;
    const dependencies = {
      ...this.#dependencies,
      definitions: this.#definitions,
      tellers: this.#tellers,
    };
    const written = await runWriteBack(gitRepo, this.#memories.of(key), dependencies, signal).finally(() => {
      // The run may have made the copy again that went with the GitRepo, or with its former repository.
      if (gitRepos.get(key)?.spec.repo !== gitRepo.spec.repo) this.#removeCopy(gitRepo);
    });
    // The watch has told, or will tell, of what came in between, and that makes the key due.
    if (written !== undefined && gitRepos.get(key) !== undefined)
      this.#agenda.schedule(written.after, written.before);
  }

  #retry(key: string): void {
    const gitRepo = this.#dependencies.gitRepos.get(key);
    if (gitRepo === undefined) return;
    rememberFailure(this.#memories.of(key), gitRepo);
    this.#agenda.schedule(gitRepo, gitRepo);
  }

  #forgetFormer(change: Change<StoredGitRepo>): void {
    const { item } = change;
    if (change.type === 'put') {
      const { previous } = change;
      if (previous && previous.spec.repo !== item.spec.repo) this.#removeCopy(previous);
      return;
    }
    this.#definitions.forget(item);
    this.#memories.forget(objectKey(item));
    this.#removeCopy(item);
  }

  #removeCopy(gitRepo: StoredGitRepo): void {
    const { cacheDirectory, log } = this.#dependencies;
    removeCopy(cacheDirectory, gitRepo).catch((error: unknown) => {
      log.warn({ gitRepo: objectKey(gitRepo), err: error }, 'the copy of a repository could not be removed');
    });
  }
}

async function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await Promise.race([promise, once(signal, 'abort')]);
}
