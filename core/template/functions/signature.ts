import type { Budget } from '../budget.ts';
import { ArgumentError } from '../errors.ts';
import { Dict, isList, Struct, typeName, type Value } from '../value.ts';

/** A function of templates. It throws {@link ArgumentError} when it cannot be done with what it is given. */
export type TemplateFunction = (args: readonly Value[], budget: Budget) => Value;
/** Functions by the names that templates call them by. */
export type Functions = Readonly<Record<string, TemplateFunction>>;

/** What an argument has to be, and what it is then. */
interface Kinds {
  any: Value;
  bool: boolean;
  dict: Dict;
  int: bigint;
  list: readonly Value[];
  text: string;
}
type Kind = keyof Kinds;

const NAMES: Readonly<Record<Kind, string>> = {
  any: 'a value',
  bool: 'true or false',
  dict: 'a map',
  int: 'a whole number',
  list: 'a list',
  text: 'text',
};

type Arguments<P extends readonly Kind[]> = { [I in keyof P]: Kinds[P[I]] };

/** A function of as many arguments as there are kinds. */
export function takes<const P extends readonly Kind[]>(
  kinds: P,
  call: (args: Arguments<P>, budget: Budget) => Value,
): TemplateFunction {
  return (args, budget) => {
    if (args.length !== kinds.length)
      throw new ArgumentError(`it takes ${counted(kinds.length)}, and is given ${args.length}`);
    const given: unknown = args.map((value, index) => as(kinds[index] ?? 'any', value, index));
    return call(given as Arguments<P>, budget);
  };
}

/** A function of any number of arguments from `least` on. */
export function takesMany<K extends Kind>(
  kind: K,
  least: number,
  call: (args: readonly Kinds[K][], budget: Budget) => Value,
): TemplateFunction {
  return (args, budget) => {
    if (args.length < least)
      throw new ArgumentError(`it takes at least ${counted(least)}, and is given ${args.length}`);
    return call(
      args.map((value, index) => as(kind, value, index)),
      budget,
    );
  };
}

function counted(count: number): string {
  return count === 1 ? '1 argument' : `${count} arguments`;
}

function as<K extends Kind>(kind: K, value: Value, index: number): Kinds[K] {
  const given = converted(kind, value);
  if (given === undefined)
    throw new ArgumentError(`argument ${index + 1} has to be ${NAMES[kind]}, and is ${typeName(value)}`);
  return given as Kinds[K];
}

function converted(kind: Kind, value: Value): Value | undefined {
  switch (kind) {
    case 'any':
      return value;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'dict':
      return value instanceof Dict ? value : undefined;
    case 'int':
      return typeof value === 'bigint' ? value : undefined;
    case 'list':
      return isList(value) ? value : undefined;
    case 'text':
      // More than Go allows: what prints as a text may be used as one, such as a scan's namespace/name.
      return value instanceof Struct ? value.text : typeof value === 'string' ? value : undefined;
  }
}
