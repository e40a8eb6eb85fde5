import { OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import type { Facts, GitRepoFacts, ScanFacts, Write } from './facts.ts';
import { orphans } from './orphans.ts';
import { fleetCase, isServing, modeOf, startOf } from './situation.ts';

/** What can be found amiss. */
export type FindingType =
  | 'TwoWriters'
  | 'NotLabelled'
  | 'NoWebhookRule'
  | 'HalfEnabled'
  | 'ImageScanRefused'
  | 'Orphaned'
  | 'GitRepoMissing'
  | 'NoWriteAccess';

/** Something amiss; with the command against it where there is one. */
export interface Finding {
  readonly type: FindingType;
  readonly object?: {
    readonly kind: 'ImageScan' | 'GitRepo';
    readonly namespace: string;
    readonly name: string;
  };
  readonly message: string;
  readonly command?: string;
}

/** Does it have to be dealt with, or can things be left as they are? */
export const NEEDS_ACTION: Readonly<Record<FindingType, boolean>> = {
  TwoWriters: true,
  NotLabelled: true,
  NoWebhookRule: true,
  HalfEnabled: true,
  ImageScanRefused: true,
  Orphaned: false,
  GitRepoMissing: false,
  NoWriteAccess: false,
};

/** All that is amiss, the worst first. */
export function findingsOf(facts: Facts): Finding[] {
  return [
    ...twoWriters(facts),
    ...noWebhookRule(facts),
    ...notLabelled(facts),
    ...halfEnabled(facts),
    ...refused(facts),
    ...orphans(facts),
    ...gitRepoMissing(facts),
    ...noWriteAccess(facts),
  ];
}

/** Writes of another controller since we took an object over, or in its last two intervals where that is not known. */
function twoWriters(facts: Facts): Finding[] {
  if (!isServing(modeOf(facts))) return [];
  const { scans = [], gitRepos = [] } = facts;
  return [
    ...scans.flatMap((scan) => {
      const since = quietSince(facts, scan.labelledAt, scan.intervalMs);
      return twoWritersOf('ImageScan', scan, since, 'scanned');
    }),
    ...gitRepos.flatMap((repo) => {
      const since = quietSince(facts, labelledAtOf(facts, repo), repo.intervalMs);
      return twoWritersOf('GitRepo', repo, since, 'wrote back');
    }),
  ];
}

interface Written {
  readonly namespace: string;
  readonly name: string;
  readonly foreignWrite?: Write | undefined;
}

function twoWritersOf(
  kind: 'ImageScan' | 'GitRepo',
  written: Written,
  since: number,
  did: string,
): Finding[] {
  const { namespace, name, foreignWrite } = written;
  if (foreignWrite === undefined || foreignWrite.at <= since) return [];
  const { manager, at } = foreignWrite;
  const message = `${manager} ${did} too, at ${new Date(at).toISOString().replace('.000', '')}`;
  return [{ type: 'TwoWriters', object: { kind, namespace, name }, message }];
}

/** Since when nobody else should have written to an object. */
function quietSince(facts: Facts, labelledAt: number | undefined, intervalMs: number): number {
  return Math.max(startOf(facts) ?? 0, labelledAt ?? facts.now - 2 * intervalMs);
}

/** When the last of its ImageScans was labelled; undefined unless we labelled them all. */
function labelledAtOf({ scans = [] }: Facts, { namespace, name }: GitRepoFacts): number | undefined {
  const times = scans
    .filter((scan) => scan.namespace === namespace && scan.gitRepo === name)
    .map(({ labelledAt }) => labelledAt ?? Infinity);
  const last = Math.max(...times);
  return Number.isFinite(last) ? last : undefined;
}

function noWebhookRule(facts: Facts): Finding[] {
  if (modeOf(facts) !== 'TakeOver' || !facts.kinds.imageScans || facts.hasWebhookRule !== false) return [];
  const message =
    "no MutatingWebhookConfiguration has a rule for Fleet's ImageScans, so fleet apply takes their shard label away at each commit; install the chart anew";
  return [{ type: 'NoWebhookRule', message }];
}

function notLabelled(facts: Facts): Finding[] {
  if (modeOf(facts) !== 'TakeOver') return [];
  return (facts.scans ?? [])
    .filter(({ shard }) => shard !== OWN_SHARD)
    .map((scan) => ({
      type: 'NotLabelled',
      object: named('ImageScan', scan),
      message: `has not the label ${SHARD_LABEL}: ${OWN_SHARD}, so Fleet does not pass it over; is the reconciler running?`,
    }));
}

/** One Helm value turns both on, so this is an upgrade that stopped half way, or somebody's own work. */
function halfEnabled({ controllers = [] }: Facts): Finding[] {
  const state = (role: string) =>
    controllers.filter((controller) => controller.role === role).map(({ imageScan }) => imageScan);
  const [scanning, applying] = [state('fleet-controller'), state('gitjob')];
  if (scanning.includes('On') && applying.includes('Off'))
    return [
      {
        type: 'HalfEnabled',
        message: `IMAGESCAN_ENABLED is on for fleet-controller and off for gitjob, so ${REFUSES}`,
      },
    ];
  if (scanning.includes('Off') && applying.includes('On'))
    return [
      { type: 'HalfEnabled', message: 'IMAGESCAN_ENABLED is on for gitjob and off for fleet-controller' },
    ];
  return [];
}

const REFUSES = 'fleet apply refuses what has imageScans in fleet.yaml';

function refused(facts: Facts): Finding[] {
  const isOn = fleetCase(facts) === 'ImageScanOn';
  return (facts.gitRepos ?? [])
    .filter(({ isRefused }) => isRefused)
    .map((repo) => ({
      type: 'ImageScanRefused',
      object: named('GitRepo', repo),
      message: isOn
        ? 'was refused for its imageScans; Fleet tries again at the next commit, or now with this command'
        : REFUSES,
      ...(isOn && {
        command: `kubectl -n ${repo.namespace} patch gitrepos.fleet.cattle.io ${repo.name} --type=merge -p '{"spec":{"forceSyncGeneration":${Math.floor(facts.now / 1000)}}}'`,
      }),
    }));
}

function gitRepoMissing({ scans = [], gitRepos, ownGitRepos }: Facts): Finding[] {
  if (gitRepos === undefined || ownGitRepos === undefined) return [];
  const known = new Set([...ownGitRepos, ...gitRepos.map(({ namespace, name }) => `${namespace}/${name}`)]);
  return scans
    .filter(({ namespace, gitRepo }) => gitRepo !== undefined && !known.has(`${namespace}/${gitRepo}`))
    .map((scan) => ({
      type: 'GitRepoMissing',
      object: named('ImageScan', scan),
      message: `there is no GitRepo ${scan.gitRepo} in this namespace, so its values are written nowhere`,
    }));
}

function noWriteAccess({ scans = [], gitRepos = [] }: Facts): Finding[] {
  const concerned = new Set(scans.map(({ namespace, gitRepo }) => `${namespace}/${gitRepo}`));
  return gitRepos
    .filter(({ hasSecret, namespace, name }) => !hasSecret && concerned.has(`${namespace}/${name}`))
    .map((repo) => ({
      type: 'NoWriteAccess',
      object: named('GitRepo', repo),
      message:
        'has no spec.clientSecretName: Fleet writes nothing back then, and few Git servers let Fleetscan push',
    }));
}

function named(kind: 'ImageScan' | 'GitRepo', { namespace, name }: ScanFacts | GitRepoFacts) {
  return { kind, namespace, name } as const;
}
