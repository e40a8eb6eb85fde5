import { Cursor } from './cursor.ts';
import { TemplateError } from './errors.ts';
import type { Token } from './lexer.ts';
import { Pipelines } from './pipeline.ts';
import type { Branch, Node, Template } from './syntax.ts';

/** UTF-16 units that a template may have. */
const MAX_SOURCE = 32 * 1024;

/**
 * Reads a template in the syntax of Go's text/template.
 *
 * @throws {TemplateError} at what Go would refuse, and above 32 KiB or 50 levels
 */
export function parseTemplate(source: string): Template {
  if (source.length > MAX_SOURCE)
    throw new TemplateError(source, 0, `the template has more than ${MAX_SOURCE} letters; make it shorter`);
  return new Parser(new Cursor(source)).parse();
}

type End = 'end' | 'else' | 'end of text';

class Parser {
  readonly #cursor: Cursor;
  readonly #pipelines: Pipelines;
  readonly #named = new Map<string, readonly Node[]>();
  #ranges = 0;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
    this.#pipelines = new Pipelines(cursor);
  }

  parse(): Template {
    const { nodes, end, at } = this.#nodes(true);
    if (end !== 'end of text') throw this.#cursor.error(at, `{{${end}}} ends nothing; remove it`);
    return { source: this.#cursor.source, body: nodes, named: this.#named };
  }

  /** Up to the `end` or `else` that belongs to what was open before, whose word is taken. */
  #nodes(isTop = false): { nodes: Node[]; end: End; at: number } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#cursor.next();
      if (token.kind === 'end') return { nodes, end: 'end of text', at: token.offset };
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const word = this.#cursor.peek();
      if (word.kind === 'keyword' && (word.text === 'end' || word.text === 'else')) {
        this.#cursor.next();
        if (word.text === 'end' || !this.#cursor.isKeyword('if', 'with')) this.#cursor.expectClose(word.text);
        return { nodes, end: word.text, at: word.offset };
      }
      const node = this.#action(word, isTop);
      if (node !== undefined) nodes.push(node);
    }
  }

  #action(word: Token, isTop: boolean): Node | undefined {
    if (word.kind !== 'keyword') return { kind: 'action', pipe: this.#pipelines.pipe('action') };
    this.#cursor.next();
    switch (word.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#cursor.nested(word, () => this.#branch(word.text as Branch['kind'], word));
      case 'define':
        if (!isTop) throw this.#cursor.error(word.offset, '{{define}} stands at the top of a template only');
        this.#define(this.#name('define'), word);
        return undefined;
      case 'block':
        return this.#block(word);
      case 'template':
        return this.#templateCall(word);
      default:
        return this.#loopExit(word);
    }
  }

  #branch(kind: Branch['kind'], word: Token): Branch {
    const outer = this.#pipelines.variables.length;
    const pipe = this.#pipelines.pipe(kind);
    if (kind === 'range') this.#ranges += 1;
    const { nodes: body, end } = this.#nodes();
    if (kind === 'range') this.#ranges -= 1;
    const otherwise = end === 'else' ? this.#otherwise(kind, word) : [];
    if (end === 'end of text') throw this.#notEnded(word);
    this.#pipelines.variables.length = outer;
    return { kind, pipe, body, otherwise };
  }

  // `else if` and `else with` end with the one `end` of the whole.
  #otherwise(kind: Branch['kind'], word: Token): readonly Node[] {
    const next = this.#cursor.peek();
    if (this.#cursor.isKeyword('if', 'with')) {
      if (next.text !== kind)
        throw this.#cursor.error(
          next.offset,
          `{{else ${next.text}}} follows {{${next.text}}}, not {{${kind}}}`,
        );
      this.#cursor.next();
      return [this.#cursor.nested(next, () => this.#branch(kind, next))];
    }
    const { nodes, end, at } = this.#nodes();
    if (end === 'end of text') throw this.#notEnded(word);
    if (end === 'else') throw this.#cursor.error(at, `{{${kind}}} has an {{else}} already`);
    return nodes;
  }

  #define(name: string, word: Token): void {
    this.#cursor.expectClose('define');
    this.#add(name, this.#separate(word), word);
  }

  #block(word: Token): Node {
    const name = this.#name('block');
    const pipe = this.#pipelines.pipe('block');
    this.#named.set(
      name,
      this.#cursor.nested(word, () => this.#separate(word)),
    );
    return { kind: 'template', name, pipe, at: word.offset };
  }

  /** The body of a template of its own, which sees none of the variables around it. */
  #separate(word: Token): readonly Node[] {
    const [variables, ranges] = [this.#pipelines.variables, this.#ranges];
    [this.#pipelines.variables, this.#ranges] = [['$'], 0];
    const { nodes, end, at } = this.#nodes();
    if (end === 'end of text') throw this.#notEnded(word);
    if (end === 'else') throw this.#cursor.error(at, `{{${word.text}}} has no {{else}}`);
    [this.#pipelines.variables, this.#ranges] = [variables, ranges];
    return nodes;
  }

  /** An empty one gives way to another, as Go has it. */
  #add(name: string, body: readonly Node[], word: Token): void {
    if (!isEmpty(this.#named.get(name)) && !isEmpty(body))
      throw this.#cursor.error(word.offset, `there are two templates ${JSON.stringify(name)}`);
    if (!isEmpty(body) || !this.#named.has(name)) this.#named.set(name, body);
  }

  #templateCall(word: Token): Node {
    const name = this.#name('template');
    if (this.#cursor.peek().kind !== 'close')
      return { kind: 'template', name, pipe: this.#pipelines.pipe('template'), at: word.offset };
    this.#cursor.next();
    return { kind: 'template', name, at: word.offset };
  }

  #loopExit(word: Token): Node {
    this.#cursor.expectClose(word.text);
    if (this.#ranges === 0) throw this.#cursor.error(word.offset, `{{${word.text}}} stands in no {{range}}`);
    return { kind: word.text === 'break' ? 'break' : 'continue' };
  }

  #name(of: string): string {
    const token = this.#cursor.next();
    if (token.kind !== 'string' && token.kind !== 'rawString')
      throw this.#cursor.error(token.offset, `{{${of}}} needs a name in quotes`);
    return String(this.#pipelines.constant(token));
  }
  #notEnded(word: Token): TemplateError {
    return this.#cursor.error(word.offset, `{{${word.text}}} has no {{end}}`);
  }
}

function isEmpty(body: readonly Node[] = []): boolean {
  return body.every((node) => node.kind === 'text' && node.text.trim() === '');
}
