import type { Marker } from '../core/marker.ts';
import { type Lookup, scanKey } from '../core/scan.ts';
import type { EditResult, LeftAlone } from '../core/yaml/edit.ts';

/** Why a whole file is left alone, whatever the values in force. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** What became of a file with markers in which nothing had to change, and the answers to its markers that made it so. */
export interface Settled {
  readonly markers: number;
  readonly current: number;
  readonly leftAlone: readonly LeftAlone[];
  readonly answers: readonly Answer[];
}

/** What a marker was told. */
export interface Answer {
  readonly marker: Marker;
  readonly lookup: Lookup;
}

/** What is known of a blob: that it has no marker, that it cannot be edited, or that it said what it should. */
export type Verdict = 'unmarked' | Refusal | Settled;

// An id and its place take about 100 bytes.
const MAX_BLOBS = 250_000;

/**
 * The blobs of a GitRepo that need not be read again: the same id is the same content. It holds what its last listing had and
 * nothing else, so that its size is bounded by the repository's, and by a limit beyond which files are read again.
 */
export class KnownBlobs {
  #verdicts = new Map<string, Verdict>();

  /**
   * What is known of a blob; undefined when it has to be read.
   *
   * @param resolve looks up the scan that a marker names: once an answer is another, what was settled is no longer
   */
  get(oid: string, resolve: (marker: Marker) => Lookup): Verdict | undefined {
    const verdict = this.#verdicts.get(oid);
    if (typeof verdict !== 'object' || !('answers' in verdict)) return verdict;
    const holds = verdict.answers.every(({ marker, lookup }) => isSameAnswer(lookup, resolve(marker)));
    return holds ? verdict : undefined;
  }

  /** Remembers a blob, unless there are too many. */
  set(oid: string, verdict: Verdict): void {
    if (this.#verdicts.size < MAX_BLOBS || this.#verdicts.has(oid)) this.#verdicts.set(oid, verdict);
  }

  /** Forgets all but these. */
  keepOnly(oids: Iterable<string>): void {
    const kept = new Map<string, Verdict>();
    for (const oid of oids) {
      const verdict = this.#verdicts.get(oid);
      if (verdict !== undefined) kept.set(oid, verdict);
    }
    this.#verdicts = kept;
  }
}

/** The verdict on a file in which nothing had to change. */
export function settled({ markers, current, leftAlone }: EditResult, answers: Iterable<Answer>): Settled {
  return { markers, current, leftAlone, answers: [...answers] };
}

/** Would a marker become the same by either answer? */
function isSameAnswer(a: Lookup, b: Lookup): boolean {
  if (a.kind === 'refused') return b.kind === a.kind && a.reason === b.reason && a.message === b.message;
  if (b.kind === 'refused') return false;
  const [before, now] = [a.scan.inForce, b.scan.inForce];
  return (
    a.reading.form === b.reading.form &&
    scanKey(a.scan) === scanKey(b.scan) &&
    before?.name === now?.name &&
    before?.spelling === now?.spelling &&
    before?.canonicalName === now?.canonicalName &&
    before?.tag === now?.tag &&
    before?.digest === now?.digest
  );
}
