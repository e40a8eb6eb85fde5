import type { Pki } from './pki.ts';

/** Everything that the parts of a control plane have to agree on. */
export interface ControlPlane {
  readonly folder: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiServerPort: number;
  readonly pki: Pki;
  readonly kubeconfig: string;
}

export function etcdUrl({ etcdPort }: ControlPlane): string {
  return `http://127.0.0.1:${etcdPort}`;
}

export function apiServerUrl({ apiServerPort }: ControlPlane): string {
  return `https://127.0.0.1:${apiServerPort}`;
}

/** etcd without fsync: the data lives as long as the test. */
export function etcdArguments(plane: ControlPlane): string[] {
  const peer = `http://127.0.0.1:${plane.etcdPeerPort}`;
  return [
    `--data-dir=${plane.folder}/etcd`,
    `--listen-client-urls=${etcdUrl(plane)}`,
    `--advertise-client-urls=${etcdUrl(plane)}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

/** The API server with its default admission plugins, RBAC, and no anonymous access beyond the default roles. */
export function apiServerArguments(plane: ControlPlane): string[] {
  const { pki } = plane;
  return [
    `--etcd-servers=${etcdUrl(plane)}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${plane.apiServerPort}`,
    `--tls-cert-file=${pki.serverCertificate}`,
    `--tls-private-key-file=${pki.serverKey}`,
    `--client-ca-file=${pki.caFile}`,
    '--authorization-mode=RBAC',
    '--allow-privileged=true',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki.serviceAccountKey}`,
    `--service-account-signing-key-file=${pki.serviceAccountKey}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    // The endpoint of the "kubernetes" Service may not be a loopback address, and nothing here routes to it.
    '--endpoint-reconciler-type=none',
    // Without it a stop waits up to a minute for watches to end; with it they are cut, and late requests are told to retry.
    '--shutdown-send-retry-after=true',
  ];
}

/**
 * All default controllers but those that watch over nodes: no kubelet reports here, so they would call every node dead.
 */
export function controllerManagerArguments({ kubeconfig, pki }: ControlPlane): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--root-ca-file=${pki.caFile}`,
    `--service-account-private-key-file=${pki.serviceAccountKey}`,
    '--controllers=*,-node-lifecycle-controller,-taint-eviction-controller',
    '--leader-elect=false',
    '--secure-port=0',
    // The defaults (20 and 30) would make a test of many pods wait for the client's own rate limit.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ];
}
