import { compareBytes } from '../../policy/bytes.ts';
import type { Budget } from '../budget.ts';
import { ArgumentError } from '../errors.ts';
import { formatted, textOf } from '../print.ts';
import { Dict, isList, isTrue, Struct, typeName, type Value } from '../value.ts';
import { type Functions, takes, takesMany } from './signature.ts';

/** Sprig's functions of lists, maps and defaults, https://masterminds.github.io/sprig/. */
export const COLLECTIONS: Functions = {
  list: takesMany('any', 0, (values) => values),
  first: takes(['list'], ([list]) => list[0] ?? null),
  last: takes(['list'], ([list]) => list.at(-1) ?? null),
  rest: takes(['list'], ([list]) => list.slice(1)),
  initial: takes(['list'], ([list]) => list.slice(0, -1)),
  reverse: takes(['list'], ([list], budget) => copied(list, budget).toReversed()),
  append: takes(['list', 'any'], ([list, value], budget) => [...copied(list, budget), value]),
  prepend: takes(['list', 'any'], ([list, value], budget) => [value, ...copied(list, budget)]),
  concat: takesMany('list', 0, (lists, budget) => lists.flatMap((list) => copied(list, budget))),
  has: takes(['any', 'list'], ([value, list], budget) => {
    const wanted = identity(value, budget);
    return list.some((element) => identity(element, budget) === wanted);
  }),
  without: takesMany('any', 1, ([list = null, ...values], budget) => {
    const unwanted = new Set(values.map((value) => identity(value, budget)));
    return listOf(list).filter((element) => !unwanted.has(identity(element, budget)));
  }),
  compact: takes(['list'], ([list], budget) => copied(list, budget).filter((value) => !isEmpty(value))),
  uniq: takes(['list'], ([list], budget) => {
    const firsts = new Map<string, Value>();
    for (const value of list) {
      const key = identity(value, budget);
      if (!firsts.has(key)) firsts.set(key, value);
    }
    return [...firsts.values()];
  }),
  sortAlpha: takes(['any'], ([value], budget) =>
    isList(value) ? textsOf(value, budget).toSorted(compareBytes) : [textOf(value, budget)],
  ),
  toStrings: takes(['any'], ([value], budget) => textsOf(value, budget)),
  join: takes(['text', 'any'], ([separator, value], budget) => {
    const texts = textsOf(value, budget);
    budget.text(texts.reduce((sum, text) => sum + text.length + separator.length, 0));
    return texts.join(separator);
  }),

  dict: takesMany('any', 0, (values, budget) => {
    const pairs = values.flatMap((key, index) => (index % 2 === 0 ? [[key, values[index + 1] ?? '']] : []));
    return new Dict(pairs.map(([key = null, value = null]) => [textOf(key, budget), value] as const));
  }),
  get: takes(['dict', 'text'], ([dict, key]) => (dict.has(key) ? dict.get(key) : '')),
  hasKey: takes(['dict', 'text'], ([dict, key]) => dict.has(key)),
  keys: takesMany('dict', 1, (dicts, budget) =>
    dicts.flatMap((dict) => copied(dict.entries(), budget).map(([key]) => key)),
  ),
  values: takes(['dict'], ([dict], budget) => copied(dict.entries(), budget).map(([, value]) => value)),

  default: takesMany('any', 1, ([fallback = null, value = null]) => (isEmpty(value) ? fallback : value)),
  empty: takes(['any'], ([value]) => isEmpty(value)),
  coalesce: takesMany('any', 0, (values) => values.find((value) => !isEmpty(value)) ?? null),
  all: takesMany('any', 0, (values) => !values.some(isEmpty)),
  any: takesMany('any', 0, (values) => values.some((value) => !isEmpty(value))),
  ternary: takes(['any', 'any', 'bool'], ([yes, no, condition]) => (condition ? yes : no)),
};

function isEmpty(value: Value): boolean {
  return !isTrue(value);
}

function copied<T>(list: readonly T[], budget: Budget): readonly T[] {
  budget.spend(list.length);
  return list;
}

function listOf(value: Value): readonly Value[] {
  if (isList(value)) return value;
  throw new ArgumentError(`argument 1 has to be a list, and is ${typeName(value)}`);
}

/** Two values have the same when Go's reflect.DeepEqual calls them equal. */
function identity(value: Value, budget: Budget): string {
  const kind = value instanceof Struct ? 'struct' : typeName(value);
  return `${kind} ${formatted(value, budget, { leaf: (scalar) => `${typeof scalar} ${JSON.stringify(String(scalar))}` })}`;
}

/** Sprig's way to make texts of anything: what is no list is one text, and nil in a list is left out. */
function textsOf(value: Value, budget: Budget): string[] {
  if (value === null) return [];
  const values = isList(value) ? value : [value];
  return copied(values, budget).flatMap((element) => (element === null ? [] : [textOf(element, budget)]));
}
