import { CodedError } from '../../core/errors.ts';
import { parseReference } from '../../core/reference.ts';
import { scanKey } from '../../core/scan.ts';
import type { Collection } from '../../kube/store.ts';
import type { RegistryClient } from '../../registry/client.ts';
import type { PullAccessReader } from '../../scan/pull-access.ts';
import type { AskAmd64 } from '../../write-back/fleet-values.ts';
import type { StoredScan } from '../stores.ts';

/** A credential that was read within this time is good enough. */
const MAX_AGE_MS = 10_000;

/** What {@link amd64Asker} works with. */
export interface DigestSources {
  readonly registry: Pick<RegistryClient, 'amd64Digest'>;
  readonly pullAccess: PullAccessReader;
  readonly scans: Pick<Collection<StoredScan>, 'get'>;
}

/** Asks registries for the linux/amd64 digest of values, with what the ImageScan has to show them. */
export function amd64Asker({ registry, pullAccess, scans }: DigestSources): AskAmd64 {
  return async (scan, { canonicalName, digest }, signal) => {
    const stored = scans.get(scanKey(scan));
    if (stored === undefined) throw new CodedError('ScanDeleted', 'the ImageScan is no more');
    const reference = { ...parseReference(canonicalName), digest };
    const access = await pullAccess(stored, reference, { maxAgeMs: MAX_AGE_MS, signal });
    return registry.amd64Digest(reference, { ...access, maxAgeMs: MAX_AGE_MS, signal });
  };
}
