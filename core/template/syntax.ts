/** The syntax tree of a template. `at` is an offset in its text. */

/** A step of a template: text, an action, or a block of further steps. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | Branch
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'template'; readonly name: string; readonly pipe?: Pipe; readonly at: number };

/** A block that depends on a value: `if`, `with` or `range`, and its `else`. */
export interface Branch {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: Pipe;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** Commands, each given the value of the one before it, and the variables that get the last one's. */
export interface Pipe {
  readonly at: number;
  readonly variables: readonly string[];
  /** `=`, which changes a variable, and not `:=`, which makes one. */
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

/** A part of a pipeline: an operand alone, or a function and its arguments. */
export interface Command {
  readonly first: Operand;
  readonly others: readonly Operand[];
}

/** What stands for a value. */
export type Operand =
  | { readonly kind: 'dot'; readonly at: number }
  | { readonly kind: 'nil'; readonly at: number }
  | { readonly kind: 'constant'; readonly value: boolean | bigint | number | string; readonly at: number }
  | { readonly kind: 'function'; readonly name: string; readonly at: number }
  | { readonly kind: 'variable'; readonly name: string; readonly at: number }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly at: number }
  /** `.A.B` of the dot, or of what `of` gives. */
  | {
      readonly kind: 'fields';
      readonly of?: Operand;
      readonly names: readonly string[];
      readonly at: number;
    };

/** A template as it was read. */
export interface Template {
  readonly source: string;
  readonly body: readonly Node[];
  /** Those that `define` and `block` make, by name. */
  readonly named: ReadonlyMap<string, readonly Node[]>;
}

/** What messages call an operand. */
export function nameOf(operand: Operand): string {
  switch (operand.kind) {
    case 'fields':
      return `.${operand.names.join('.')}`;
    case 'variable':
      return operand.name;
    case 'constant':
      return JSON.stringify(String(operand.value));
    default:
      return 'what stands here';
  }
}
