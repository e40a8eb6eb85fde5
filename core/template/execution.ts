import { oneLine } from '../one-line.ts';
import { Budget, MAX_TEXT } from './budget.ts';
import { ArgumentError, Exhausted, TemplateError } from './errors.ts';
import { FUNCTIONS, SHORT_CIRCUITS } from './functions.ts';
import { printed } from './print.ts';
import { elementsOf } from './range.ts';
import {
  type Branch,
  type Command,
  nameOf,
  type Node,
  type Operand,
  type Pipe,
  type Template,
} from './syntax.ts';
import { Dict, isTrue, Struct, typeName, type Value } from './value.ts';
import { Variables } from './variables.ts';

/** How deep blocks, parentheses and templates that call each other may go. */
const MAX_DEPTH = 200;

/** What a template gives with its data. */
export interface Rendering {
  readonly text: string;
  /** Why the text ends before its end; unset when it is whole. */
  readonly cut?: string;
}

/**
 * Carries a template out, with the meaning that Go's text/template gives it. Its time and its text are bounded: what goes beyond is cut off.
 *
 * @param data what `.` and `$` are
 * @throws {TemplateError} where Go would give an error, and at what is nested too deeply
 */
export function render(template: Template, data: Value): Rendering {
  const execution = new Execution(template);
  try {
    execution.run(template.body, data);
    return { text: execution.text };
  } catch (error) {
    if (error instanceof Exhausted) return { text: execution.text, cut: error.message };
    throw error;
  }
}

type Exit = 'break' | 'continue' | undefined;

class Execution {
  readonly #template: Template;
  readonly #budget = new Budget();
  readonly #output: string[] = [];
  #length = 0;
  #variables = new Variables();
  #depth = 0;

  constructor(template: Template) {
    this.#template = template;
  }

  get text(): string {
    return this.#output.join('');
  }

  run(nodes: readonly Node[], data: Value): void {
    const outer = this.#variables;
    this.#variables = new Variables();
    this.#variables.declare('$', data);
    this.#walk(nodes, data);
    this.#variables = outer;
  }

