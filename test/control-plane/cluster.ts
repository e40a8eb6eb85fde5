import { join } from 'node:path';
import { binaries } from './binaries.ts';
import type { ControlPlane } from './control-plane.ts';
import type { KubectlOptions } from './kubectl.ts';
import { LocalCluster } from './local-cluster.ts';
import { createPki } from './pki.ts';
import { freePort, temporaryFolder } from './processes.ts';
import type { Progress } from './progress.ts';
import type { RunResult } from './run.ts';

export interface ClusterOptions {
  /** Added to the API server's arguments. */
  readonly apiServerArgs?: readonly string[];
  readonly progress?: Progress;
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
  /** Runs kubectl as the administrator; its exit code is for the caller to judge. */
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
export async function startCluster({ apiServerArgs = [], progress }: ClusterOptions = {}): Promise<Cluster> {
  const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
  const programs = await binaries(names, progress === undefined ? {} : { progress });
  const cluster = new LocalCluster(await plan(), programs, apiServerArgs);
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
