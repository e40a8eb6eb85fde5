import { oneLine } from '../one-line.ts';
import { TemplateError } from './errors.ts';
import { type Token, tokensOf } from './lexer.ts';

/** How deep blocks and parentheses may stand in each other. */
const MAX_DEPTH = 50;

/** The tokens of a template, and how far they are read. */
export class Cursor {
  readonly source: string;
  readonly #tokens: readonly Token[];
  readonly #end: Token;
  #position = 0;
  #depth = 0;

  /** @throws {TemplateError} where the text cannot be taken apart */
  constructor(source: string) {
    this.source = source;
    this.#tokens = tokensOf(source);
    this.#end = { kind: 'end', text: '', offset: source.length };
  }

  /** The next token, be it space. */
  get adjacent(): Token {
    return this.#tokens[this.#position] ?? this.#end;
  }

  /** The next token that is no space. */
  peek(): Token {
    while (this.adjacent.kind === 'space') this.#position += 1;
    return this.adjacent;
  }

  next(): Token {
    const token = this.peek();
    this.#position += 1;
    return token;
  }

  /** Remembers a place to come back to. */
  mark(): () => void {
    const position = this.#position;
    return () => {
      this.#position = position;
    };
  }

  isKeyword(...words: string[]): boolean {
    const { kind, text } = this.peek();
    return kind === 'keyword' && words.includes(text);
  }

  expectClose(word: string): void {
    const token = this.next();
    if (token.kind !== 'close') throw this.error(token.offset, `}} has to follow {{${word}`);
  }

  /** Reads what stands in a block or in parentheses that begin with `token`. */
  nested<T>(token: Token, read: () => T): T {
    if (++this.#depth > MAX_DEPTH)
      throw this.error(token.offset, `more than ${MAX_DEPTH} blocks or parentheses stand in each other`);
    const result = read();
    this.#depth -= 1;
    return result;
  }

  unexpected({ kind, text, offset }: Token): TemplateError {
    return this.error(offset, `${kind === 'close' ? '}}' : oneLine(text, 40)} has no place here`);
  }

  error(offset: number, problem: string): TemplateError {
    return new TemplateError(this.source, offset, problem);
  }
}