  #walk(nodes: readonly Node[], dot: Value): Exit {
    for (const node of nodes) {
      this.#budget.spend();
      const exit = this.#step(node, dot);
      if (exit !== undefined) return exit;
    }
    return undefined;
  }

  #step(node: Node, dot: Value): Exit {
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return undefined;
      case 'action': {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0)
          this.#write(this.#at(node.pipe.at, () => printed(value, this.#budget)));
        return undefined;
      }
      case 'template': {
        const body = this.#template.named.get(node.name);
        if (body === undefined)
          throw this.#error(node.at, `there is no template ${JSON.stringify(node.name)}`);
        const data = node.pipe === undefined ? null : this.#pipe(node.pipe, dot);
        this.#deeper(node.at, () => this.run(body, data));
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      default:
        return this.#scope(node.pipe.at, () => this.#branch(node, dot));
    }
  }

  #branch(node: Branch, dot: Value): Exit {
    const value = this.#pipe(node.pipe, dot);
    if (node.kind === 'range') return this.#range(node, value, dot);
    if (!isTrue(value)) return this.#walk(node.otherwise, dot);
    return this.#walk(node.body, node.kind === 'with' ? value : dot);
  }

  #range({ pipe, body, otherwise }: Branch, value: Value, dot: Value): Exit {
    const mark = this.#variables.mark;
    let isEmpty = true;
    const elements = this.#at(pipe.at, () => elementsOf(value, pipe.variables.length, this.#budget));
    for (const [index, element] of elements) {
      isEmpty = false;
      this.#budget.spend();
      this.#setRangeVariables(pipe, index, element);
      const exit = this.#walk(body, element);
      this.#variables.release(mark);
      if (exit === 'break') break;
    }
    return isEmpty ? this.#walk(otherwise, dot) : undefined;
  }

  /** The variables are there already, with the whole list: Go has the pipeline set the last of them. */
  #setRangeVariables({ variables, isAssignment }: Pipe, index: Value, element: Value): void {
    const values = variables.length > 1 ? [index, element] : [element];
    variables.forEach((name, place) => {
      if (isAssignment) this.#variables.assign(name, values[place] ?? null);
      else this.#variables.declare(name, values[place] ?? null);
    });
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let value: Value | undefined;
    for (const command of pipe.commands) value = this.#command(command, dot, value);
    const result = value ?? null;
    for (const name of pipe.variables) {
      if (pipe.isAssignment) this.#variables.assign(name, result);
      else this.#variables.declare(name, result);
    }
    return result;
  }

  /** @param piped the value of the command before, that becomes the last argument */
  #command({ first, others }: Command, dot: Value, piped: Value | undefined): Value {
    this.#budget.spend();
    if (first.kind === 'function') return this.#call(first, others, dot, piped);
    if (first.kind === 'nil') throw this.#error(first.at, 'nil alone is no value to print or pass on');
    if (others.length > 0 || piped !== undefined)
      throw this.#error(first.at, `${nameOf(first)} is no function, and takes no arguments`);
    return this.#operand(first, dot);
  }

  #call(
    { name, at }: Extract<Operand, { kind: 'function' }>,
    operands: readonly Operand[],
    dot: Value,
    piped?: Value,
  ): Value {
    const last = piped === undefined ? [] : [piped];
    const isLast = SHORT_CIRCUITS.get(name);
    if (isLast !== undefined) return this.#shortCircuit(name, at, operands, dot, last, isLast);
    const args = [...operands.map((operand) => this.#operand(operand, dot)), ...last];
    this.#budget.given(args);
    const call = FUNCTIONS.get(name);
    if (call === undefined) throw this.#error(at, `there is no function ${name}`);
    return this.#at(at, () => call(args, this.#budget), `${name}: `);
  }

  #shortCircuit(
    name: string,
    at: number,
    operands: readonly Operand[],
    dot: Value,
    last: readonly Value[],
    isLast: (value: Value) => boolean,
  ): Value {
    if (operands.length + last.length === 0) throw this.#error(at, `${name}: it takes at least 1 argument`);
    let value: Value = null;
    for (const operand of operands) {
      value = this.#operand(operand, dot);
      if (isLast(value)) return value;
    }
    return last.length > 0 ? (last[0] ?? null) : value;
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'constant':
        return operand.value;
      case 'function':
        return this.#call(operand, [], dot);
      case 'variable':
        return this.#variable(operand.name, operand.at);
      case 'pipe':
        return this.#deeper(operand.at, () => this.#pipe(operand.pipe, dot));
      case 'fields': {
        const { of: object, names, at } = operand;
        const value = object === undefined ? dot : this.#operand(object, dot);
        return names.reduce((receiver, name) => this.#field(receiver, name, at), value);
      }
    }
  }

  #field(receiver: Value, name: string, at: number): Value {
    this.#budget.spend();
    // What is not there has no fields either, which Go forgives.
    if (receiver === null) return null;
    if (receiver instanceof Dict) return receiver.get(name);
    if (!(receiver instanceof Struct)) throw this.#error(at, `${typeName(receiver)} has no field .${name}`);
    const value = receiver.fields.get(name);
    if (value !== undefined) return value;
    const advice = receiver.removed.get(name);
    if (advice !== undefined) throw this.#error(at, `.${name} is no longer there: ${advice}`);
    const known = Array.from(receiver.fields.keys(), (field) => `.${field}`).join(', ');
    throw this.#error(at, `${receiver.what} has no field .${oneLine(name, 40)}; it has ${known}`);
  }

  #variable(name: string, at: number): Value {
    const value = this.#variables.get(name);
    if (value === undefined) throw this.#error(at, `the variable ${name} has no value yet`);
    return value;
  }

  #write(text: string): void {
    const room = MAX_TEXT - this.#length;
    this.#output.push(text.slice(0, room));
    this.#length += Math.min(text.length, room);
    this.#budget.grow(text.length, this.#length + Math.max(text.length - room, 0));
  }

  /** Variables that are made in `walk` end with it. */
  #scope<T>(at: number, walk: () => T): T {
    const mark = this.#variables.mark;
    const result = this.#deeper(at, walk);
    this.#variables.release(mark);
    return result;
  }

  #deeper<T>(at: number, walk: () => T): T {
    if (++this.#depth > MAX_DEPTH)
      throw this.#error(at, `more than ${MAX_DEPTH} blocks, parentheses and templates stand in each other`);
    const result = walk();
    this.#depth -= 1;
    return result;
  }

  #at<T>(at: number, act: () => T, prefix = ''): T {
    try {
      return act();
    } catch (error) {
      if (error instanceof ArgumentError) throw this.#error(at, `${prefix}${oneLine(error.message, 300)}`);
      throw error;
    }
  }

  #error(at: number, problem: string): TemplateError {
    return new TemplateError(this.#template.source, at, problem);
  }
}
