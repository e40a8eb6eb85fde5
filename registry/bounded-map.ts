/** A map that holds at most `limit` entries and forgets those first that were not asked for the longest. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #limit: number;
  readonly #onForget: (value: V) => void;

  /** @param onForget is given each value that has to make room for another */
  constructor(limit: number, onForget: (value: V) => void = () => {}) {
    this.#limit = limit;
    this.#onForget = onForget;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.#moveToEnd(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.#moveToEnd(key, value);
    const [oldest] = this.#entries;
    if (this.#entries.size <= this.#limit || oldest === undefined) return;
    this.#entries.delete(oldest[0]);
    this.#onForget(oldest[1]);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  #moveToEnd(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }
}
