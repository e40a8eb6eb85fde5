import { OWN_GROUP } from '../../core/group.ts';
import { parseAnnotationMarker } from '../../core/marker.ts';
import { canonicalName, parseReference } from '../../core/reference.ts';
import { type HistoryEntry, type Scan, ScanIndex } from '../../core/scan.ts';
import type { Value } from '../../core/value.ts';

/** `sha256:` and 64 times one hexadecimal digit. */
export const digest = (digit = 'a'): string => `sha256:${digit.repeat(64)}`;

/** The value that a scan of `image` has with a tag. */
export function valueOf(image: string, tag: string, ofDigest = digest()): Value {
  const reference = parseReference(image);
  return { name: reference.name, canonicalName: canonicalName(reference), tag, digest: ofDigest };
}

/** A history, newest first, each value a day older than the one before it. */
export function historyOf(...values: Value[]): HistoryEntry[] {
  return values.map((value, age) => ({ value, since: Date.UTC(2026, 0, 31 - age), cause: 'Scan' }));
}

/** A scan `team/app` of nginx that has 1.3 in force, but for what is said otherwise. */
export function scanOf(differences: Partial<Scan> = {}): Scan {
  const name = differences.name ?? 'app';
  const inForce = valueOf('nginx', '1.3');
  return {
    group: OWN_GROUP,
    namespace: 'team',
    name,
    tagName: name,
    generation: 1,
    exportTo: [],
    inForce,
    history: historyOf(inForce),
    ...differences,
  };
}

/** A scan that has had no result yet. */
export function scanWithoutValue(differences: Partial<Scan> = {}): Scan {
  const { inForce: _none, ...rest } = scanOf({ history: [], ...differences });
  return rest;
}

export function indexOf(...scans: Scan[]): ScanIndex {
  const index = new ScanIndex();
  index.replace(scans);
  return index;
}

/** What becomes of an annotation's text: the found scan and form, or the reason why none. */
export function lookUp(index: ScanIndex, text: string, namespace = 'team', gitrepo?: string): string {
  const lookup = index.find(parseAnnotationMarker(text), {
    namespace,
    ...(gitrepo !== undefined && { gitrepo }),
  });
  if (lookup.kind === 'refused') return lookup.reason;
  return `${lookup.scan.namespace}/${lookup.scan.name} ${lookup.reading.form}`;
}
