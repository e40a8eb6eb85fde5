import { oneLine } from './one-line.ts';
import { type Lookup, type Scan, scanKey } from './scan.ts';
import type { Value } from './value.ts';

/** What is known of the image that the digest of a value has for linux/amd64, the one platform that Fleet asks for. */
export type Amd64 =
  | { readonly kind: 'image'; readonly digest: string }
  /** It is an index, and has none. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * What a marker is told where Git is written to as by Fleet: the name of the image always in its canonical spelling, and as digest
 * that of the linux/amd64 image. An index without one is an error to Fleet; here that marker alone has no value.
 *
 * @param amd64Of is asked only for the forms that hold a digest
 */
export function asFleetWrites(lookup: Lookup, amd64Of: (scan: Scan, value: Value) => Amd64): Lookup {
  if (lookup.kind === 'refused' || lookup.scan.inForce === undefined) return lookup;
  const { scan, reading } = lookup;
  const value = { ...lookup.scan.inForce, spelling: 'Canonical' as const };
  const told = (inForce: Value): Lookup => ({ ...lookup, scan: { ...scan, inForce } });
  if (reading.form !== 'digest' && reading.form !== 'sha') return told(value);
  const amd64 = amd64Of(scan, value);
  switch (amd64.kind) {
    case 'image':
      return told({ ...value, digest: amd64.digest });
    case 'none':
      return noValue(
        scan,
        `no child with platform linux/amd64 in index ${value.canonicalName}@${value.digest}`,
      );
    case 'unknown':
      return noValue(scan, amd64.why);
  }
}

function noValue(scan: Scan, why: string): Lookup {
  const message = oneLine(`scan ${scanKey(scan)} has no digest as Fleet writes it: ${why}`, 1000);
  return { kind: 'refused', reason: 'NoValue', message };
}
