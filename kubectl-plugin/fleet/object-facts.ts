import { SHARD_LABEL } from '../../core/fleet-shard.ts';
import {
  FLEET_COMMIT_LABEL,
  FLEET_REPO_LABEL,
  parseFleetGitRepo,
  parseFleetImageScan,
} from '../../kube/kinds/fleet.ts';
import { intervalMs } from '../../scan/interval.ts';
import type { GitRepoFacts, ScanFacts } from './facts.ts';
import { foreignWrite, labelledAt, writersOf } from './managed-fields.ts';

/** What a scan of Fleet's writes when it finds something. */
const SCAN_FIELDS = ['lastScanTime', 'latestTag', 'latestImage', 'latestDigest', 'canonicalImageName'];
/** What a commit job of Fleet's writes when it is through. */
const SYNC_FIELDS = ['lastSyncedImageScanTime'];
/** What `fleet apply` answers to `imageScans` while image scan is off. */
const REFUSAL = 'imagescan is disabled';

/** @throws {InvalidObjectError} */
export function scanFacts(raw: unknown): ScanFacts {
  const { metadata, spec } = parseFleetImageScan(raw);
  const { namespace, name, labels } = metadata;
  const gitRepo = labels[FLEET_REPO_LABEL];
  const shard = labels[SHARD_LABEL];
  const writers = writersOf(raw);
  return {
    namespace,
    name,
    gitRepo: spec.gitrepoName || undefined,
    appliedFrom: gitRepo ? { gitRepo, commit: labels[FLEET_COMMIT_LABEL] ?? '' } : undefined,
    shard,
    labelledAt: shard === undefined ? undefined : labelledAt(writers, SHARD_LABEL),
    intervalMs: intervalMs(spec.interval),
    foreignWrite: foreignWrite(writers, SCAN_FIELDS),
  };
}

/** @throws {InvalidObjectError} */
export function gitRepoFacts(raw: unknown): GitRepoFacts {
  const { metadata, spec, status, deployedCommit } = parseFleetGitRepo(raw);
  const { namespace, name } = metadata;
  return {
    namespace,
    name,
    hasSecret: Boolean(spec.clientSecretName),
    isRefused: status.conditions?.some(({ message }) => message?.includes(REFUSAL)) ?? false,
    commit: deployedCommit,
    intervalMs: intervalMs(spec.imageScanInterval),
    foreignWrite: foreignWrite(writersOf(raw), SYNC_FIELDS),
  };
}
