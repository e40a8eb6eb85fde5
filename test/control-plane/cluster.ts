import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { binaries } from './binaries.ts';
import {
  apiServerArguments,
  apiServerUrl,
  type ControlPlane,
  controllerManagerArguments,
  etcdArguments,
  etcdUrl,
} from './control-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { createPki } from './pki.ts';
import { freePort, type RunningProcess, startProcess, temporaryFolder, untilReady } from './processes.ts';
import type { Progress } from './progress.ts';
import { type RunOptions, type RunResult, run } from './run.ts';

export interface ClusterOptions {
  /** Added to the API server's arguments. */
  readonly apiServerArgs?: readonly string[];
  readonly progress?: Progress;
}

export interface KubectlOptions extends RunOptions {
  /** By default the administrator's. */
  readonly kubeconfig?: string;
}

/**
 * A Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager. There is no scheduler and no kubelet: pods are
 * made and stay Pending.
 */
export interface Cluster {
  readonly url: string;
  readonly etcdUrl: string;
  readonly caFile: string;
  /** The path of the kubeconfig of an administrator (group system:masters). */
  readonly kubeconfig: string;
  /** Deleted by `stop`. */
  readonly folder: string;
  kubectl(...args: string[]): Promise<RunResult>;
  /** The same with an input, an environment or another kubeconfig. */
  kubectlWith(options: KubectlOptions, ...args: string[]): Promise<RunResult>;
  /** Creates or changes objects as `kubectl apply -f -` does. Throws what kubectl said when it fails. */
  apply(...objects: readonly object[]): Promise<void>;
  /** Creates a Node that is Ready, as a DaemonSet wants one. */
  addNode(name: string): Promise<void>;
  /** The path of a kubeconfig that holds a token (one hour) of a service account, which must exist. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
  /** Stops the API server (default) or kills it; the data stays in etcd. */
  stopApiServer(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again at the same address, and waits until it is ready. */
  startApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
  /** Ends all parts and deletes the data. */
  stop(): Promise<void>;
}

/** Starts a control plane of its own and waits until it is ready: the `default` service account of `default` is there. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
  const programs = await binaries(
    names,
    options.progress === undefined ? {} : { progress: options.progress },
  );
  const cluster = new LocalCluster(await plan(), programs, options.apiServerArgs ?? []);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function plan(): Promise<ControlPlane> {
  const folder = temporaryFolder('cluster');
  const kubeconfig = join(folder, 'admin.kubeconfig');
  const [pki, etcdPort, etcdPeerPort, apiServerPort] = await Promise.all([
    createPki(join(folder, 'pki')),
    freePort(),
    freePort(),
    freePort(),
  ]);
  return { folder, kubeconfig, pki, etcdPort, etcdPeerPort, apiServerPort };
}

type Programs = Readonly<Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl', string>>;

class LocalCluster implements Cluster {
  readonly url: string;
  readonly etcdUrl: string;
  readonly caFile: string;
  readonly kubeconfig: string;
  readonly folder: string;
  readonly #plane: ControlPlane;
  readonly #programs: Programs;
  readonly #apiServerArgs: readonly string[];
  readonly #agent: Agent;
  readonly #parts = new Map<keyof Programs, RunningProcess>();

  constructor(plane: ControlPlane, programs: Programs, apiServerArgs: readonly string[]) {
    this.#plane = plane;
    this.#programs = programs;
    this.#apiServerArgs = apiServerArgs;
    this.#agent = new Agent({ connect: plane.pki.admin });
    this.url = apiServerUrl(plane);
    this.etcdUrl = etcdUrl(plane);
    this.caFile = plane.pki.caFile;
    this.kubeconfig = plane.kubeconfig;
    this.folder = plane.folder;
  }

  async start(): Promise<void> {
    const { kubeconfig, url, caFile } = this;
    const { adminCertificate, adminKey } = this.#plane.pki;
    const user = { 'client-certificate': adminCertificate, 'client-key': adminKey };
    await writeKubeconfig(kubeconfig, { url, caFile, user });
    await mkdir(join(this.folder, 'home'));
    this.#run('etcd', etcdArguments(this.#plane));
    await this.startApiServer();
    const controllers = this.#run('kube-controller-manager', controllerManagerArguments(this.#plane));
    await untilReady(controllers, () => this.#answers('/api/v1/namespaces/default/serviceaccounts/default'));
  }

  async startApiServer(): Promise<void> {
    const args = [...apiServerArguments(this.#plane), ...this.#apiServerArgs];
    await untilReady(this.#run('kube-apiserver', args), () => this.#answers('/readyz'));
  }

  async stopApiServer(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const part = this.#parts.get('kube-apiserver');
    if (part === undefined) return;
    if (signal === 'SIGKILL') part.kill(signal);
    await part.stop();
    this.#parts.delete('kube-apiserver');
  }

  async restartApiServer(): Promise<void> {
    await this.stopApiServer();
    await this.startApiServer();
  }

  async stop(): Promise<void> {
    for (const part of this.#parts.values()) part.kill('SIGKILL');
    await Promise.all([...this.#parts.values()].map((part) => part.exited));
    this.#parts.clear();
    await this.#agent.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  kubectl(...args: string[]): Promise<RunResult> {
    return this.kubectlWith({}, ...args);
  }

  kubectlWith(
    { kubeconfig = this.kubeconfig, env, ...rest }: KubectlOptions,
    ...args: string[]
  ): Promise<RunResult> {
    // A home of its own: the user's kuberc, plugin settings and discovery cache are not the test's.
    const HOME = join(this.folder, 'home');
    return run(this.#programs.kubectl, args, { ...rest, env: { HOME, KUBECONFIG: kubeconfig, ...env } });
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await this.#must({ stdin: JSON.stringify(list) }, 'apply', '-f', '-');
  }

  async addNode(name: string): Promise<void> {
    const resources = { cpu: '64', memory: '256Gi', pods: '1000' };
    const ready = { type: 'Ready', status: 'True', reason: 'Test', message: 'a node without a kubelet' };
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
      status: { capacity: resources, allocatable: resources, conditions: [ready] },
    };
    await this.#must({ stdin: JSON.stringify(node) }, 'create', '-f', '-');
    // Every new Node is tainted not-ready, and the controller that lifts the taint does not run here.
    await this.#must({}, 'patch', 'node', name, '--type=merge', '-p', '{"spec":{"taints":null}}');
  }

  async serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    const token = (await this.#must({}, 'create', 'token', name, '-n', namespace, '--duration=1h')).trim();
    const path = join(this.folder, `${namespace}-${name}.kubeconfig`);
    await writeKubeconfig(path, { url: this.url, caFile: this.caFile, user: { token }, namespace });
    return path;
  }

  async #must(options: KubectlOptions, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.kubectlWith(options, ...args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
    return stdout;
  }

  #run(name: keyof Programs, args: readonly string[]): RunningProcess {
    const part = startProcess({ name, command: this.#programs[name], args });
    this.#parts.set(name, part);
    return part;
  }

  async #answers(path: string): Promise<true | undefined> {
    const { statusCode, body } = await request(`${this.url}${path}`, { dispatcher: this.#agent });
    await body.dump();
    return statusCode === 200 ? true : undefined;
  }
}
