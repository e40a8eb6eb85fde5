import { Exhausted } from './errors.ts';
import { isList, type Value } from './value.ts';

/** UTF-16 units that any text of a rendering may have, the result and those that functions make on the way. */
export const MAX_TEXT = 64 * 1024;
/** A step is an action, a call, or some letters of text. It takes 2 µs at most, as measured: a second for all of them. */
const MAX_STEPS = 500_000;
/** Letters that are copied or looked at in about the time of a step. */
const LETTERS = 8;
/** Elements of a list that are copied in about the time of a step. */
const ELEMENTS = 16;
/** Comparisons of letters in about the time of a step, when a text is looked for in another. */
const COMPARISONS = 256;

/** What one rendering may still cost. Every method throws {@link Exhausted} when that is too little. */
export class Budget {
  #steps = MAX_STEPS;

  spend(steps = 1): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new Exhausted('Exhausted', `it takes more than ${MAX_STEPS} steps`);
  }

  /** For a text that is about to be made: its length must be known before, not after, it takes up memory. */
  text(length: number): void {
    this.grow(length, length);
  }

  /** For a text that grows by `added` letters to `length`. */
  grow(added: number, length: number): void {
    if (length > MAX_TEXT)
      throw new Exhausted('Exhausted', `it makes a text of more than ${MAX_TEXT} letters`);
    this.spend(Math.ceil(added / LETTERS));
  }

  /** For arguments of a function, all of which it may look at, down to the elements of lists. */
  given(values: readonly Value[]): void {
    for (const value of values) {
      if (typeof value === 'string') this.spend(Math.ceil(value.length / LETTERS));
      else if (isList(value)) this.spend(Math.ceil(value.length / ELEMENTS));
    }
  }

  /** For a search, that takes the product of both lengths at worst. */
  search(text: string, what: string): void {
    this.spend(Math.ceil((text.length * what.length) / COMPARISONS));
  }
}
