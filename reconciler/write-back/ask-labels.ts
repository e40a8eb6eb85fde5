import { scanKey } from '../../core/scan.ts';
import type { Collection } from '../../kube/store.ts';
import type { RegistryClient } from '../../registry/client.ts';
import type { PullAccessReader } from '../../scan/pull-access.ts';
import type { AskLabels } from '../../write-back/image-labels.ts';
import type { StoredScan } from '../stores.ts';

/** A credential that was read within this time is good enough. */
const MAX_AGE_MS = 10_000;
/** A write-back waits this long for all its labels together: a slow registry is not to hold up those of other repositories. */
const BUDGET_MS = 30_000;

/** What {@link labelAsker} works with. */
export interface LabelSources {
  readonly registry: Pick<RegistryClient, 'labels'>;
  readonly pullAccess: PullAccessReader;
  readonly scans: Pick<Collection<StoredScan>, 'get'>;
}

/**
 * Asks registries for the labels of images, with what the ImageScan has to show them.
 *
 * @param budgetMs after which everything that one signal's asker is still asked fails, in milliseconds
 */
export function labelAsker(
  { registry, pullAccess, scans }: LabelSources,
  budgetMs = BUDGET_MS,
): (signal: AbortSignal) => AskLabels {
  return (outer) => {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(budgetMs)]);
    return async (scan, reference) => {
      signal.throwIfAborted();
      const stored = scans.get(scanKey(scan));
      if (stored === undefined) return {};
      const access = await pullAccess(stored, reference, { maxAgeMs: MAX_AGE_MS, signal });
      return registry.labels(reference, { ...access, maxAgeMs: MAX_AGE_MS, signal });
    };
  };
}
