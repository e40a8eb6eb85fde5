import { matchesGlob } from './glob.ts';
import { type Group, objectKey, type ObjectName, OWN_GROUP } from './group.ts';
import { type Marker, type Reading, unknownFormError } from './marker.ts';
import { addTo, NamedScans, removeFrom } from './named-scans.ts';
import { oneLine } from './one-line.ts';
import type { Value } from './value.ts';

/** Why a value came into force. */
export type Cause = 'Scan' | 'Pin' | 'Rollback';

/** A value that is or was in force, and since when (milliseconds since the epoch). */
export interface HistoryEntry {
  readonly value: Value;
  readonly since: number;
  readonly cause: Cause;
}

/** The part of an ImageScan that the rules of this folder need. */
export interface Scan {
  readonly group: Group;
  readonly namespace: string;
  readonly name: string;
  /** What markers call it; `metadata.name` unless the spec says otherwise. */
  readonly tagName: string;
  readonly generation: number;
  /** The GitRepo, in the same namespace, that this scan is for; unset: for all of them. */
  readonly gitrepoName?: string;
  /** Namespaces that may name this scan besides its own; `*` stands for any characters. */
  readonly exportTo: readonly string[];
  readonly consistency?: 'Admission' | 'Revision';
  /** Unset until a first scan succeeded, and while the last result is of another image than the spec names now. */
  readonly inForce?: Value;
  /** Newest first; its first entry is the value in force. */
  readonly history: readonly HistoryEntry[];
}

/** What became of a marker when scans were looked up for it. */
export type Lookup =
  | { readonly kind: 'found'; readonly scan: Scan; readonly reading: Reading }
  | {
      readonly kind: 'refused';
      readonly reason: 'UnknownScan' | 'AmbiguousScan' | 'NotExported' | 'UnknownForm' | 'NoValue';
      /** One line, with no control characters: it may become an admission warning. */
      readonly message: string;
    };

/** Who looks a marker up: a namespace, and the GitRepo in it when one asks. A scan made for one GitRepo serves no other of its namespace. */
export interface Asker {
  readonly namespace: string;
  readonly gitrepo?: string;
}

/** The key of a scan everywhere, see {@link objectKey}. */
export function scanKey(scan: ObjectName): string {
  return objectKey(scan);
}

/** All scans of a cluster, found by what markers call them, in a time that does not grow with their number. */
export class ScanIndex {
  readonly #byKey = new Map<string, Scan>();
  readonly #named = new NamedScans();
  /** Those that other namespaces may name, by tagName. */
  readonly #exported = new Map<string, readonly Scan[]>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Scan | undefined {
    return this.#byKey.get(key);
  }

  /** Adds a scan, or puts it in the place of its former self. */
  put(scan: Scan): void {
    const key = scanKey(scan);
    this.delete(key);
    this.#byKey.set(key, scan);
    this.#named.add(scan);
    if (scan.exportTo.length > 0) addTo(this.#exported, scan.tagName, scan);
  }

  delete(key: string): void {
    const scan = this.#byKey.get(key);
    if (scan === undefined) return;
    this.#byKey.delete(key);
    this.#named.remove(scan);
    removeFrom(this.#exported, scan.tagName, scan);
  }

  /** Makes `scans` the whole content. */
  replace(scans: Iterable<Scan>): void {
    this.#byKey.clear();
    this.#named.clear();
    this.#exported.clear();
    for (const scan of scans) this.put(scan);
  }

  /** The other scans of the same group and namespace that a marker cannot tell from this one: same tagName, same GitRepo or any. */
  namesakes(scan: Scan): Scan[] {
    return this.#named
      .serving(scan.namespace, scan.tagName, scan.gitrepoName)
      .filter((other) => other.group === scan.group && other.name !== scan.name);
  }

  /** Finds the scan that a marker names: in the asker's own namespace first, then among those exported to it. */
  find(marker: Marker, from: Asker): Lookup {
    let refusal: Lookup | undefined;
    for (const reading of marker.readings) {
      const scans = this.#scansFor(reading, from);
      const [scan, ...others] = scans;
      if (scan !== undefined && others.length === 0) return { kind: 'found', scan, reading };
      if (scan !== undefined) refusal ??= ambiguous(scans, reading);
      else if (this.#isHidden(reading, from)) refusal ??= notExported(reading, from);
    }
    const last = marker.readings.at(-1) ?? marker.readings[0];
    return refusal ?? this.#unknownForm(marker, from) ?? unknown(last, from);
  }

  #unknownForm(marker: Marker, from: Asker): Lookup | undefined {
    const error = unknownFormError(marker);
    if (error === undefined) return undefined;
    const [reading] = marker.readings;
    const tagName = reading.tagName.slice(0, reading.tagName.lastIndexOf(':'));
    if (this.#scansFor({ ...reading, tagName }, from).length !== 1) return undefined;
    return { kind: 'refused', reason: 'UnknownForm', message: error.message };
  }

  #scansFor({ namespace, tagName }: Reading, from: Asker): readonly Scan[] {
    if (namespace !== undefined && namespace !== from.namespace) {
      const named = this.#named.serving(namespace, tagName, undefined);
      return preferred(named.filter((scan) => exportsTo(scan, from.namespace)));
    }
    const own = this.#named.serving(from.namespace, tagName, from.gitrepo);
    if (own.length > 0 || namespace !== undefined) return preferred(own);
    return (this.#exported.get(tagName) ?? NONE).filter(
      (scan) => scan.namespace !== from.namespace && exportsTo(scan, from.namespace),
    );
  }

  #isHidden({ namespace, tagName }: Reading, from: Asker): boolean {
    if (namespace === undefined || namespace === from.namespace) return false;
    return this.#named.serving(namespace, tagName, undefined).length > 0;
  }
}

const NONE: readonly Scan[] = [];

/**
 * Of scans of both groups those that count: ours, so that moving on from Fleet's is making them; but Fleet's while they alone
 * have a value.
 */
function preferred(scans: readonly Scan[]): readonly Scan[] {
  const ours = scans.filter(({ group }) => group === OWN_GROUP);
  const fleets = scans.filter(({ group }) => group !== OWN_GROUP);
  if (ours.length === 0 || fleets.length === 0) return scans;
  const isMovedTo = ours.some(hasValue) || !fleets.some(hasValue);
  return isMovedTo ? ours : fleets;
}

function hasValue({ inForce }: Scan): boolean {
  return inForce !== undefined;
}

function ambiguous(scans: readonly Scan[], reading: Reading): Lookup {
  const names = scans.map(scanKey).toSorted().slice(0, 3).join(', ');
  return {
    kind: 'refused',
    reason: 'AmbiguousScan',
    message: `${scans.length} scans have the tagName ${oneLine(reading.tagName)}: ${names}`,
  };
}

function notExported(reading: Reading, from: Asker): Lookup {
  return {
    kind: 'refused',
    reason: 'NotExported',
    message: `scan ${spelled(reading)} is not exported to namespace ${from.namespace}`,
  };
}

function unknown(reading: Reading, { namespace }: Asker): Lookup {
  const message =
    reading.namespace === undefined
      ? `no scan ${spelled(reading)} in namespace ${namespace}, and none exported to it`
      : `no scan ${spelled(reading)}`;
  return { kind: 'refused', reason: 'UnknownScan', message };
}

function spelled({ namespace, tagName }: Reading): string {
  return oneLine(namespace === undefined ? tagName : `${namespace}/${tagName}`);
}

function exportsTo(scan: Scan, namespace: string): boolean {
  return scan.exportTo.some((pattern) => matchesGlob(pattern, namespace));
}
