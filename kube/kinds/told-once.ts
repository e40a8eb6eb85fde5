/** What is remembered; a cluster with more objects that cannot be read is told of some of them again. */
const MAX_TOLD = 1000;

/** Remembers what was told: an object that cannot be read comes again with each of its changes, and is to be told of once. */
export class ToldOnce {
  readonly #told = new Set<string>();

  /** Was it not told yet? From now on it is. */
  isNews(text: string): boolean {
    if (this.#told.has(text)) return false;
    this.#told.add(text);
    const [oldest] = this.#told;
    if (this.#told.size > MAX_TOLD && oldest !== undefined) this.#told.delete(oldest);
    return true;
  }
}
