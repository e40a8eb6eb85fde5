import type { Logger } from 'pino';
import { ScanIndex, scanKey } from '../core/scan.ts';
import type { KubeClient } from '../kube/client.ts';
import { type GitRepo, parseGitRepo } from '../kube/kinds/git-repo.ts';
import { type ImageScan, parseImageScan } from '../kube/kinds/image-scan.ts';
import { toScan } from '../kube/kinds/to-scan.ts';
import { GIT_REPOS, IMAGE_SCANS, type Resource } from '../kube/resource.ts';
import { createStore, type Store } from '../kube/store.ts';

interface Keyed {
  readonly namespace: string;
  readonly name: string;
}
export type StoredScan = ImageScan & Keyed;
export type StoredGitRepo = GitRepo & Keyed;

/** The cluster's objects that the reconciler works on, in memory and kept current. */
export interface Stores {
  readonly scans: Store<StoredScan>;
  /** The scans by what markers call them; current before any later listener of `scans` is told of a change. */
  readonly index: ScanIndex;
  readonly gitRepos: Store<StoredGitRepo>;
  /** Keeps them current until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes the stores, empty until they run. */
export function createStores(client: KubeClient, log: Logger): Stores {
  const store = <T extends Keyed>(resource: Resource, project: (raw: unknown) => T): Store<T> =>
    createStore(
      client,
      { resource },
      {
        project: (raw) => {
          try {
            return project(raw);
          } catch (error) {
            log.error(
              { resource: resource.plural, err: error },
              'an object is not as its CRD says and is passed over',
            );
            return undefined;
          }
        },
        onError: (error, delayMs) =>
          log.warn({ resource: resource.plural, err: error, delayMs }, 'a watch failed; it is resumed'),
      },
    );
  const scans = store(IMAGE_SCANS, parseStoredScan);
  const gitRepos = store(GIT_REPOS, parseStoredGitRepo);
  const index = new ScanIndex();
  scans.onChange((change) =>
    change.type === 'put' ? index.put(toScan(change.item)) : index.delete(scanKey(change.item)),
  );
  const run = async (signal: AbortSignal): Promise<void> => {
    await Promise.all([scans.run(signal), gitRepos.run(signal)]);
  };
  return { scans, index, gitRepos, run };
}

/** Reads an ImageScan as the API server gives it. */
export function parseStoredScan(raw: unknown): StoredScan {
  return keyed(parseImageScan(raw));
}

/** Reads a GitRepo as the API server gives it. */
export function parseStoredGitRepo(raw: unknown): StoredGitRepo {
  return keyed(parseGitRepo(raw));
}

function keyed<T extends { readonly metadata: Keyed }>(object: T): T & Keyed {
  return { ...object, namespace: object.metadata.namespace, name: object.metadata.name };
}
