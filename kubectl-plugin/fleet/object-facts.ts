import { z } from 'zod';
import { SHARD_LABEL } from '../../core/fleet-shard.ts';
import { parseFleetGitRepo, parseFleetImageScan } from '../../kube/kinds/fleet.ts';
import { intervalMs } from '../../scan/interval.ts';
import type { GitRepoFacts, ScanFacts } from './facts.ts';
import { foreignWrite, labelledAt, writersOf } from './managed-fields.ts';

const REPO_LABEL = 'fleet.cattle.io/repo-name';
const COMMIT_LABEL = 'fleet.cattle.io/commit';

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
  const gitRepo = labels[REPO_LABEL];
  const shard = labels[SHARD_LABEL];
  const writers = writersOf(raw);
  return {
    namespace,
    name,
    gitRepo: spec.gitrepoName || undefined,
    appliedFrom: gitRepo ? { gitRepo, commit: labels[COMMIT_LABEL] ?? '' } : undefined,
    shard,
    labelledAt: shard === undefined ? undefined : labelledAt(writers, SHARD_LABEL),
    intervalMs: intervalMs(spec.interval),
    foreignWrite: foreignWrite(writers, SCAN_FIELDS),
  };
}

const deployed = z.object({ status: z.object({ commit: z.string().optional() }).optional() });

/** @throws {InvalidObjectError} */
export function gitRepoFacts(raw: unknown): GitRepoFacts {
  const { metadata, spec, status } = parseFleetGitRepo(raw);
  const { namespace, name } = metadata;
  return {
    namespace,
    name,
    hasSecret: Boolean(spec.clientSecretName),
    isRefused: status.conditions?.some(({ message }) => message?.includes(REFUSAL)) ?? false,
    commit: deployed.safeParse(raw).data?.status?.commit || undefined,
    intervalMs: intervalMs(spec.imageScanInterval),
    foreignWrite: foreignWrite(writersOf(raw), SYNC_FIELDS),
  };
}
