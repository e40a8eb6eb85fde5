import { explain } from '../core/policy/explain.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { SecretError } from '../kube/secret.ts';
import type { RegistryClient } from '../registry/client.ts';
import { ScanMemory } from '../scan/memory.ts';
import { type PullAccessReader, pullAccessReader } from '../scan/pull-access.ts';
import { type ScanResult, scanImage } from '../scan/scan.ts';
import { note } from './output.ts';

/** Scans as the reconciler would, tells of all candidates, and changes nothing in the cluster. */
export async function scanFromHere(
  scan: ImageScan,
  registry: RegistryClient,
  pullAccess: PullAccessReader,
): Promise<ScanResult> {
  return scanImage(scan, {
    registry,
    pullAccess,
    memory: new ScanMemory(),
    explain,
    signal: new AbortController().signal,
  });
}

/** The credentials that the cluster has for an ImageScan. Who looks at one may often not read Secrets: then there are none. */
export function clusterAccess(client: Pick<KubeClient, 'get'>): PullAccessReader {
  const read = pullAccessReader(client);
  return async (...parameters) => {
    try {
      return await read(...parameters);
    } catch (error) {
      if (!(error instanceof SecretError) || error.code !== 'SecretForbidden') throw error;
      note(`${error.message}: the registry is asked without credentials`);
      return { credentials: [], notes: [] };
    }
  };
}
