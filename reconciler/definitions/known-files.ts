import type { FileContent } from './files.ts';

/** Definitions and mistakes that are remembered for one GitRepo, one for each file besides; with them a few MiB at most. */
const MAX_WEIGHT = 10_000;

/**
 * The files of definitions that need not be read again, by the ids of their content. It holds what the last listing had, up to a limit
 * beyond which files are read again.
 */
export class KnownFiles {
  #contents = new Map<string, FileContent>();
  #weight = 0;

  get(oid: string): FileContent | undefined {
    return this.#contents.get(oid);
  }

  /** Remembers what a file says, unless there is too much already. */
  set(oid: string, content: FileContent): void {
    if (this.#contents.has(oid) || this.#weight + weightOf(content) > MAX_WEIGHT) return;
    this.#contents.set(oid, content);
    this.#weight += weightOf(content);
  }

  /** Forgets all but these. */
  keepOnly(oids: readonly string[]): void {
    const kept = new Set(oids);
    for (const [oid, content] of this.#contents) {
      if (kept.has(oid)) continue;
      this.#contents.delete(oid);
      this.#weight -= weightOf(content);
    }
  }
}

function weightOf(content: FileContent): number {
  return content.kind === 'read' ? 1 + content.scans.length + content.problems.length : 1;
}
