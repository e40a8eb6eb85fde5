import { oneLine } from '../one-line.ts';
import type { Cursor } from './cursor.ts';
import { ArgumentError } from './errors.ts';
import { FUNCTIONS } from './functions.ts';
import type { Token, TokenKind } from './lexer.ts';
import { characterCode, numberOf, unquote, unquoteRaw } from './literal.ts';
import type { Command, Operand, Pipe } from './syntax.ts';

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

/** Reads what stands within braces, but for the words of blocks. */
export class Pipelines {
  readonly #cursor: Cursor;
  /** Those that there are at this place. */
  variables = ['$'];

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  /** A pipeline up to the token that ends it, which is taken; `context` names it in messages. */
  pipe(context: string, close: 'close' | 'rightParen' = 'close'): Pipe {
    const at = this.#cursor.peek().offset;
    const { variables, isAssignment } = this.#targets(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#cursor.peek();
      if (token.kind === close) break;
      if (!STARTS_OPERAND.has(token.kind)) throw this.#cursor.unexpected(token);
      commands.push(this.#command());
    }
    const end = this.#cursor.next();
    if (commands.length === 0) throw this.#cursor.error(end.offset, `the ${context} has no value`);
    const literal = commands.slice(1).find(({ first }) => NOT_EXECUTABLE.has(first.kind));
    if (literal !== undefined)
      throw this.#cursor.error(
        literal.first.at,
        'what follows | takes the value before it, which only a function does',
      );
    return { at, variables, isAssignment, commands };
  }

  /** `$x :=`, `$x =`, and for a range `$i, $e :=`; a variable that is read, and not set, is left where it stands. */
  #targets(context: string): Pick<Pipe, 'variables' | 'isAssignment'> {
    const goBack = this.#cursor.mark();
    const variables: string[] = [];
    while (this.#cursor.peek().kind === 'variable' && variables.length < 2) {
      const variable = this.#cursor.next();
      const after = this.#cursor.peek();
      if (after.kind === 'assign' || after.kind === 'declare') {
        this.#cursor.next();
        return this.#set([...variables, variable.text], after);
      }
      if (after.text !== ',') break;
      if (context !== 'range')
        throw this.#cursor.error(
          after.offset,
          'only {{range}} sets two variables: {{range $i, $e := .List}}',
        );
      this.#cursor.next();
      variables.push(variable.text);
    }
    if (variables.length > 0)
      throw this.#cursor.error(
        this.#cursor.peek().offset,
        'two variables are set by {{range $i, $e := .List}}',
      );
    goBack();
    return { variables: [], isAssignment: false };
  }

  #set(variables: readonly string[], sign: Token): Pick<Pipe, 'variables' | 'isAssignment'> {
    const isAssignment = sign.kind === 'assign';
    const missing = isAssignment && variables.find((name) => !this.variables.includes(name));
    if (typeof missing === 'string')
      throw this.#cursor.error(sign.offset, `there is no variable ${missing} yet; declare it with :=`);
    if (!isAssignment) this.variables.push(...variables);
    return { variables, isAssignment };
  }

  /** Operands with space between them, up to a pipe, which is taken, or the end of the pipeline, which is not. */
  #command(): Command {
    const operands: Operand[] = [];
    for (;;) {
      if (STARTS_OPERAND.has(this.#cursor.peek().kind)) operands.push(this.#operand());
      const token = this.#cursor.adjacent;
      if (token.kind === 'space') continue;
      if (token.kind === 'pipe') this.#cursor.next();
      else if (token.kind !== 'close' && token.kind !== 'rightParen') throw this.#cursor.unexpected(token);
      const [first, ...others] = operands;
      if (first === undefined) throw this.#cursor.error(token.offset, 'there is nothing before the |');
      return { first, others };
    }
  }

  #operand(): Operand {
    const term = this.#term();
    const names: string[] = [];
    const { offset } = this.#cursor.adjacent;
    while (this.#cursor.adjacent.kind === 'field') names.push(this.#cursor.next().text.slice(1));
    if (names.length === 0) return term;
    if (NOT_EXECUTABLE.has(term.kind))
      throw this.#cursor.error(offset, `.${names[0]} cannot follow what is no object`);
    return term.kind === 'fields'
      ? { ...term, names: [...term.names, ...names] }
      : { kind: 'fields', of: term, names, at: offset };
  }

  #term(): Operand {
    const token = this.#cursor.next();
    const at = token.offset;
    switch (token.kind) {
      case 'dot':
      case 'nil':
        return { kind: token.kind, at };
      case 'field':
        return { kind: 'fields', names: [token.text.slice(1)], at };
      case 'variable':
        if (!this.variables.includes(token.text))
          throw this.#cursor.error(at, `there is no variable ${token.text}`);
        return { kind: 'variable', name: token.text, at };
      case 'identifier':
        if (!FUNCTIONS.has(token.text)) throw this.#cursor.error(at, unknownFunction(token.text));
        return { kind: 'function', name: token.text, at };
      case 'leftParen':
        return this.#cursor.nested(token, () => ({
          kind: 'pipe',
          pipe: this.pipe('pair of parentheses', 'rightParen'),
          at,
        }));
      default:
        return { kind: 'constant', value: this.constant(token), at };
    }
  }

  /** What a literal says. */
  constant({ kind, text, offset }: Token): boolean | bigint | number | string {
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
      if (error instanceof ArgumentError) throw this.#cursor.error(offset, error.message);
      throw error;
    }
  }
}

function unknownFunction(name: string): string {
  return `there is no function ${oneLine(name, 40)}; there are ${[...FUNCTIONS.keys()].toSorted().join(', ')}`;
}
