import { KnownBlobs } from '../../write-back/known-blobs.ts';

/**
 * What is known of a GitRepo between its runs: at which commits Git said what it should, and when to try again. What Git should
 * say has a version, so that an answer to an earlier question is never taken for one to the present.
 */
export class WriteBackMemory {
  /** The files of the repository that need not be read again. */
  readonly known = new KnownBlobs();
  #version = 0;
  #agreed: { readonly at: string; readonly version: number } | undefined;
  #retry: { readonly at: number; readonly version: number } | undefined;
  #failures = 0;
  #lastSynced: string | undefined;

  /** When a run last found or made Git to agree (RFC 3339), whatever the status says: others write there, too. */
  get lastSynced(): string | undefined {
    return this.#lastSynced;
  }

  /** Counts the changes of anything that decides what Git should say: the spec, and values that it may name. */
  get version(): number {
    return this.#version;
  }

  /** The state of the branches at which Git says what it should now, when that is known. */
  get agreedAt(): string | undefined {
    return this.#agreed?.version === this.#version ? this.#agreed.at : undefined;
  }

  /** Something changed that decides what Git should say. */
  change(): void {
    this.#version += 1;
  }

  /** A run found or made Git to agree with what it was asked at `version`; what came of it is yet to be told. */
  agree(at: string, version: number): void {
    this.#agreed = { at, version };
    this.#lastSynced = new Date().toISOString();
    this.#retry = undefined;
  }

  /** What came of a run was told. If Git agrees, the next failure is the first. */
  told(): void {
    if (this.#agreed !== undefined) this.#failures = 0;
  }

  /**
   * A run failed. What was agreed is forgotten with it, so that the next run looks at all again and its condition says so.
   *
   * @param retryDue when to try again (milliseconds since the epoch) after so many failures in a row
   */
  fail(version: number, retryDue: (failures: number) => number): void {
    this.#agreed = undefined;
    this.#failures += 1;
    this.#retry = { at: retryDue(this.#failures), version };
  }

  /** When to run: at `periodic` while Git agrees; else at once, or after a pause when just this was tried in vain. */
  due(periodic: number, now: number): number {
    if (this.agreedAt !== undefined) return periodic;
    return this.#retry?.version === this.#version ? this.#retry.at : now;
  }
}
