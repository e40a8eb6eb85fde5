import type { Condition } from '../kube/kinds/common.ts';
import type { GitRepo } from '../kube/kinds/git-repo.ts';
import type { ImageScan, ImageScanSpec } from '../kube/kinds/image-scan.ts';
import { age, type Column } from './table.ts';

/** What a table is to show. */
export interface View {
  readonly allNamespaces: boolean;
  readonly wide: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The columns for ImageScans: what is in force, since when, and whether the last scan succeeded. */
export function scanColumns(view: View): Column<ImageScan>[] {
  return [
    ...namespaceColumn(view),
    { heading: 'NAME', cell: ({ metadata }) => metadata.name },
    { heading: 'IMAGE', cell: ({ spec }) => spec.image },
    { heading: 'TAG', cell: ({ status }) => status.latestTag },
    {
      heading: 'DIGEST',
      cell: ({ status }) => (view.wide ? status.latestDigest : shortDigest(status.latestDigest)),
    },
    { heading: 'SINCE', cell: ({ status }) => ago(status.history?.[0]?.since, view.now) },
    { heading: 'READY', cell: (scan) => verdict(scan, 'Ready') },
    { heading: 'SCANNED', cell: (scan) => (scan.spec.suspend ? 'Suspended' : verdict(scan, 'ImageScanned')) },
    { heading: 'LAST SCAN', cell: ({ status }) => ago(status.lastScanTime, view.now) },
    ...(view.wide
      ? [
          { heading: 'POLICY', cell: ({ spec }: ImageScan) => policyText(spec.policy) },
          { heading: 'INTERVAL', cell: ({ spec }: ImageScan) => spec.interval ?? '15m' },
          {
            heading: 'MESSAGE',
            cell: (scan: ImageScan) => firstTrouble(scan) ?? condition(scan, 'ImageScanned')?.message,
          },
        ]
      : []),
  ];
}

/** The columns for GitRepos: where values go, and whether Git agrees. */
export function gitRepoColumns(view: View): Column<GitRepo>[] {
  return [
    ...namespaceColumn(view),
    { heading: 'GITREPO', cell: ({ metadata }) => metadata.name },
    { heading: 'REPO', cell: ({ spec }) => spec.repo },
    { heading: 'BRANCH', cell: ({ spec }) => spec.branch ?? 'master' },
    { heading: 'SYNCED', cell: (repo) => (repo.spec.suspend ? 'Suspended' : verdict(repo, 'ImageSynced')) },
    {
      heading: 'MARKERS',
      cell: ({ status: { markers } }) => markers && `${markers.current}/${markers.total}`,
    },
    { heading: 'COMMIT', cell: ({ status }) => status.lastPushCommit?.slice(0, view.wide ? undefined : 12) },
    { heading: 'PUSHED', cell: ({ status }) => ago(status.lastPushTime, view.now) },
    ...(view.wide
      ? [{ heading: 'MESSAGE', cell: (repo: GitRepo) => condition(repo, 'ImageSynced')?.message }]
      : []),
  ];
}

/** The policy of a scan in a few words. */
export function policyText(policy: ImageScanSpec['policy']): string {
  if (policy?.digest) return `digest of ${policy.digest.tag}`;
  if (policy?.newest) return 'newest';
  if (policy?.numerical) return `numerical ${policy.numerical.order ?? 'asc'}`;
  if (policy?.semver) return `semver ${policy.semver.range}`;
  if (policy?.alphabetical) return `alphabetical ${policy.alphabetical.order || 'desc'}`;
  return 'semver *';
}

/** What stops a scan from being of use, or from being current; undefined when nothing does. */
export function firstTrouble(scan: ImageScan): string | undefined {
  for (const type of ['Ready', 'ImageScanned']) {
    const found = condition(scan, type);
    if (found?.status === 'False') return `${found.reason}: ${found.message}`;
  }
  return undefined;
}

interface Conditioned {
  readonly status: { readonly conditions?: readonly Condition[] | undefined };
}

function condition({ status }: Conditioned, type: string): Condition | undefined {
  return status.conditions?.find((candidate) => candidate.type === type);
}

/** `True`, or the reason why not. */
function verdict(object: Conditioned, type: string): string {
  const found = condition(object, type);
  if (found === undefined) return 'Unknown';
  return found.status === 'True' ? 'True' : (found.reason ?? found.status);
}

function namespaceColumn({ allNamespaces }: View): Column<ImageScan | GitRepo>[] {
  return allNamespaces ? [{ heading: 'NAMESPACE', cell: ({ metadata }) => metadata.namespace }] : [];
}

function shortDigest(digest: string | undefined): string | undefined {
  return digest?.replace('sha256:', '').slice(0, 12);
}

function ago(time: string | undefined, now: number): string | undefined {
  return time === undefined ? undefined : age(now - Date.parse(time));
}
