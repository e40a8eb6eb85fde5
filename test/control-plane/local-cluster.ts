import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { Cluster } from './cluster.ts';
import {
  apiServerArguments,
  apiServerUrl,
  type ControlPlane,
  controllerManagerArguments,
  etcdArguments,
  etcdUrl,
} from './control-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Kubectl, type KubectlOptions } from './kubectl.ts';
import { type RunningProcess, startProcess, untilReady } from './processes.ts';
import type { RunResult } from './run.ts';

type Part = 'etcd' | 'kube-apiserver' | 'kube-controller-manager';

/** Where the programs of a cluster are. */
export type ClusterPrograms = Readonly<Record<Part | 'kubectl', string>>;

const ANSWER_MS = 5000;
// It takes two seconds on a machine that is not busy.
const API_SERVER_GRACE_MS = 30_000;

/** A control plane of processes on this machine. */
export class LocalCluster implements Cluster {
  readonly url: string;
  readonly etcdUrl: string;
  readonly caFile: string;
  readonly kubeconfig: string;
  readonly folder: string;
  readonly #plane: ControlPlane;
  readonly #programs: ClusterPrograms;
  readonly #apiServerArgs: readonly string[];
  readonly #kubectl: Kubectl;
  readonly #agent: Agent;
  readonly #parts = new Map<Part, RunningProcess>();

  constructor(plane: ControlPlane, programs: ClusterPrograms, apiServerArgs: readonly string[]) {
    const { folder, kubeconfig, pki } = plane;
    this.#plane = plane;
    this.#programs = programs;
    this.#apiServerArgs = apiServerArgs;
    this.#kubectl = new Kubectl(programs.kubectl, { home: join(folder, 'home'), kubeconfig });
    this.#agent = new Agent({ connect: pki.admin, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS });
    this.url = apiServerUrl(plane);
    this.etcdUrl = etcdUrl(plane);
    this.caFile = pki.caFile;
    this.kubeconfig = kubeconfig;
    this.folder = folder;
  }

  /** Starts all parts; called once. */
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
    if (signal === 'SIGKILL') part?.kill(signal);
    await part?.stop(API_SERVER_GRACE_MS);
  }

  async restartApiServer(): Promise<void> {
    await this.stopApiServer();
    await this.startApiServer();
  }

  async stop(): Promise<void> {
    const parts = [...this.#parts.values()];
    for (const part of parts) part.kill('SIGKILL');
    await Promise.all(parts.map(({ exited }) => exited));
    await this.#agent.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }

  kubectl(...args: string[]): Promise<RunResult> {
    return this.#kubectl.run({}, args);
  }

  kubectlWith(options: KubectlOptions, ...args: string[]): Promise<RunResult> {
    return this.#kubectl.run(options, args);
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await this.#kubectl.must(['apply', '-f', '-'], JSON.stringify(list));
  }

  addNode(name: string): Promise<void> {
    return this.#kubectl.addNode(name);
  }

  async serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    const token = await this.#kubectl.must(['create', 'token', name, '-n', namespace, '--duration=1h']);
    const path = join(this.folder, `${namespace}-${name}.kubeconfig`);
    const { url, caFile } = this;
    await writeKubeconfig(path, { url, caFile, user: { token: token.trim() }, namespace });
    return path;
  }

  #run(name: Part, args: readonly string[]): RunningProcess {
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
