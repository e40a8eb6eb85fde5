import { BoundedMap } from './bounded-map.ts';

/**
 * What was found out about digests, which name the same for ever: a question is asked once, and a failure is not kept.
 *
 * @param limit answers that are kept
 */
export class Known<T> {
  readonly #answers: BoundedMap<string, { readonly value: T }>;

  constructor(limit: number) {
    this.#answers = new BoundedMap(limit);
  }

  async about(digest: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(digest);
    if (known !== undefined) return known.value;
    const value = await ask();
    this.#answers.set(digest, { value });
    return value;
  }
}
