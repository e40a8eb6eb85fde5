import { parseReference } from '../../core/reference.ts';
import { scanKey } from '../../core/scan.ts';
import type { Collection } from '../../kube/store.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { RegistryError } from '../../registry/errors.ts';
import type { PullAccessReader } from '../../scan/pull-access.ts';
import type { StoredScan } from '../stores.ts';
import type { AskAmd64 } from './fleet-values.ts';

/** A credential that was read within this time is good enough. */
const MAX_AGE_MS = 10_000;
/** A write-back waits this long for all its digests together. */
const BUDGET_MS = 30_000;

/** What {@link amd64Asker} works with. */
export interface DigestSources {
  readonly registry: Pick<RegistryClient, 'amd64Digest'>;
  readonly pullAccess: PullAccessReader;
  readonly scans: Pick<Collection<StoredScan>, 'get'>;
}

/**
 * Asks registries for the linux/amd64 digest of values, with what the ImageScan has to show them.
 *
 * @param budgetMs after which everything that one signal's asker is still asked fails, in milliseconds
 */
export function amd64Asker(
  { registry, pullAccess, scans }: DigestSources,
  budgetMs = BUDGET_MS,
): (signal: AbortSignal) => AskAmd64 {
  return (outer) => {
    const inTime = AbortSignal.timeout(budgetMs);
    const signal = AbortSignal.any([outer, inTime]);
    return async (scan, { canonicalName, digest }) => {
      const stored = scans.get(scanKey(scan));
      if (stored === undefined) return undefined;
      try {
        const reference = { ...parseReference(canonicalName), digest };
        const access = await pullAccess(stored, reference, { maxAgeMs: MAX_AGE_MS, signal });
        return await registry.amd64Digest(reference, { ...access, maxAgeMs: MAX_AGE_MS, signal });
      } catch (error) {
        outer.throwIfAborted();
        if (!inTime.aborted) throw error;
        throw new RegistryError('Timeout', `no answer within ${budgetMs} ms`);
      }
    };
  };
}
