import type { Value } from './value.ts';

/** The variables of a template, of which the last of a name hides those before it. */
export class Variables {
  readonly #all: { readonly name: string; value: Value }[] = [];

  /** How many there are, for {@link Variables.release}. */
  get mark(): number {
    return this.#all.length;
  }

  /** Ends those that were made since there were so many. */
  release(mark: number): void {
    this.#all.length = mark;
  }

  declare(name: string, value: Value): void {
    this.#all.push({ name, value });
  }

  /** Changes the one that a name stands for, if there is one. */
  assign(name: string, value: Value): void {
    const variable = this.#all.findLast((candidate) => candidate.name === name);
    if (variable !== undefined) variable.value = value;
  }

  /** @returns undefined when there is none of that name */
  get(name: string): Value | undefined {
    return this.#all.findLast((candidate) => candidate.name === name)?.value;
  }
}
