import { z } from 'zod';
import { timestamp } from '../kube/kinds/common.ts';
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
export type ShownScan = z.infer<typeof shownScan>;

const shownRepo = z.object({
  metadata,
  spec: gitRepoSpec.pick({ repo: true, branch: true, suspend: true }),
  status: gitRepoStatus
    .pick({ markers: true, lastPushCommit: true, lastPushTime: true, pullRequest: true, conditions: true })
    .default({}),
});
/** What tables show of a GitRepo. */
export type ShownRepo = z.infer<typeof shownRepo>;

/** @throws {InvalidObjectError} */
export function parseShownScan(raw: unknown): ShownScan {
  return parseObject('ImageScan', shownScan, raw);
}

/** @throws {InvalidObjectError} */
export function parseShownRepo(raw: unknown): ShownRepo {
  return parseObject('GitRepo', shownRepo, raw);
}
