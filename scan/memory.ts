import type { Choice } from '../core/policy/choose.ts';

/** A list that was read. */
interface KnownList {
  readonly revision: string;
  readonly count: number;
  /** The tag in force that it was found to have; undefined when there was none in force. */
  readonly holds: string | undefined;
}

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
 * interval. What is forgotten is worked out again.
 */
export class ScanMemory {
  readonly #lists = new Map<string, KnownList>();
  readonly #worked = new Map<string, Worked>();

  /** The list that was read last. */
  list(key: string): KnownList | undefined {
    return this.#lists.get(key);
  }

  rememberList(key: string, list: KnownList): void {
    this.#lists.set(key, list);
  }

  /** What was worked out of the same spec and list, or a place for it. */
  recall(key: string, of: string): Worked {
    const known = this.#worked.get(key);
    if (known?.of === of) return known;
    const worked: Worked = { of, choices: [] };
    this.#worked.set(key, worked);
    return worked;
  }

  forget(key: string): void {
    this.#lists.delete(key);
    this.#worked.delete(key);
  }
}
