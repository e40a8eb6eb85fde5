import type {
  Facts,
  FleetController,
  GitRepoFacts,
  Installation,
  ScanFacts,
} from '../../../kubectl-plugin/fleet/facts.ts';

export const MINUTE = 60_000;
export const NOW = Date.parse('2026-03-01T12:00:00Z');
/** When fleet-controller was started, in the samples. */
export const START = NOW - 60 * MINUTE;

export function controller(
  imageScan: FleetController['imageScan'],
  more: Partial<FleetController> = {},
): FleetController {
  const named = {
    role: 'fleet-controller',
    namespace: 'cattle-fleet-system',
    name: 'fleet-controller',
  } as const;
  return { ...named, imageScan, startedAt: START, ...more };
}

export function installation(takeover: Installation['takeover']): Installation {
  const named = { namespace: 'images', release: 'scans', deployment: 'scans-fleetscan' };
  return { ...named, takeover, compatibility: 'None' };
}

/** An ImageScan of `shop/apps`, taken over before fleet-controller was started. */
export function scan(more: Partial<ScanFacts> = {}): ScanFacts {
  const labelled = { shard: 'fleetscan', labelledAt: START - MINUTE };
  return { namespace: 'shop', name: 'web', gitRepo: 'apps', intervalMs: 5 * MINUTE, ...labelled, ...more };
}

export function gitRepo(more: Partial<GitRepoFacts> = {}): GitRepoFacts {
  const named = { namespace: 'shop', name: 'apps' };
  return { ...named, hasSecret: true, isRefused: false, intervalMs: 15 * MINUTE, ...more };
}

/** A cluster in which Fleetscan took over from Fleet, and all is well. */
export function facts(more: Partial<Facts> = {}): Facts {
  return {
    now: NOW,
    kinds: { gitRepos: true, imageScans: true },
    controllers: [controller('On')],
    fleetscan: installation('take-over'),
    hasWebhookRule: true,
    scans: [scan()],
    gitRepos: [gitRepo()],
    ownGitRepos: new Set(),
    ...more,
  };
}
