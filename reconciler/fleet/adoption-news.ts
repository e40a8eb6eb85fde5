import { FLEET_GROUP, objectKey, OWN_GROUP } from '../../core/group.ts';
import { scanKey } from '../../core/scan.ts';
import type { EventRecorder, ObjectRef } from '../../kube/events.ts';
import { objectRef } from '../../kube/kinds/common.ts';
import type { Collection } from '../../kube/store.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';
import { adoptedText } from './adopted-status.ts';

/** What {@link AdoptionNews} works with. */
export interface AdoptionNewsDependencies {
  readonly events: Pick<EventRecorder, 'record'>;
  readonly gitRepos: Pick<Collection<StoredGitRepo>, 'get'>;
}

/** An ImageScan of ours that took the place of one of Fleet's. */
export interface Adoption {
  readonly scan: StoredScan;
  readonly former: StoredScan;
  /** What could not be taken over as it stood. */
  readonly notes: readonly string[];
}

/** How many ImageScans an Event names, which has room for 1,024 bytes. */
const NAMED = 3;

/** The removed ImageScans of one GitRepo. */
interface Batch {
  /** The keys of those that nobody has looked at yet. */
  readonly waiting: Set<string>;
  readonly adoptions: Adoption[];
}

/**
 * Tells of adoptions in Events: one for all of a GitRepo, as thousands may come at once and the condition `Adopted` of each says the
 * rest. It is about the GitRepo, or where there is none about the first ImageScan, and comes when each removed ImageScan of the
 * GitRepo that was heard of by then has been looked at once.
 */
export class AdoptionNews {
  readonly #dependencies: AdoptionNewsDependencies;
  readonly #batches = new Map<string, Batch>();

  constructor(dependencies: AdoptionNewsDependencies) {
    this.#dependencies = dependencies;
  }

  /** An ImageScan of Fleet's was removed, and is about to be looked at. */
  expect(former: StoredScan): void {
    this.#batchOf(former).waiting.add(scanKey(former));
  }

  /** One of ours took its place. Told when it is settled. */
  adopted(adoption: Adoption): void {
    this.#batchOf(adoption.former).adoptions.push(adoption);
  }

  /** A removed ImageScan was looked at, or need not be. One that is tried again later is settled for now. */
  settle(former: StoredScan): void {
    const batch = this.#batches.get(batchKey(former));
    if (batch === undefined) return;
    batch.waiting.delete(scanKey(former));
    if (batch.waiting.size > 0) return;
    this.#batches.delete(batchKey(former));
    this.#tell(batch.adoptions);
  }

  #tell(adoptions: readonly Adoption[]): void {
    const [first] = adoptions;
    if (first === undefined) return;
    this.#dependencies.events.record(this.#about(first), {
      type: 'Normal',
      reason: 'FleetKindRemoved',
      action: 'Adopt',
      message: adoptions.length === 1 ? textOfOne(first) : textOfMany(adoptions),
    });
  }

  #about({ scan }: Adoption): ObjectRef {
    const { gitRepos } = this.#dependencies;
    const named = { namespace: scan.namespace, name: scan.spec.gitrepoName || '' };
    const gitRepo =
      gitRepos.get(objectKey({ group: OWN_GROUP, ...named })) ??
      gitRepos.get(objectKey({ group: FLEET_GROUP, ...named }));
    return gitRepo === undefined ? objectRef('ImageScan', scan) : objectRef('GitRepo', gitRepo);
  }

  #batchOf(former: StoredScan): Batch {
    const key = batchKey(former);
    const batch = this.#batches.get(key) ?? { waiting: new Set(), adoptions: [] };
    this.#batches.set(key, batch);
    return batch;
  }
}

function batchKey({ namespace, spec }: StoredScan): string {
  return `${namespace}/${spec.gitrepoName || ''}`;
}

function textOfOne({ scan, former, notes }: Adoption): string {
  return `ImageScan ${scan.name} ${adoptedText(scan.status, former, notes)}`;
}

function textOfMany(adoptions: readonly Adoption[]): string {
  const named = adoptions
    .slice(0, NAMED)
    .map(({ scan }) => `${scan.name} (${scan.status.latestTag ?? 'no value'})`);
  const more = adoptions.length - named.length;
  const last = more > 0 ? `${more} more` : named.pop();
  const changed = adoptions.filter(({ notes }) => notes.length > 0).length;
  const rest = changed > 0 ? `; not all of ${changed} could be taken over, see their condition Adopted` : '';
  return `${adoptions.length} ImageScans take the place of those of ${FLEET_GROUP} that went with the CustomResourceDefinition: ${named.join(', ')} and ${last}${rest}`;
}
