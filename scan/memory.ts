import type { Choice } from '../core/policy/choose.ts';

/** What was worked out of one list of tags by one spec. */
export interface Worked {
  /** Of which spec and list. */
  readonly of: string;
  /** The choice among all tags, then that among all but it, and so on: as far as each turned out to be no image. */
  readonly choices: Choice[];
  /** The findings with which the candidates were told last. */
  told?: string;
}

/**
 * Remembers for each scan what was worked out last, so that a list which has not changed is not read, compared and explained anew at each
 * interval. Nothing is lost with it.
 */
export class ScanMemory {
  readonly #scans = new Map<string, Worked>();

  /** What was worked out of the same spec and list, or a place for it. */
  recall(key: string, of: string): Worked {
    const known = this.#scans.get(key);
    if (known?.of === of) return known;
    const worked: Worked = { of, choices: [] };
    this.#scans.set(key, worked);
    return worked;
  }

  forget(key: string): void {
    this.#scans.delete(key);
  }
}
