import { BUILTIN } from './functions/builtin.ts';
import { COLLECTIONS } from './functions/collection.ts';
import { COMPARISONS } from './functions/compare.ts';
import { NUMBERS } from './functions/number.ts';
import type { TemplateFunction } from './functions/signature.ts';
import { TEXT } from './functions/text.ts';
import { isTrue, type Value } from './value.ts';

/** `and` gives its first argument that is false, `or` its first that is true, else the last; those behind it are not evaluated. */
export const SHORT_CIRCUITS: ReadonlyMap<string, (value: Value) => boolean> = new Map([
  ['and', (value) => !isTrue(value)],
  ['or', isTrue],
]);

/** All functions that a template may call, by name. The execution sees to {@link SHORT_CIRCUITS}; what is here for them is for their names. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map([
  ...Array.from(SHORT_CIRCUITS.keys(), (name): [string, TemplateFunction] => [
    name,
    (args) => args.at(-1) ?? null,
  ]),
  ...Object.entries({ ...BUILTIN, ...COMPARISONS, ...TEXT, ...COLLECTIONS, ...NUMBERS }),
]);
