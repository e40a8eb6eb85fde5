import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { pushImage } from '../../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../../control-plane/registry.ts';
import {
  type ApiObject,
  namespaceObject,
  put,
  type Reconciling,
  secret,
  startReconciling,
} from '../../e2e/reconciling.ts';
import type { GitRepo } from '../../../kube/kinds/git-repo.ts';
import type { ImageScan } from '../../../kube/kinds/image-scan.ts';
import { waitFor } from '../../wait.ts';
import { installFleetKinds } from '../kinds.ts';
import {
  applyAsFleet,
  type BundleEntry,
  fleetCondition,
  fleetGitRepo,
  fleetImageScan,
  type FleetObject,
  fleetScanName,
  untilFleetGitRepo,
  untilFleetScan,
} from '../objects.ts';

const PUSHER = { username: 'fleet', password: 'a password: with a colon' };

/** The place of a team's second, third … ImageScan in its fleet.yaml, and the commit that was applied last. */
export type Entry = Pick<BundleEntry, 'index' | 'commit'>;

/**
 * A cluster in which Fleetscan took over from Fleet, a registry and a Git server. Each test has a team: a namespace, a repository and an
 * image of one name, a GitRepo `apps` and an ImageScan `web`, both of Fleet's.
 */
export interface FleetWorld {
  readonly bench: Reconciling;
  readonly git: GitServer;
  readonly registry: Registry;
  /** Makes the namespace with the Secret `git` in it, and more objects. */
  team(namespace: string, ...more: readonly ApiObject[]): Promise<void>;
  /** The image of the team, without a tag. */
  image(namespace: string): string;
  push(namespace: string, ...tags: readonly string[]): Promise<void>;
  /** Its GitRepo, with more in its spec; of itself looked at again after an hour. */
  apps(namespace: string, spec?: object): FleetObject;
  /** Its ImageScan, with more in its spec; of itself scanned again after an hour. */
  web(namespace: string, spec?: object, entry?: Entry): FleetObject;
  apply(...objects: readonly FleetObject[]): Promise<void>;
  /** Waits for the condition `ImageSynced` of its GitRepo, as `status` or `status reason`. */
  untilSynced(namespace: string, wanted: string): Promise<GitRepo>;
  /** Waits for the condition `ImageScanned` of its ImageScan, or of another in its fleet.yaml. */
  untilScanned(namespace: string, wanted: string, entry?: Entry): Promise<ImageScan>;
  /** Waits until a file of its repository says just this. */
  untilFile(namespace: string, path: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one, with more registries that are spoken to over plain HTTP and more flags for the reconciler, which may name the registry. */
export async function startFleetWorld({
  insecureRegistries = [],
  args = async () => [],
}: {
  insecureRegistries?: readonly string[];
  args?: (registry: Registry) => Promise<readonly string[]>;
} = {}): Promise<FleetWorld> {
  const [registry, git] = await Promise.all([startRegistry(), startGitServer({ credential: PUSHER })]);
  const bench = await startReconciling({
    insecureRegistries: [registry.host, ...insecureRegistries],
    values: ['fleet.takeover=take-over'],
    args: ['--fleet-takeover=take-over', ...(await args(registry))],
    prepare: installFleetKinds,
  });
  const { client } = bench;
  const image = (namespace: string): string => `${registry.host}/${namespace}`;
  return {
    bench,
    git,
    registry,
    image,
    team: (namespace, ...more) =>
      put(
        client,
        namespaceObject(namespace),
        secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', PUSHER),
        ...more,
      ),
    push: async (namespace, ...tags) => {
      for (const tag of tags) await pushImage(registry.host, namespace, tag);
    },
    apps: (namespace, spec = {}) => {
      const repo = `${git.url}/${namespace}.git`;
      const common = { repo, branch: 'main', clientSecretName: 'git', imageScanInterval: '1h' };
      return fleetGitRepo({ namespace, name: 'apps' }, { ...common, ...spec });
    },
    web: (namespace, spec = {}, entry = {}) =>
      fleetImageScan(
        { namespace, gitRepo: 'apps', ...entry },
        { tagName: 'web', image: image(namespace), interval: '1h', ...spec },
      ),
    apply: (...objects) => applyAsFleet(client, ...objects),
    untilSynced: (namespace, wanted) =>
      untilFleetGitRepo(
        client,
        { namespace, name: 'apps' },
        wanted,
        (repo) => fleetCondition(repo, 'ImageSynced') === wanted,
      ),
    untilScanned: (namespace, wanted, entry = {}) =>
      untilFleetScan(
        client,
        fleetScanName({ namespace, gitRepo: 'apps', ...entry }),
        wanted,
        (scan) => fleetCondition(scan, 'ImageScanned') === wanted,
      ),
    untilFile: async (namespace, path, text) => {
      await waitFor(`${path} of ${namespace} to be ${JSON.stringify(text)}`, async () =>
        (await git.readFile(namespace, path)) === text ? true : undefined,
      );
    },
    stop: async () => {
      await bench.stop();
      await Promise.all([registry.stop(), git.stop()]);
    },
  };
}
