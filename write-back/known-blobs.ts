/** Why a file is left alone whatever the values in force. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** What a blob's content says of itself for ever: that it has no marker, or that it cannot be edited. */
export type Verdict = 'unmarked' | Refusal;

// An id and its place take about 100 bytes.
const MAX_BLOBS = 250_000;

/**
 * The blobs of a GitRepo that need not be read again: the same id is the same content. It holds what its last listing had and
 * nothing else, so that its size is bounded by the repository's, and by a limit beyond which files are read again.
 */
export class KnownBlobs {
  #verdicts = new Map<string, Verdict>();

  /** What is known of a blob; undefined when it has to be read. */
  get(oid: string): Verdict | undefined {
    return this.#verdicts.get(oid);
  }

  /** Remembers a blob, unless there are too many. */
  set(oid: string, verdict: Verdict): void {
    if (this.#verdicts.size < MAX_BLOBS) this.#verdicts.set(oid, verdict);
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
