import { symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundle } from '../../../build.ts';
import { binaries } from '../../control-plane/binaries.ts';
import { type Cluster, startCluster } from '../../control-plane/cluster.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { freePort, temporaryFolder } from '../../control-plane/processes.ts';
import { streamProgress } from '../../control-plane/progress.ts';
import { type Registry, startRegistry } from '../../control-plane/registry.ts';
import { mustRun, type RunResult } from '../../control-plane/run.ts';
import { BENCH } from '../../control-plane/versions.ts';
import { installProduct } from '../product.ts';
import { deploymentYaml } from './manifests.ts';
import { step } from './step.ts';

/** All parts of the demo, up and running. */
export interface Stage {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly git: GitServer;
  /** Name of the Git repository, its URL, and what it takes to push there. */
  readonly repository: string;
  readonly repositoryUrl: string;
  readonly credential: { readonly username: string; readonly password: string };
  /** The environment in which kubectl finds the cluster and the plugin. */
  readonly env: { readonly PATH: string; readonly KUBECONFIG: string };
  /** The newest commit on the branch, with its diff. */
  readonly showCommit: () => Promise<string>;
  /** Runs `kubectl fleetscan`. */
  readonly fleetscan: (...args: string[]) => Promise<RunResult>;
  stop(): Promise<void>;
}

const CREDENTIAL = { username: 'fleetscan', password: 'a password of the demo' };
const REPOSITORY = 'web';
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Sets the stage: gets the programs, starts the real parts, installs the product. */
export async function setStage(): Promise<Stage> {
  const programs = await step(
    'Get etcd, kube-apiserver, kube-controller-manager, kubectl, helm and a registry (done once per machine)',
    () => binaries(BENCH, { progress: streamProgress() }),
    ({ kubectl }) => `they are in ${dirname(kubectl)}`,
  );
  const [cluster, registry, git] = await step(
    'Start a Kubernetes control plane, a registry and a Git server',
    () => Promise.all([startCluster(), startRegistry(), startGitServer({ credential: CREDENTIAL })]),
    (parts) => `API server ${parts[0].url}, registry ${parts[1].host}, Git ${parts[2].url}`,
  );
  const repository = await git.createRepository(REPOSITORY, {
    'deployment.yaml': deploymentYaml(`${registry.host}/web:1.0.0`),
  });
  await install(cluster, registry);
  const pluginFolder = await step(
    'Build the kubectl plugin',
    () => buildPlugin(programs.kubectl),
    (folder) => `${folder}/kubectl-fleetscan`,
  );
  const env = {
    PATH: [pluginFolder, `${ROOT}node_modules/.bin`, process.env['PATH']].join(delimiter),
    KUBECONFIG: cluster.kubeconfig,
  };
  const show = ['--git-dir', repository.directory, 'show', '--format=%h %an: %s', 'main'];
  return {
    cluster,
    registry,
    git,
    repository: REPOSITORY,
    repositoryUrl: repository.url,
    credential: CREDENTIAL,
    env,
    showCommit: async () => (await mustRun('git', show)).stdout,
    fleetscan: (...args) => mustRun(programs.kubectl, ['fleetscan', ...args], { env }),
    stop: async () => {
      await Promise.all([cluster.stop(), registry.stop(), git.stop()]);
    },
  };
}

async function install(cluster: Cluster, registry: Registry): Promise<void> {
  const product = await step(
    'helm install fleetscan manifests/chart',
    async () =>
      installProduct(cluster, { webhookPort: await freePort(), insecureRegistries: [registry.host] }),
    () => 'CRDs, webhook configuration and the least rights are there',
  );
  await step(
    "Start the reconciler and the webhook as local processes, under the chart's service account",
    async () => [await product.startReconciler(), await product.startWebhook()],
    () => 'both are ready; the reconciler has issued the certificate',
  );
}

/** Gives a folder with the plugin, and with kubectl under its own name, for PATH. */
async function buildPlugin(kubectl: string): Promise<string> {
  const folder = temporaryFolder('plugin');
  await symlink(kubectl, join(folder, 'kubectl'));
  await buildBundle('kubectl-fleetscan', folder);
  return folder;
}
