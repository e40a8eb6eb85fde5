import { BinariesError, binaries } from './binaries.ts';
import type { Cluster } from './cluster.ts';
import { freePort, type RunningProcess, startProcess, untilReady } from './processes.ts';
import { mustRun } from './run.ts';

/** For the `skip` of tests that need it: false when Fleet is on this machine or can be got, else where to read why not. */
export async function noFleet(): Promise<string | false> {
  try {
    await binaries(['fleetcontroller', 'fleet']);
    return false;
  } catch (error) {
    if (!(error instanceof BinariesError)) throw error;
    return 'Fleet cannot be had on this machine; `npx node test/control-plane/prepare.ts` says why';
  }
}

/** The namespace of Fleet's controller. */
export const FLEET_SYSTEM = 'cattle-fleet-system';

/**
 * Starts Fleet's controller with its image scan on, and waits until it takes ImageScans up. It wants all of Fleet's kinds, and its
 * ConfigMap in {@link FLEET_SYSTEM}.
 */
export async function startFleetController({ kubeconfig }: Cluster): Promise<RunningProcess> {
  const { fleetcontroller } = await binaries(['fleetcontroller']);
  let isAtWork = false;
  const running = startProcess({
    name: 'fleetcontroller',
    command: fleetcontroller,
    args: ['--disable-metrics', '--kubeconfig', kubeconfig],
    env: {
      KUBECONFIG: kubeconfig,
      NAMESPACE: FLEET_SYSTEM,
      IMAGESCAN_ENABLED: 'true',
      FLEET_HEALTHPROBE_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
      // A second one waits this long for the first one's Lease.
      CATTLE_ELECTION_LEASE_DURATION: '4s',
      CATTLE_ELECTION_RENEW_DEADLINE: '3s',
      CATTLE_ELECTION_RETRY_PERIOD: '1s',
    },
    onLine: (line) => {
      isAtWork ||= line.includes('imagescan') && line.includes('Starting workers');
    },
  });
  await untilReady(running, () => isAtWork || undefined);
  return running;
}

/** Makes of a checkout's `fleet.yaml` what the Job of Fleet's gitjob makes of a commit. */
export async function fleetApply(
  { kubeconfig }: Cluster,
  folder: string,
  { namespace, gitRepo, commit }: { namespace: string; gitRepo: string; commit: string },
): Promise<void> {
  const { fleet } = await binaries(['fleet']);
  const labels = ['--label', `fleet.cattle.io/repo-name=${gitRepo}`, '--commit', commit];
  const args = ['apply', '--imagescan-enabled', '--namespace', namespace, ...labels, gitRepo, '.'];
  await mustRun(fleet, args, { cwd: folder, env: { KUBECONFIG: kubeconfig } });
}
