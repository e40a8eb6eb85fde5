import type { Marker } from '../core/marker.ts';
import { type Asker, type Lookup, type Scan, ScanIndex, scanKey } from '../core/scan.ts';

/** A scan that was looked at, and why it has no value where it has none. */
export interface KnownScan {
  readonly scan: Scan;
  /** One line. */
  readonly failure?: string;
}

/**
 * Scans of files, found as those of a cluster are. One without a namespace counts as one of whatever namespace asks: files
 * that are applied with `-n` do not say theirs.
 */
export class ScanBook implements Pick<ScanIndex, 'find'> {
  readonly #known: readonly KnownScan[];
  readonly #indices = new Map<string, ScanIndex>();
  readonly #failures = new Map<string, string>();

  constructor(known: readonly KnownScan[]) {
    this.#known = known;
    for (const { scan, failure } of known)
      if (failure !== undefined) this.#failures.set(scanKey(scan), failure);
  }

  /** As {@link ScanIndex.find}; a scan without a value is refused with the reason, where that is known. */
  find(marker: Marker, from: Asker): Lookup {
    const lookup = this.#indexFor(from.namespace).find(marker, from);
    if (lookup.kind === 'refused' || lookup.scan.inForce !== undefined) return lookup;
    const failure =
      this.#failures.get(scanKey(lookup.scan)) ??
      this.#failures.get(scanKey({ ...lookup.scan, namespace: '' }));
    if (failure === undefined) return lookup;
    return {
      kind: 'refused',
      reason: 'NoValue',
      message: `scan ${scanKey(lookup.scan)} has no value: ${failure}`,
    };
  }

  #indexFor(namespace: string): ScanIndex {
    const known = this.#indices.get(namespace);
    if (known !== undefined) return known;
    const index = new ScanIndex();
    index.replace(this.#known.map(({ scan }) => (scan.namespace === '' ? { ...scan, namespace } : scan)));
    this.#indices.set(namespace, index);
    return index;
  }
}
