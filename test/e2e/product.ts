import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import type { Cluster } from '../control-plane/cluster.ts';
import { helm } from '../control-plane/helm.ts';
import {
  freePort,
  type ProcessOptions,
  type RunningProcess,
  startProcess,
  temporaryFolder,
  untilReady,
} from '../control-plane/processes.ts';

/** Where the chart is installed. */
export const NAMESPACE = 'fleetscan-system';
const RELEASE = 'fleetscan';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** One of the two programs, running outside the cluster. */
export interface Program {
  readonly process: RunningProcess;
  /** `http://127.0.0.1:port`, where it answers probes. */
  readonly health: string;
  /** The sum of a metric's samples whose labels include `labels`; 0 when there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

/** The product on a cluster: the chart is installed, and its programs are started as local processes. */
export interface Product {
  /** The kubeconfig of the chart's service account: what it may not do, the programs cannot. */
  readonly kubeconfig: string;
  /** Starts a webhook that listens on `port`, by default the one that the API server calls; waits until it is ready. */
  startWebhook(options?: {
    port?: number;
    healthPort?: number;
    args?: readonly string[];
    env?: Readonly<Record<string, string>>;
  }): Promise<Program>;
  /** Starts a reconciler, and waits until it answers; that it leads is another matter. */
  startReconciler(options?: {
    identity?: string;
    args?: readonly string[];
    kubeconfig?: string;
    env?: Readonly<Record<string, string>>;
    onLine?: (line: string) => void;
  }): Promise<Program>;
  /** Kills all programs that it has started; the cluster stays as it is. */
  stop(): Promise<void>;
}

/** How the product is to be installed. */
export interface ProductOptions {
  /** The port of 127.0.0.1 at which the API server calls the webhook. */
  readonly webhookPort: number;
  readonly insecureRegistries?: readonly string[];
  /** More values for the chart, as `key=value`. */
  readonly values?: readonly string[];
  /** A folder with the bundles of the programs, as the image has them; the sources are run when absent. */
  readonly bundles?: string;
}

/** Installs the chart with helm; a URL stands in for the Service, and the Deployment has no replicas. */
export async function installProduct(cluster: Cluster, options: ProductOptions): Promise<Product> {
  const { webhookPort, insecureRegistries = [], values = [], bundles } = options;
  const webhookUrl = `https://127.0.0.1:${webhookPort}/mutate`;
  const settings = ['replicas=0', `webhook.url=${webhookUrl}`, ...values].flatMap((value) => [
    '--set',
    value,
  ]);
  const chart = `${ROOT}manifests/chart`;
  const install = [
    'upgrade',
    '--install',
    RELEASE,
    chart,
    '--namespace',
    NAMESPACE,
    '--create-namespace',
    ...settings,
  ];
  const { code, stderr } = await helm(cluster, ...install);
  if (code !== 0) throw new Error(`helm ${install.join(' ')} failed:\n${stderr}`);
  const kubeconfig = await cluster.serviceAccountKubeconfig(NAMESPACE, RELEASE);
  const cacheDirectory = temporaryFolder('cache');
  const started: RunningProcess[] = [];
  const start = (
    name: ProgramName,
    healthPort: number,
    args: readonly string[],
    options: LaunchOptions,
  ): Promise<Program> => {
    const entry = bundles === undefined ? `${ROOT}${name}/main.ts` : `${bundles}/${name}.js`;
    const running = launch(name, entry, healthPort, args, options);
    started.push(running);
    return untilProgramReady(running, `http://127.0.0.1:${healthPort}`);
  };

  return {
    kubeconfig,
    startWebhook: async ({ port = webhookPort, healthPort, args = [], env = {} } = {}) => {
      const own = ['--listen', `127.0.0.1:${port}`, '--kubeconfig', kubeconfig];
      return start('webhook', healthPort ?? (await freePort()), [...own, ...args], { env });
    },
    startReconciler: async ({
      identity = 'reconciler-0',
      args = [],
      kubeconfig: own = kubeconfig,
      env = {},
      onLine,
    } = {}) =>
      start(
        'reconciler',
        await freePort(),
        [
          `--kubeconfig=${own}`,
          `--identity=${identity}`,
          `--webhook-url=${webhookUrl}`,
          `--cache-dir=${cacheDirectory}/${identity}`,
          ...insecureRegistries.flatMap((host) => ['--insecure-registry', host]),
          ...args,
        ],
        { env, ...(onLine && { onLine }) },
      ),
    stop: async () => {
      for (const running of started) running.kill('SIGKILL');
      await Promise.all(started.map(({ exited }) => exited));
    },
  };
}

type ProgramName = 'webhook' | 'reconciler';
type LaunchOptions = Pick<ProcessOptions, 'env' | 'onLine'>;

function launch(
  name: ProgramName,
  entry: string,
  healthPort: number,
  args: readonly string[],
  options: LaunchOptions,
): RunningProcess {
  const common = ['--namespace', NAMESPACE, '--health-listen', `127.0.0.1:${healthPort}`];
  return startProcess({
    name,
    command: process.execPath,
    args: [entry, ...common, ...args],
    ...options,
  });
}

async function untilProgramReady(running: RunningProcess, health: string): Promise<Program> {
  await untilReady(running, () => isReady(health));
  return { process: running, health, metric: (metric, labels = {}) => readMetric(health, metric, labels) };
}

async function isReady(health: string): Promise<true | undefined> {
  const { statusCode, body } = await request(`${health}/readyz`, { reset: true });
  await body.dump();
  return statusCode === 200 ? true : undefined;
}

async function readMetric(
  health: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<number> {
  const { body } = await request(`${health}/metrics`, { reset: true });
  return sumOf(await body.text(), name, labels);
}

/** The sum of the samples of a metric in Prometheus' text form, over all series whose labels include `labels`. */
export function sumOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
