import { SCAN_REQUEST_ANNOTATION } from '../../../kube/kinds/image-scan.ts';
import { FLEET_IMAGE_SCANS } from '../../../kube/resource.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { pushImage } from '../../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../../control-plane/registry.ts';
import { createNamespace } from '../../e2e/admission.ts';
import { type Named, put, type Reconciling, secret, startReconciling } from '../../e2e/reconciling.ts';
import { waitFor } from '../../wait.ts';
import { installFleetKinds } from '../kinds.ts';
import {
  applyAsFleet,
  fleetCondition,
  fleetGitRepo,
  fleetImageScan,
  untilFleetGitRepo,
  untilFleetScan,
} from '../objects.ts';

const PULLER = { username: 'puller', password: 'a password: with a colon' };
const PUSHER = { username: 'fleet', password: 'another one' };
const SERVE = '--fleet-takeover=serve';

/** A cluster with Fleet's kinds that Fleetscan serves, a registry and a Git server that both want credentials. */
export class FleetUser {
  readonly #bench: Reconciling;
  readonly registry: Registry;
  readonly git: GitServer;

  private constructor(bench: Reconciling, registry: Registry, git: GitServer) {
    this.#bench = bench;
    this.registry = registry;
    this.git = git;
  }

  /** Starts it all, with the Secrets that the documentation of Fleet speaks of in each of the namespaces. */
  static async start(...namespaces: readonly string[]): Promise<FleetUser> {
    const [registry, git] = await Promise.all([
      startRegistry({ auth: PULLER }),
      startGitServer({ credential: PUSHER }),
    ]);
    const values = ['fleet.takeover=serve'];
    const bench = await startReconciling({ insecureRegistries: [registry.host], values, args: [SERVE] });
    await Promise.all([
      installFleetKinds(bench.client),
      bench.product.startWebhook({ args: [SERVE] }),
      ...namespaces.map((namespace) => createNamespace(bench.client, namespace)),
    ]);
    const auths = JSON.stringify({ auths: { [registry.host]: PULLER } });
    for (const namespace of namespaces) {
      await put(
        bench.client,
        secret({ namespace, name: 'secret' }, 'kubernetes.io/basic-auth', PUSHER),
        secret({ namespace, name: 'dockerhub-secret' }, 'kubernetes.io/dockerconfigjson', {
          '.dockerconfigjson': auths,
        }),
      );
    }
    return new FleetUser(bench, registry, git);
  }

  async stop(): Promise<void> {
    await this.#bench.stop();
    await Promise.all([this.registry.stop(), this.git.stop()]);
  }

  get client(): Reconciling['client'] {
    return this.#bench.client;
  }

  push(repository: string, tag: string): Promise<{ readonly digest: string }> {
    return pushImage(this.registry.host, repository, tag, { credential: PULLER });
  }

  /**
   * Applies a GitRepo of the repository of its name, and the ImageScan that `fleet apply` makes of the one entry of its fleet.yaml.
   *
   * @returns the ImageScan, as it was applied
   */
  async apply({ namespace, name }: Named, { gitRepo, entry }: { gitRepo: object; entry: object }) {
    const repo = { repo: `${this.git.url}/${name}.git`, branch: 'main', clientSecretName: 'secret' };
    const scan = fleetImageScan({ namespace, gitRepo: name }, entry);
    await applyAsFleet(this.client, fleetGitRepo({ namespace, name }, { ...repo, ...gitRepo }), scan);
    return scan;
  }

  /** Asks for a scan, as `kubectl fleetscan scan` does. */
  async requestScan({ namespace, name }: Named): Promise<void> {
    const metadata = { annotations: { [SCAN_REQUEST_ANNOTATION]: 'now' } };
    await this.client.patch({ resource: FLEET_IMAGE_SCANS, namespace, name }, { metadata }, 'merge');
  }

  /** Waits until the condition `ImageScanned` of an ImageScan is so. */
  untilScanned(named: Named, wanted: 'True' | 'False Error') {
    return untilFleetScan(
      this.client,
      named,
      wanted,
      (scan) => fleetCondition(scan, 'ImageScanned') === wanted,
    );
  }

  /** Waits until a GitRepo was written back, or was in part. */
  untilSynced(named: Named, wanted: 'True' | 'True SyncedInPart' = 'True') {
    return untilFleetGitRepo(
      this.client,
      named,
      wanted,
      (repo) => fleetCondition(repo, 'ImageSynced') === wanted,
    );
  }

  /** Waits until a file in Git says just this, or something like it. */
  untilFile(repository: string, path: string, wanted: RegExp | string): Promise<string> {
    return waitFor(`${path} of ${repository} to be ${wanted}`, async () => {
      const text = await this.git.readFile(repository, path);
      const isWanted = typeof wanted === 'string' ? text === wanted : wanted.test(text);
      return isWanted ? text : undefined;
    });
  }

  /** `author: message` of each commit after the first, newest first. */
  async commits(repository: string): Promise<string[]> {
    const log = await this.git.log(repository);
    return log.slice(0, -1).map(({ author, message }) => `${author}: ${message}`);
  }
}
