import { oneLine } from '../one-line.ts';
import { ArgumentError, TemplateError } from './errors.ts';
import { FUNCTIONS } from './functions.ts';
import { type Token, type TokenKind, tokensOf } from './lexer.ts';
import { characterCode, numberOf, unquote, unquoteRaw } from './literal.ts';
import type { Branch, Command, Node, Operand, Pipe, Template } from './syntax.ts';

/** UTF-16 units that a template may have. */
const MAX_SOURCE = 32 * 1024;
/** How deep blocks and parentheses may stand in each other. */
const MAX_DEPTH = 50;

/**
 * Reads a template in the syntax of Go's text/template.
 *
 * @throws {TemplateError} at what Go would refuse, and above 32 KiB or 50 levels
 */
export function parseTemplate(source: string): Template {
  if (source.length > MAX_SOURCE)
    throw new TemplateError(source, 0, `the template has more than ${MAX_SOURCE} letters; make it shorter`);
  return new Parser(source).parse();
}

type End = 'end' | 'else' | 'end of text';
const STARTS_OPERAND = new Set<TokenKind>([
  'bool',
  'char',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
]);
const NOT_EXECUTABLE = new Set<Operand['kind']>(['constant', 'dot', 'nil']);

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #named = new Map<string, readonly Node[]>();
  #position = 0;
  #variables = ['$'];
  #ranges = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokensOf(source);
  }

  parse(): Template {
    const { nodes, end, at } = this.#nodes(true);
    if (end !== 'end of text') throw this.#error(at, `{{${end}}} ends nothing; remove it`);
    return { source: this.#source, body: nodes, named: this.#named };
  }

  /** Up to the `end` or `else` that belongs to what was open before, whose word is taken. */
  #nodes(isTop = false): { nodes: Node[]; end: End; at: number } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === 'end') return { nodes, end: 'end of text', at: token.offset };
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const word = this.#peek();
      if (word.kind === 'keyword' && (word.text === 'end' || word.text === 'else')) {
        this.#next();
        if (word.text === 'end' || !this.#isKeyword('if', 'with')) this.#expectClose(word.text);
        return { nodes, end: word.text, at: word.offset };
      }
      const node = this.#action(word, isTop);
      if (node !== undefined) nodes.push(node);
    }
  }

  #action(word: Token, isTop: boolean): Node | undefined {
    if (word.kind !== 'keyword') return { kind: 'action', pipe: this.#pipe('action', 'close') };
    this.#next();
    switch (word.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#nested(word, () => this.#branch(word.text as Branch['kind'], word));
      case 'define':
        if (!isTop) throw this.#error(word.offset, '{{define}} stands at the top of a template only');
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
    const outer = this.#variables.length;
    const pipe = this.#pipe(kind, 'close');
    if (kind === 'range') this.#ranges += 1;
    const { nodes: body, end } = this.#nodes();
    if (kind === 'range') this.#ranges -= 1;
    const otherwise = end === 'else' ? this.#otherwise(kind, word) : [];
    if (end === 'end of text') throw this.#notEnded(word);
    this.#variables.length = outer;
    return { kind, pipe, body, otherwise };
  }

  // `else if` and `else with` end with the one `end` of the whole.
  #otherwise(kind: Branch['kind'], word: Token): readonly Node[] {
    const next = this.#peek();
    if (this.#isKeyword('if', 'with')) {
      if (next.text !== kind)
        throw this.#error(next.offset, `{{else ${next.text}}} follows {{${next.text}}}, not {{${kind}}}`);
      this.#next();
      return [this.#nested(next, () => this.#branch(kind, next))];
    }
    const { nodes, end, at } = this.#nodes();
    if (end === 'end of text') throw this.#notEnded(word);
    if (end === 'else') throw this.#error(at, `{{${kind}}} has an {{else}} already`);
    return nodes;
  }

  #define(name: string, word: Token): void {
    this.#expectClose('define');
    this.#add(name, this.#separate(word), word);
  }

  #block(word: Token): Node {
    const name = this.#name('block');
    const pipe = this.#pipe('block', 'close');
    this.#named.set(
      name,
      this.#nested(word, () => this.#separate(word)),
    );
    return { kind: 'template', name, pipe, at: word.offset };
  }

  /** The body of a template of its own, which sees none of the variables around it. */
  #separate(word: Token): readonly Node[] {
    const [variables, ranges] = [this.#variables, this.#ranges];
    [this.#variables, this.#ranges] = [['$'], 0];
    const { nodes, end, at } = this.#nodes();
    if (end === 'end of text') throw this.#notEnded(word);
    if (end === 'else') throw this.#error(at, `{{${word.text}}} has no {{else}}`);
    [this.#variables, this.#ranges] = [variables, ranges];
    return nodes;
  }

  /** An empty one gives way to another, as Go has it. */
  #add(name: string, body: readonly Node[], word: Token): void {
    if (!isEmpty(this.#named.get(name)) && !isEmpty(body))
      throw this.#error(word.offset, `there are two templates ${JSON.stringify(name)}`);
    if (!isEmpty(body) || !this.#named.has(name)) this.#named.set(name, body);
  }

  #templateCall(word: Token): Node {
    const name = this.#name('template');
    if (this.#peek().kind !== 'close')
      return { kind: 'template', name, pipe: this.#pipe('template', 'close'), at: word.offset };
    this.#next();
    return { kind: 'template', name, at: word.offset };
  }

  #loopExit(word: Token): Node {
    this.#expectClose(word.text);
    if (this.#ranges === 0) throw this.#error(word.offset, `{{${word.text}}} stands in no {{range}}`);
    return { kind: word.text === 'break' ? 'break' : 'continue' };
  }

  #name(of: string): string {
    const token = this.#next();
    if (token.kind !== 'string' && token.kind !== 'rawString')
      throw this.#error(token.offset, `{{${of}}} needs a name in quotes`);
    return String(this.#constant(token));
  }

  #pipe(context: string, close: 'close' | 'rightParen'): Pipe {
    const at = this.#peek().offset;
    const { variables, isAssignment } = this.#targets(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === close) break;
      if (!STARTS_OPERAND.has(token.kind)) throw this.#unexpected(token);
      commands.push(this.#command());
    }
    const end = this.#next();
    if (commands.length === 0) throw this.#error(end.offset, `the ${context} has no value`);
    const literal = commands.slice(1).find(({ first }) => NOT_EXECUTABLE.has(first.kind));
    if (literal !== undefined)
      throw this.#error(
        literal.first.at,
        'what follows | takes the value before it, which only a function does',
      );
    return { at, variables, isAssignment, commands };
  }

  /** `$x :=`, `$x =`, and for a range `$i, $e :=`; a variable that is read, and not set, is left where it stands. */
  #targets(context: string): Pick<Pipe, 'variables' | 'isAssignment'> {
    const start = this.#position;
    const variables: string[] = [];
    while (this.#peek().kind === 'variable' && variables.length < 2) {
      const variable = this.#next();
      const after = this.#peek();
      if (after.kind === 'assign' || after.kind === 'declare') {
        this.#next();
        return this.#set([...variables, variable.text], after);
      }
      if (after.text !== ',') break;
      if (context !== 'range')
        throw this.#error(after.offset, 'only {{range}} sets two variables: {{range $i, $e := .List}}');
      this.#next();
      variables.push(variable.text);
    }
    if (variables.length > 0)
      throw this.#error(this.#peek().offset, 'two variables are set by {{range $i, $e := .List}}');
    this.#position = start;
    return { variables: [], isAssignment: false };
  }

  #set(variables: readonly string[], sign: Token): Pick<Pipe, 'variables' | 'isAssignment'> {
    const isAssignment = sign.kind === 'assign';
    const missing = isAssignment && variables.find((name) => !this.#variables.includes(name));
    if (typeof missing === 'string')
      throw this.#error(sign.offset, `there is no variable ${missing} yet; declare it with :=`);
    if (!isAssignment) this.#variables.push(...variables);
    return { variables, isAssignment };
  }

  /** Operands with space between them, up to a pipe, which is taken, or the end of the pipeline, which is not. */
  #command(): Command {
    const operands: Operand[] = [];
    for (;;) {
      this.#peek();
      if (STARTS_OPERAND.has(this.#peek().kind)) operands.push(this.#operand());
      const token = this.#tokens[this.#position];
      if (token?.kind === 'space') {
        this.#position += 1;
        continue;
      }
      if (token?.kind === 'pipe') this.#next();
      else if (token?.kind !== 'close' && token?.kind !== 'rightParen') throw this.#unexpected(token);
      const [first, ...others] = operands;
      if (first === undefined) throw this.#error(token.offset, 'there is nothing before the |');
      return { first, others };
    }
  }

  #operand(): Operand {
    const term = this.#term();
    const names: string[] = [];
    const { offset } = this.#tokens[this.#position] ?? { offset: 0 };
    while (this.#tokens[this.#position]?.kind === 'field') names.push(this.#next().text.slice(1));
    if (names.length === 0) return term;
    if (NOT_EXECUTABLE.has(term.kind))
      throw this.#error(offset, `.${names[0]} cannot follow what is no object`);
    return term.kind === 'fields'
      ? { ...term, names: [...term.names, ...names] }
      : { kind: 'fields', of: term, names, at: offset };
  }

  #term(): Operand {
    const token = this.#next();
    const at = token.offset;
    switch (token.kind) {
      case 'dot':
      case 'nil':
        return { kind: token.kind, at };
      case 'field':
        return { kind: 'fields', names: [token.text.slice(1)], at };
      case 'variable':
        if (!this.#variables.includes(token.text))
          throw this.#error(at, `there is no variable ${token.text}`);
        return { kind: 'variable', name: token.text, at };
      case 'identifier':
        if (!FUNCTIONS.has(token.text)) throw this.#error(at, unknownFunction(token.text));
        return { kind: 'function', name: token.text, at };
      case 'leftParen':
        return this.#nested(token, () => ({
          kind: 'pipe',
          pipe: this.#pipe('pair of parentheses', 'rightParen'),
          at,
        }));
      default:
        return { kind: 'constant', value: this.#constant(token), at };
    }
  }

  #constant({ kind, text, offset }: Token): boolean | bigint | number | string {
    try {
      switch (kind) {
        case 'bool':
          return text === 'true';
        case 'char':
          return characterCode(text);
        case 'number':
          return numberOf(text);
        case 'rawString':
          return unquoteRaw(text);
        default:
          return unquote(text);
      }
    } catch (error) {
      if (error instanceof ArgumentError) throw this.#error(offset, error.message);
      throw error;
    }
  }

  #nested<T>(token: Token, read: () => T): T {
    if (++this.#depth > MAX_DEPTH)
      throw this.#error(token.offset, `more than ${MAX_DEPTH} blocks or parentheses stand in each other`);
    const result = read();
    this.#depth -= 1;
    return result;
  }

  /** The next token that is no space. */
  #peek(): Token {
    while (this.#tokens[this.#position]?.kind === 'space') this.#position += 1;
    return this.#tokens[this.#position] ?? { kind: 'end', text: '', offset: this.#source.length };
  }

  #next(): Token {
    const token = this.#peek();
    this.#position += 1;
    return token;
  }

  #isKeyword(...words: string[]): boolean {
    const { kind, text } = this.#peek();
    return kind === 'keyword' && words.includes(text);
  }

  #expectClose(word: string): void {
    const token = this.#next();
    if (token.kind !== 'close') throw this.#error(token.offset, `}} has to follow {{${word}`);
  }

  #notEnded(word: Token): TemplateError {
    return this.#error(word.offset, `{{${word.text}}} has no {{end}}`);
  }

  #unexpected(token: Token | undefined): TemplateError {
    const what = token?.kind === 'close' ? '}}' : oneLine(token?.text ?? '', 40);
    return this.#error(token?.offset ?? this.#source.length, `${what} has no place here`);
  }

  #error(offset: number, problem: string): TemplateError {
    return new TemplateError(this.#source, offset, problem);
  }
}

function isEmpty(body: readonly Node[] = []): boolean {
  return body.every((node) => node.kind === 'text' && node.text.trim() === '');
}

function unknownFunction(name: string): string {
  return `there is no function ${oneLine(name, 40)}; there are ${[...FUNCTIONS.keys()].toSorted().join(', ')}`;
}
