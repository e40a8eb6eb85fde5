import type { Condition } from '../kube/kinds/common.ts';
import type { ImageScanSpec } from '../kube/kinds/image-scan.ts';
import { age } from './age.ts';
import type { OutputFlags } from './output.ts';
import type { ShownRepo, ShownScan } from './shown.ts';
import type { Column } from './table.ts';

/** The columns for ImageScans: what is in force, since when, and whether the last scan succeeded. */
export function scanColumns({ output, allNamespaces }: OutputFlags): Column<ShownScan>[] {
  const isWide = output === 'wide';
  return [
    ...(allNamespaces ? [NAMESPACE] : []),
    { heading: 'NAME', cell: ({ metadata }) => metadata.name },
    { heading: 'IMAGE', cell: ({ spec }) => spec.image },
    { heading: 'TAG', cell: ({ status }) => status.latestTag },
    {
      heading: 'DIGEST',
      cell: ({ status }) => (isWide ? status.latestDigest : shortDigest(status.latestDigest)),
    },
    { heading: 'SINCE', cell: ({ status }) => ago(status.history?.[0]?.since) },
    { heading: 'READY', cell: (scan) => verdict(scan, 'Ready') },
    { heading: 'SCANNED', cell: (scan) => (scan.spec.suspend ? 'Suspended' : verdict(scan, 'ImageScanned')) },
    { heading: 'LAST SCAN', cell: ({ status }) => ago(status.lastScanTime) },
    ...(isWide ? WIDE_SCAN_COLUMNS : []),
  ];
}

const WIDE_SCAN_COLUMNS: readonly Column<ShownScan>[] = [
  { heading: 'POLICY', cell: ({ spec }) => policyText(spec.policy) },
  { heading: 'INTERVAL', cell: ({ spec }) => spec.interval ?? '15m' },
  {
    heading: 'MESSAGE',
    cell: (scan) =>
      troubleOf(scan, 'Ready') ?? troubleOf(scan, 'ImageScanned') ?? message(scan, 'ImageScanned'),
  },
];

/** The columns for GitRepos: where values go, and whether Git agrees. */
export function gitRepoColumns({ output, allNamespaces }: OutputFlags): Column<ShownRepo>[] {
  const isWide = output === 'wide';
  return [
    ...(allNamespaces ? [NAMESPACE] : []),
    { heading: 'GITREPO', cell: ({ metadata }) => metadata.name },
    { heading: 'REPO', cell: ({ spec }) => spec.repo },
    { heading: 'BRANCH', cell: ({ spec }) => spec.branch ?? 'master' },
    { heading: 'SYNCED', cell: (repo) => (repo.spec.suspend ? 'Suspended' : verdict(repo, 'ImageSynced')) },
    {
      heading: 'MARKERS',
      cell: ({ status: { markers } }) => markers && `${markers.current}/${markers.total}`,
    },
    { heading: 'COMMIT', cell: ({ status }) => status.lastPushCommit?.slice(0, isWide ? undefined : 12) },
    { heading: 'PUSHED', cell: ({ status }) => ago(status.lastPushTime) },
    ...(isWide ? WIDE_GIT_REPO_COLUMNS : []),
  ];
}

const WIDE_GIT_REPO_COLUMNS: readonly Column<ShownRepo>[] = [
  {
    heading: 'PULL REQUEST',
    cell: ({ status: { pullRequest } }) => pullRequest && `#${pullRequest.number} ${pullRequest.state}`,
  },
  { heading: 'MESSAGE', cell: (repo) => message(repo, 'ImageSynced') },
];

const NAMESPACE: Column<ShownScan | ShownRepo> = {
  heading: 'NAMESPACE',
  cell: ({ metadata }) => metadata.namespace,
};

/** The policy of a scan in a few words. */
export function policyText(policy: ImageScanSpec['policy']): string {
  if (policy?.digest) return `digest of ${policy.digest.tag}`;
  if (policy?.newest) return 'newest';
  if (policy?.numerical) return `numerical ${policy.numerical.order ?? 'asc'}`;
  if (policy?.semver) return `semver ${policy.semver.range ?? ''}`;
  if (policy?.alphabetical) return `alphabetical ${policy.alphabetical.order || 'desc'}`;
  return 'semver *';
}

interface Conditioned {
  readonly status: { readonly conditions?: readonly Condition[] | undefined };
}

/** Why a condition is False, as `Reason: message`; undefined when it is not. */
export function troubleOf(object: Conditioned, type: string): string | undefined {
  const found = condition(object, type);
  return found?.status === 'False' ? `${found.reason}: ${found.message}` : undefined;
}

/** The message of a condition. */
export function message(object: Conditioned, type: string): string | undefined {
  return condition(object, type)?.message;
}

/** `True`, or the reason why not. */
function verdict(object: Conditioned, type: string): string {
  const found = condition(object, type);
  if (found === undefined) return 'Unknown';
  return found.status === 'True' ? 'True' : (found.reason ?? found.status);
}

function condition({ status }: Conditioned, type: string): Condition | undefined {
  return status.conditions?.find((candidate) => candidate.type === type);
}

function shortDigest(digest: string | undefined): string | undefined {
  return digest?.replace('sha256:', '').slice(0, 12);
}

function ago(time: string | undefined): string | undefined {
  return time === undefined ? undefined : age(Date.now() - Date.parse(time));
}
