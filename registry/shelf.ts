interface Item<V> {
  readonly value: V;
  readonly size: number;
}

/** Keeps values by key, up to a size in all; those that were not asked for the longest make room for others. */
export class Shelf<V> {
  readonly #items = new Map<string, Item<V>>();
  readonly #capacity: number;
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): V | undefined {
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    this.#items.delete(key);
    this.#items.set(key, item);
    return item.value;
  }

  /** Puts a value in the place of what was kept under the key; one that is larger than all the room is not kept. */
  put(key: string, value: V, size: number): void {
    this.#remove(key);
    if (size > this.#capacity) return;
    this.#items.set(key, { value, size });
    this.#size += size;
    for (const [oldest] of this.#items) {
      if (this.#size <= this.#capacity) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#items.delete(key);
    this.#size -= item.size;
  }
}
