import { join } from 'node:path';
import { binaries } from './binaries.ts';
import type { Cluster } from './cluster.ts';
import { type RunResult, run } from './run.ts';

/** Runs helm against a cluster as its administrator, with settings, plugins and cache of its own. */
export async function helm(cluster: Cluster, ...args: string[]): Promise<RunResult> {
  const { helm: program } = await binaries(['helm']);
  const home = join(cluster.folder, 'helm');
  return run(program, args, {
    env: {
      KUBECONFIG: cluster.kubeconfig,
      HELM_CACHE_HOME: join(home, 'cache'),
      HELM_CONFIG_HOME: join(home, 'config'),
      HELM_DATA_HOME: join(home, 'data'),
    },
  });
}
