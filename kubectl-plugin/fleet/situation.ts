import type { Facts, FleetController } from './facts.ts';

/**
 * What Fleet does with images in this cluster.
 *
 * - `NotInstalled`: Fleet's GitRepos are not served.
 * - `NoController`: they are, and no fleet-controller runs.
 * - `ImageScanOff`: Fleet's image scan is off, its default since v0.15.
 * - `ImageScanRefused`: it is off, and `fleet apply` therefore refuses the `imageScans` of at least one GitRepo.
 * - `ImageScanOn`: it is on, as it always was up to v0.14.
 * - `ImageScanUnknown`: whether it is on could not be read.
 * - `FeatureRemoved`: Fleet has GitRepos, and ImageScans no longer.
 */
export type FleetCase =
  | 'NotInstalled'
  | 'NoController'
  | 'ImageScanOff'
  | 'ImageScanRefused'
  | 'ImageScanOn'
  | 'ImageScanUnknown'
  | 'FeatureRemoved';

/** What Fleetscan does with Fleet's objects; `Unknown`: its Deployment could not be read. */
export type Mode = 'NotInstalled' | 'Off' | 'Serve' | 'TakeOver' | 'Unknown';

/** In which case a cluster is. */
export function fleetCase({ kinds, controllers, gitRepos = [] }: Facts): FleetCase {
  if (!kinds.gitRepos) return 'NotInstalled';
  if (!kinds.imageScans) return 'FeatureRemoved';
  if (controllers === undefined) return 'ImageScanUnknown';
  const scanners = controllers.filter(({ role }) => role === 'fleet-controller');
  if (scanners.length === 0) return 'NoController';
  const states = scanners.map(({ imageScan }) => imageScan);
  if (states.includes('On')) return 'ImageScanOn';
  if (states.includes('Unknown')) return 'ImageScanUnknown';
  return gitRepos.some(({ isRefused }) => isRefused) ? 'ImageScanRefused' : 'ImageScanOff';
}

const MODES = { off: 'Off', serve: 'Serve', 'take-over': 'TakeOver' } as const;

/** How Fleetscan is installed. */
export function modeOf({ fleetscan }: Facts): Mode {
  if (fleetscan === undefined) return 'Unknown';
  return fleetscan === 'none' ? 'NotInstalled' : MODES[fleetscan.takeover];
}

/** Does Fleetscan scan for Fleet's objects and write them back? */
export function isServing(mode: Mode): boolean {
  return mode === 'Serve' || mode === 'TakeOver';
}

/** Fleet's Deployments that scan. */
export function scanners({ controllers = [] }: Facts): FleetController[] {
  return controllers.filter(({ role }) => role === 'fleet-controller');
}

/** When fleet-controller, with all its shards, was last started; undefined: not known. */
export function startOf(facts: Facts): number | undefined {
  const starts = scanners(facts).map(({ startedAt }) => startedAt);
  return starts.length > 0 ? Math.min(...starts) : undefined;
}
