import { OWN_GROUP } from '../core/group.ts';
import type { ImageScanSpec } from '../kube/kinds/image-scan.ts';
import { age } from './age.ts';
import { message, troubleOf, verdict } from './conditions.ts';
import { resourceName } from './names.ts';
import type { OutputFlags } from './output.ts';
import type { ShownRepo, ShownScan } from './shown.ts';
import type { Column } from './table.ts';

/**
 * The columns for ImageScans: what is in force, since when, and whether the last scan succeeded. An ImageScan of Fleet's can stand
 * among ours: its name says so.
 */
export function scanColumns(flags: OutputFlags): Column<ShownScan>[] {
  return [...nameColumns(flags), ...valueColumns(flags), SINCE, ...scanStateColumns(flags)];
}

/**
 * The columns for a table of Fleet's ImageScans alone. `fleet apply` names them by their places in fleet.yaml, so it is the tagName
 * that people know; since when a value is in force Fleet's status has no room for.
 */
export function fleetScanColumns(flags: OutputFlags): Column<ShownScan>[] {
  return [...nameColumns(flags), TAG_NAME, ...valueColumns(flags), ...scanStateColumns(flags)];
}

function nameColumns({ allNamespaces }: OutputFlags): Column<ShownScan>[] {
  return [
    ...(allNamespaces ? [NAMESPACE] : []),
    { heading: 'NAME', cell: (scan) => shownName('ImageScan', scan) },
  ];
}

const TAG_NAME: Column<ShownScan> = { heading: 'TAGNAME', cell: ({ spec }) => spec.tagName };
const SINCE: Column<ShownScan> = {
  heading: 'SINCE',
  cell: ({ status }) => ago(status.history?.[0]?.since),
};

function valueColumns({ output }: OutputFlags): Column<ShownScan>[] {
  const digest = ({ status: { latestDigest } }: ShownScan): string | undefined =>
    output === 'wide' ? latestDigest : shortDigest(latestDigest);
  return [
    { heading: 'IMAGE', cell: ({ spec }) => spec.image },
    { heading: 'TAG', cell: ({ status }) => status.latestTag },
    { heading: 'DIGEST', cell: digest },
  ];
}

function scanStateColumns({ output }: OutputFlags): Column<ShownScan>[] {
  return [
    { heading: 'READY', cell: (scan) => verdict(scan, 'Ready') },
    { heading: 'SCANNED', cell: (scan) => (scan.spec.suspend ? 'Suspended' : verdict(scan, 'ImageScanned')) },
    { heading: 'LAST SCAN', cell: ({ status }) => ago(status.lastScanTime) },
    ...(output === 'wide' ? WIDE_SCAN_COLUMNS : []),
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
export function gitRepoColumns(flags: OutputFlags): Column<ShownRepo>[] {
  const isWide = flags.output === 'wide';
  return [
    ...repoColumns(flags),
    {
      heading: 'MARKERS',
      cell: ({ status: { markers } }) => markers && `${markers.current}/${markers.total}`,
    },
    { heading: 'COMMIT', cell: ({ status }) => status.lastPushCommit?.slice(0, isWide ? undefined : 12) },
    { heading: 'PUSHED', cell: ({ status }) => ago(status.lastPushTime) },
    ...(isWide ? [PULL_REQUEST, REPO_MESSAGE] : []),
  ];
}

/** The columns for a table of Fleet's GitRepos: as far as their status tells. */
export function fleetGitRepoColumns(flags: OutputFlags): Column<ShownRepo>[] {
  return [
    ...repoColumns(flags),
    { heading: 'LAST SYNC', cell: ({ status }) => ago(status.lastSyncedImageScanTime) },
    ...(flags.output === 'wide' ? [REPO_MESSAGE] : []),
  ];
}

function repoColumns({ allNamespaces }: OutputFlags): Column<ShownRepo>[] {
  return [
    ...(allNamespaces ? [NAMESPACE] : []),
    { heading: 'GITREPO', cell: (repo) => shownName('GitRepo', repo) },
    { heading: 'REPO', cell: ({ spec }) => spec.repo },
    { heading: 'BRANCH', cell: ({ spec }) => spec.branch ?? 'master' },
    { heading: 'SYNCED', cell: (repo) => (repo.spec.suspend ? 'Suspended' : verdict(repo, 'ImageSynced')) },
  ];
}

const PULL_REQUEST: Column<ShownRepo> = {
  heading: 'PULL REQUEST',
  cell: ({ status: { pullRequest } }) => pullRequest && `#${pullRequest.number} ${pullRequest.state}`,
};
/** What stands in files matters more than what was written: a definition with a mistake has no value. */
const REPO_MESSAGE: Column<ShownRepo> = {
  heading: 'MESSAGE',
  cell: (repo) => troubleOf(repo, 'ImageScansAccepted') ?? message(repo, 'ImageSynced'),
};

const NAMESPACE: Column<ShownScan | ShownRepo> = {
  heading: 'NAMESPACE',
  cell: ({ metadata }) => metadata.namespace,
};

/** Our own objects need no more than their name. */
function shownName(
  kind: 'ImageScan' | 'GitRepo',
  { group, metadata: { name } }: ShownScan | ShownRepo,
): string {
  return group === OWN_GROUP ? name : resourceName(kind, name, group);
}

/** The policy of a scan in a few words. */
export function policyText(policy: ImageScanSpec['policy']): string {
  if (policy?.digest) return `digest of ${policy.digest.tag}`;
  if (policy?.newest) return 'newest';
  if (policy?.numerical) return `numerical ${policy.numerical.order ?? 'asc'}`;
  if (policy?.semver) return `semver ${policy.semver.range ?? ''}`;
  if (policy?.alphabetical) return `alphabetical ${policy.alphabetical.order || 'desc'}`;
  return 'semver *';
}

function shortDigest(digest: string | undefined): string | undefined {
  return digest?.replace('sha256:', '').slice(0, 12);
}

function ago(time: string | undefined): string | undefined {
  return time === undefined ? undefined : age(Date.now() - Date.parse(time));
}
