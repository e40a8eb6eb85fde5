import { BoundedMap } from './bounded-map.ts';

/** A digest at a registry. */
export interface Named {
  readonly registry: string;
  readonly digest: string;
}

/**
 * What registries say about digests, which name the same for ever: a question is asked once, and a failure is not kept. Each registry
 * speaks for itself alone, since not all that one says can be checked against the digest (the old schema 1).
 *
 * @param limit answers that are kept
 */
export class Known<T> {
  readonly #answers: BoundedMap<string, { readonly value: T }>;

  constructor(limit: number) {
    this.#answers = new BoundedMap(limit);
  }

  async about({ registry, digest }: Named, ask: () => Promise<T>): Promise<T> {
    const key = `${registry}@${digest}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known.value;
    const value = await ask();
    this.#answers.set(key, { value });
    return value;
  }
}
