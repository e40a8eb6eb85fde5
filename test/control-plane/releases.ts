import type { Platform } from './platform.ts';
import { type BinaryName, PROGRAMS, type Project, VERSIONS } from './versions.ts';

/** Where a project publishes a program. */
export interface Release {
  readonly url: string;
  /** A text with the file's SHA-256: alone, or in lines of `sum  file name`. */
  readonly checksumUrl: string;
  /** The path of the program inside the archive; absent: the download is the program itself. */
  readonly member?: string;
}

/**
 * The official release of a program. Not every project publishes for every platform; a missing one answers 404.
 *
 * Sources: kubernetes.io/releases/download, the release pages of etcd and distribution,
 * helm.sh/docs/intro/install, docs.gitea.com/installation/install-from-binary, Fleet's .goreleaser.yaml.
 */
export function releaseOf(name: BinaryName, platform: Platform): Release {
  const { project } = PROGRAMS[name];
  return RELEASES[project](platform, VERSIONS[project], name);
}

const GITHUB = 'https://github.com';

type Publisher = (platform: Platform, version: string, name: BinaryName) => Release;

const RELEASES: Readonly<Record<Project, Publisher>> = {
  kubernetes: ({ os, arch }, version, name) => {
    const url = `https://dl.k8s.io/${version}/bin/${os}/${arch}/${name}`;
    return { url, checksumUrl: `${url}.sha256` };
  },
  etcd: ({ os, arch }, version) => {
    const base = `${GITHUB}/etcd-io/etcd/releases/download/${version}`;
    const folder = `etcd-${version}-${os}-${arch}`;
    const archive = `${folder}.${os === 'linux' ? 'tar.gz' : 'zip'}`;
    return { url: `${base}/${archive}`, checksumUrl: `${base}/SHA256SUMS`, member: `${folder}/etcd` };
  },
  registry: ({ os, arch }, version) => {
    const base = `${GITHUB}/distribution/distribution/releases/download/${version}`;
    const url = `${base}/registry_${version.slice(1)}_${os}_${arch}.tar.gz`;
    return { url, checksumUrl: `${url}.sha256`, member: 'registry' };
  },
  helm: ({ os, arch }, version) => {
    const url = `https://get.helm.sh/helm-${version}-${os}-${arch}.tar.gz`;
    return { url, checksumUrl: `${url}.sha256sum`, member: `${os}-${arch}/helm` };
  },
  gitea: ({ os, arch }, version) => {
    const number = version.slice(1);
    const system = os === 'darwin' ? 'darwin-10.12' : os;
    const url = `https://dl.gitea.com/gitea/${number}/gitea-${number}-${system}-${arch}`;
    return { url, checksumUrl: `${url}.sha256` };
  },
  fleet: ({ os, arch }, version, name) => {
    const base = `${GITHUB}/rancher/fleet/releases/download/${version}`;
    return {
      url: `${base}/${name}-${os}-${arch}`,
      checksumUrl: `${base}/fleet_${version.slice(1)}_checksums.txt`,
    };
  },
};
