import { setTimeout as delay } from 'node:timers/promises';
import { objectKey, OWN_GROUP } from '../../core/group.ts';
import { DEFINED_BY_LABEL } from '../../kube/kinds/defined.ts';
import type { Collection } from '../../kube/store.ts';
import type { Repository } from '../../git/repository.ts';
import type { FleetTakeover } from '../../program/fleet-takeover.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';
import { isReplaced } from '../write-back/replaced.ts';
import { carryOut, type Done, type ScanClient } from './carry-out.ts';
import { byPlace, type Defined, type Mistake } from './definition.ts';
import { definedBy } from './defined.ts';
import { readDefinitionFiles } from './files.ts';
import { KnownFiles } from './known-files.ts';
import { leftBehindOf } from './left-behind.ts';
import { scanPatch } from './object.ts';
import { isDefinedBy, planScans } from './plan.ts';

/** What {@link Definitions} works with. */
export interface DefinitionsDependencies {
  readonly client: ScanClient;
  readonly scans: Pick<Collection<StoredScan>, 'get' | 'values'>;
  readonly gitRepos: Pick<Collection<StoredGitRepo>, 'get'>;
  /** With `take-over`, what `fleet apply` left behind of Fleet's ImageScans is removed. */
  readonly fleetTakeover: FleetTakeover;
}

/** What came of the definitions of a GitRepo. */
export interface Brought extends Done {
  /** How many the files have that are no mistake. */
  readonly definitions: number;
  /** All mistakes, those of the API server included, by file and line. */
  readonly mistakes: readonly Mistake[];
}

/** What was found at a commit, and what is known of the files for the next one. */
interface Memory {
  readonly known: KnownFiles;
  last?: { readonly at: string; readonly defined: Defined };
}

/** How long a new ImageScan is waited for: a marker of one that the watch has not told of would be reported as unknown. */
const SEEN_MS = 2000;
const LOOK_MS = 20;

/** Makes the `imageScans` in the files of GitRepos ImageScans of the cluster, and keeps them so. */
export class Definitions {
  readonly #dependencies: DefinitionsDependencies;
  readonly #memories = new Map<string, Memory>();

  constructor(dependencies: DefinitionsDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Brings the ImageScans that a GitRepo's files define to what they say at a commit. The files of a commit are read once.
   *
   * @returns undefined for a GitRepo that does not define: one that is going, or one of Fleet's beside one of ours of its name
   * @throws {PathError | GitError}, or the signal's reason; what the API server refuses is a mistake
   */
  async bring(
    gitRepo: StoredGitRepo,
    source: Pick<Repository, 'list' | 'read'>,
    commit: string,
    signal: AbortSignal,
  ): Promise<Brought | undefined> {
    const { client, scans, gitRepos, fleetTakeover } = this.#dependencies;
    if (gitRepo.metadata.deletionTimestamp !== undefined || isReplaced(gitRepo, gitRepos)) return undefined;
    const defined = await this.#definedAt(gitRepo, source, commit);
    const plan = planScans(gitRepo, defined, scans.values());
    const leftBehind =
      fleetTakeover === 'take-over' ? leftBehindOf(gitRepo, defined, commit, scans.values()) : [];
    const done = await carryOut([...plan.operations, ...leftBehind], gitRepo, client, signal);
    await this.#seen(gitRepo.namespace, done.created, signal);
    const definitions = defined.definitions.length;
    const wrong = [...defined.mistakes, ...plan.mistakes, ...done.failures];
    // Alone they are none: a link or the like may lead to a file that defines nothing. Write-back tells of it in any case.
    const unread = definitions + wrong.length > 0 ? defined.unread : [];
    return { ...done, definitions, mistakes: [...wrong, ...unread].toSorted(byPlace) };
  }

  /** Is an ImageScan, after a change, not what the GitRepo's files last said? A new or deleted one is another question. */
  isDisturbed(gitRepo: StoredGitRepo, scan: StoredScan, previous: StoredScan): boolean {
    const isOurs = isDefinedBy(gitRepo, scan);
    if (isOurs !== isDefinedBy(gitRepo, previous)) return true;
    if (!isOurs || scan.metadata.deletionTimestamp !== undefined) return false;
    const defined = this.#memories.get(objectKey(gitRepo))?.last?.defined;
    const definition = defined?.definitions.find(({ tagName }) => tagName === scan.spec.tagName);
    return definition !== undefined && scanPatch(gitRepo, definition, scan) !== undefined;
  }

  /** Forgets a GitRepo that is gone. */
  forget(gitRepo: StoredGitRepo): void {
    this.#memories.delete(objectKey(gitRepo));
  }

  async #definedAt(
    gitRepo: StoredGitRepo,
    source: Pick<Repository, 'list' | 'read'>,
    commit: string,
  ): Promise<Defined> {
    const key = objectKey(gitRepo);
    const memory = this.#memories.get(key) ?? { known: new KnownFiles() };
    this.#memories.set(key, memory);
    const paths = gitRepo.spec.paths ?? [];
    const at = JSON.stringify([commit, ...paths]);
    if (memory.last?.at === at) return memory.last.defined;
    const defined = definedBy(await readDefinitionFiles(source, commit, paths, memory.known));
    memory.last = { at, defined };
    return defined;
  }

  async #seen(namespace: string, names: readonly string[], signal: AbortSignal): Promise<void> {
    const { scans } = this.#dependencies;
    const keys = names.map((name) => objectKey({ group: OWN_GROUP, namespace, name }));
    const deadline = performance.now() + SEEN_MS;
    while (keys.some((key) => scans.get(key) === undefined) && performance.now() < deadline)
      await delay(LOOK_MS, undefined, { signal });
  }
}

/** May a change of an ImageScan concern the definitions of any GitRepo? */
export function isOfDefinition({ metadata }: StoredScan): boolean {
  return metadata.labels[DEFINED_BY_LABEL] !== undefined;
}
