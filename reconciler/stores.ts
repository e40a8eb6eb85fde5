import type { Logger } from 'pino';
import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import { ScanIndex, scanKey } from '../core/scan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { GitRepo } from '../kube/kinds/git-repo.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { GIT_REPO_KINDS, IMAGE_SCAN_KINDS, type ServedKind } from '../kube/kinds/served.ts';
import { toScan } from '../kube/kinds/to-scan.ts';
import { type Collection, createStore, Store } from '../kube/store.ts';
import { Union } from '../kube/union.ts';
import { LOOK_AGAIN_MS, servesFleet, type FleetTakeover } from '../program/fleet-takeover.ts';

interface Keyed {
  readonly namespace: string;
  readonly name: string;
}
export type StoredScan = ImageScan & Keyed;
export type StoredGitRepo = GitRepo & Keyed;

/** The cluster's objects that the reconciler works on, of both groups, in memory and kept current. */
export interface Stores {
  readonly scans: Collection<StoredScan>;
  /** The scans by what markers call them; current before any later listener of `scans` is told of a change. */
  readonly index: ScanIndex;
  readonly gitRepos: Collection<StoredGitRepo>;
  /** Keeps them current until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes the stores, empty until they run; those of Fleet's kinds remain so where these are not to be served. */
export function createStores(client: KubeClient, log: Logger, takeover: FleetTakeover): Stores {
  const stores = <T extends ImageScan | GitRepo>(
    kinds: Readonly<Record<Group, ServedKind<T>>>,
  ): Readonly<Record<Group, Store<T & Keyed>>> => ({
    [OWN_GROUP]: storeOf(client, log, kinds[OWN_GROUP]),
    [FLEET_GROUP]: servesFleet(takeover)
      ? storeOf(client, log, kinds[FLEET_GROUP], LOOK_AGAIN_MS)
      : new Store<T & Keyed>(nothing),
  });
  const scansOf = stores(IMAGE_SCAN_KINDS);
  const gitReposOf = stores(GIT_REPO_KINDS);
  const scans = new Union(scansOf);
  const gitRepos = new Union(gitReposOf);
  const index = new ScanIndex();
  scans.onChange((change) =>
    change.type === 'put' ? index.put(toScan(change.item)) : index.delete(scanKey(change.item)),
  );
  const all = [...Object.values(scansOf), ...Object.values(gitReposOf)];
  const run = async (signal: AbortSignal): Promise<void> => {
    await Promise.all(all.map((store) => store.run(signal)));
  };
  return { scans, index, gitRepos, run };
}

function storeOf<T extends ImageScan | GitRepo>(
  client: KubeClient,
  log: Logger,
  { resource, parse }: ServedKind<T>,
  lookAgainMs?: number,
): Store<T & Keyed> {
  const { group, plural } = resource;
  const store = createStore<T & Keyed>(
    client,
    { resource },
    {
      project: (raw) => {
        try {
          return keyed(parse(raw));
        } catch (error) {
          log.error(
            { group, resource: plural, err: error },
            'an object is not as its CRD says and is passed over',
          );
          return undefined;
        }
      },
      onError: (error, delayMs) =>
        log.warn({ group, resource: plural, err: error, delayMs }, 'a watch failed; it is resumed'),
      ...(lookAgainMs !== undefined && { lookAgainMs }),
    },
  );
  store.onServed((isServed) => {
    const what = isServed
      ? 'the cluster has this kind; its objects are served'
      : 'the cluster has this kind no more; what was done for its objects ends, until it is back';
    log.info({ group, resource: plural }, what);
  });
  return store;
}

async function* nothing(): AsyncGenerator<{ readonly type: 'absent' }> {
  yield { type: 'absent' };
}

/** Reads an ImageScan as the API server gives it. */
export function parseStoredScan(raw: unknown, group: Group = OWN_GROUP): StoredScan {
  return keyed(IMAGE_SCAN_KINDS[group].parse(raw));
}

/** Reads a GitRepo as the API server gives it. */
export function parseStoredGitRepo(raw: unknown, group: Group = OWN_GROUP): StoredGitRepo {
  return keyed(GIT_REPO_KINDS[group].parse(raw));
}

function keyed<T extends { readonly metadata: Keyed }>(object: T): T & Keyed {
  return { ...object, namespace: object.metadata.namespace, name: object.metadata.name };
}
