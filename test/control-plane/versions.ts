/** The versions that the bench runs. `modules/<project>/go.mod` pins the same ones; a test compares them. */
export const VERSIONS = {
  kubernetes: 'v1.36.3',
  etcd: 'v3.6.16',
  registry: 'v3.1.2',
  helm: 'v3.22.0',
  gitea: 'v1.27.3',
  fleet: 'v0.16.0',
} as const;

/** A project that publishes programs we run; also the name of its folder under `modules/`. */
export type Project = keyof typeof VERSIONS;

/** The programs that we run: who publishes each, and the Go package that it is built from. */
export const PROGRAMS = {
  'kube-apiserver': { project: 'kubernetes', goPackage: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  'kube-controller-manager': {
    project: 'kubernetes',
    goPackage: 'k8s.io/kubernetes/cmd/kube-controller-manager',
  },
  kubectl: { project: 'kubernetes', goPackage: 'k8s.io/kubernetes/cmd/kubectl' },
  etcd: { project: 'etcd', goPackage: 'go.etcd.io/etcd/server/v3' },
  registry: { project: 'registry', goPackage: 'github.com/distribution/distribution/v3/cmd/registry' },
  helm: { project: 'helm', goPackage: 'helm.sh/helm/v3/cmd/helm' },
  gitea: { project: 'gitea', goPackage: 'gitea.dev' },
  fleetcontroller: { project: 'fleet', goPackage: 'github.com/rancher/fleet/cmd/fleetcontroller' },
  fleet: { project: 'fleet', goPackage: 'github.com/rancher/fleet/cmd/fleetcli' },
} as const satisfies Record<string, { project: Project; goPackage: string }>;

export type BinaryName = keyof typeof PROGRAMS;

/** The programs of the bench and the demo; the others are for tests alone. */
export const BENCH = [
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
  'etcd',
  'registry',
  'helm',
] as const satisfies readonly BinaryName[];

/** The version of the project that a program belongs to, as `v1.2.3`. */
export function versionOf(name: BinaryName): string {
  return VERSIONS[PROGRAMS[name].project];
}
