import type { Logger } from 'pino';
import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import { ScanIndex, scanKey } from '../core/scan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { GitRepo } from '../kube/kinds/git-repo.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { InvalidObjectError } from '../kube/kinds/parse.ts';
import { GIT_REPO_KINDS, IMAGE_SCAN_KINDS, type ServedKind } from '../kube/kinds/served.ts';
import { toScan } from '../kube/kinds/to-scan.ts';
import { ToldOnce } from '../kube/kinds/told-once.ts';
import { apiVersion, type Resource } from '../kube/resource.ts';
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

/**
 * Makes the stores, empty until they run; those of Fleet's kinds remain so where these are not to be served.
 *
 * @param events in which objects that cannot be read are told of, beside the log
 */
export function createStores(
  client: KubeClient,
  log: Logger,
  takeover: FleetTakeover,
  events?: Pick<EventRecorder, 'record'>,
): Stores {
  const tools = { client, log, events };
  const stores = <T extends ImageScan | GitRepo>(
    kinds: Readonly<Record<Group, ServedKind<T>>>,
  ): Readonly<Record<Group, Store<T & Keyed>>> => ({
    [OWN_GROUP]: storeOf(tools, kinds[OWN_GROUP]),
    [FLEET_GROUP]: servesFleet(takeover)
      ? storeOf(tools, kinds[FLEET_GROUP], LOOK_AGAIN_MS)
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

interface Tools {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly events: Pick<EventRecorder, 'record'> | undefined;
}

function storeOf<T extends ImageScan | GitRepo>(
  tools: Tools,
  { resource, parse }: ServedKind<T>,
  lookAgainMs?: number,
): Store<T & Keyed> {
  const { client, log } = tools;
  const { group, plural } = resource;
  const told = new ToldOnce();
  const store = createStore<T & Keyed>(
    client,
    { resource },
    {
      project: (raw) => {
        try {
          return keyed(parse(raw));
        } catch (error) {
          if (!(error instanceof InvalidObjectError)) throw error;
          if (told.isNews(error.message)) tellOfInvalid(error, resource, tools);
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

function tellOfInvalid(error: InvalidObjectError, resource: Resource, { log, events }: Tools): void {
  const { group, plural } = resource;
  log.error({ group, resource: plural, err: error }, 'an object is not as its CRD says and is passed over');
  if (error.object === undefined) return;
  const message = `it cannot be read and is passed over: ${error.message}`;
  const about = { apiVersion: apiVersion(resource), ...error.object };
  events?.record(about, { type: 'Warning', reason: error.code, action: 'Read', message });
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
