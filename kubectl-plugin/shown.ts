import { z } from 'zod';
import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import { timestamp } from '../kube/kinds/common.ts';
import { fleetGitRepo, fleetImageScan } from '../kube/kinds/fleet.ts';
import { gitRepoSpec, gitRepoStatus } from '../kube/kinds/git-repo.ts';
import { imageScan, imageScanSpec, imageScanStatus } from '../kube/kinds/image-scan.ts';
import { parseObject } from '../kube/kinds/parse.ts';

// The parts of our kinds that tables show. Reading these alone takes half the time, which counts with thousands of objects;
// and an object that is wrong elsewhere can still be shown.
const metadata = imageScan.shape.metadata.pick({ namespace: true, name: true });

const shownScan = z.object({
  metadata,
  spec: imageScanSpec.pick({ image: true, interval: true, suspend: true, policy: true }),
  status: imageScanStatus
    .pick({ latestTag: true, latestDigest: true, lastScanTime: true, conditions: true })
    .extend({ history: z.array(z.object({ since: timestamp })).optional() })
    .default({}),
});
/** What tables show of an ImageScan. */
export type ShownScan = z.infer<typeof shownScan> & {
  readonly group: Group;
  readonly spec: { readonly tagName?: string | undefined };
};

const shownRepo = z.object({
  metadata,
  spec: gitRepoSpec.pick({ repo: true, branch: true, suspend: true }),
  status: gitRepoStatus
    .pick({ markers: true, lastPushCommit: true, lastPushTime: true, pullRequest: true, conditions: true })
    .default({}),
});
/** What tables show of a GitRepo. */
export type ShownRepo = z.infer<typeof shownRepo> & {
  readonly group: Group;
  readonly status: { readonly lastSyncedImageScanTime?: string | undefined };
};

// The same of Fleet's kinds.
const { spec: fleetScanSpec, status: fleetScanStatus } = fleetImageScan.shape;
const shownFleetScan = z.object({
  metadata,
  spec: fleetScanSpec.pick({ image: true, tagName: true, interval: true, suspend: true, policy: true }),
  status: fleetScanStatus
    .unwrap()
    .pick({ latestTag: true, latestDigest: true, lastScanTime: true, conditions: true })
    .prefault({}),
});

const { spec: fleetRepoSpec, status: fleetRepoStatus } = fleetGitRepo.shape;
const shownFleetRepo = z.object({
  metadata,
  spec: fleetRepoSpec.pick({ repo: true, branch: true }),
  status: fleetRepoStatus.unwrap().pick({ lastSyncedImageScanTime: true, conditions: true }).prefault({}),
});

/** Read ImageScans for tables. @throws {InvalidObjectError} */
export const SHOWN_SCAN: Readonly<Record<Group, (raw: unknown) => ShownScan>> = {
  [OWN_GROUP]: (raw) => ({ group: OWN_GROUP, ...parseObject('ImageScan', shownScan, raw) }),
  [FLEET_GROUP]: (raw) => ({ group: FLEET_GROUP, ...parseObject('ImageScan', shownFleetScan, raw) }),
};

/** Read GitRepos for tables. @throws {InvalidObjectError} */
export const SHOWN_REPO: Readonly<Record<Group, (raw: unknown) => ShownRepo>> = {
  [OWN_GROUP]: (raw) => ({ group: OWN_GROUP, ...parseObject('GitRepo', shownRepo, raw) }),
  [FLEET_GROUP]: (raw) => ({ group: FLEET_GROUP, ...parseObject('GitRepo', shownFleetRepo, raw) }),
};

const IMAGE_SCAN_CONDITIONS: ReadonlySet<string> = new Set(['ImageSynced', 'ImageScansAccepted']);
const conditioned = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string() })) }),
});

/** Has image scan anything to do with this GitRepo of Fleet's? Most of them only deploy. */
export function isConcerned(fleetRepo: unknown): boolean {
  const parsed = conditioned.safeParse(fleetRepo);
  return parsed.success && parsed.data.status.conditions.some(({ type }) => IMAGE_SCAN_CONDITIONS.has(type));
}
