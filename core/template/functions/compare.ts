import { compareBytes } from '../../policy/bytes.ts';
import { ArgumentError } from '../errors.ts';
import { Dict, isList, Struct, typeName, type Value } from '../value.ts';
import { type Functions, takes, takesMany } from './signature.ts';

/** Go's comparisons: of like with like, and `eq` of the first with any of the others. */
export const COMPARISONS: Functions = {
  eq: takesMany('any', 2, ([first = null, ...others]) => others.some((other) => isEqual(first, other))),
  ne: takes(['any', 'any'], ([a, b]) => !isEqual(a, b)),
  lt: takes(['any', 'any'], ([a, b]) => order(a, b) < 0),
  le: takes(['any', 'any'], ([a, b]) => order(a, b) <= 0),
  gt: takes(['any', 'any'], ([a, b]) => order(a, b) > 0),
  ge: takes(['any', 'any'], ([a, b]) => order(a, b) >= 0),
};

function isEqual(a: Value, b: Value): boolean {
  if (a === null || b === null) return a === b;
  if (isParted(a) || isParted(b)) throw new ArgumentError('lists and maps cannot be compared');
  if (a instanceof Struct || b instanceof Struct) return structText(a, b) === structText(b, a);
  if (typeof a !== typeof b) throw incompatible(a, b);
  return a === b;
}

function isParted(value: Value): boolean {
  return isList(value) || value instanceof Dict;
}

/** A struct that prints as a text is compared as that text. */
function structText(value: Value, other: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Struct && value.text !== undefined) return value.text;
  throw incompatible(value, other);
}

function order(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(a, b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : Number(a > b);
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : Number(a > b);
  throw incompatible(a, b);
}

function incompatible(a: Value, b: Value): ArgumentError {
  return new ArgumentError(`${typeName(a)} and ${typeName(b)} cannot be compared`);
}
