import { WriteBackMemory } from './memory.ts';

/** What is known of each GitRepo between its runs, by its key. */
export class WriteBackMemories {
  readonly #memories = new Map<string, WriteBackMemory>();

  /** The memory of a GitRepo; an empty one when there is none yet. */
  of(key: string): WriteBackMemory {
    const memory = this.#memories.get(key) ?? new WriteBackMemory();
    this.#memories.set(key, memory);
    return memory;
  }

  /** Forgets a GitRepo that is gone. A run that is under way ends with the memory that it began with. */
  forget(key: string): void {
    this.#memories.delete(key);
  }
}
