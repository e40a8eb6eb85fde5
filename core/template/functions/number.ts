import { ArgumentError } from '../errors.ts';
import { textOf } from '../print.ts';
import type { Value } from '../value.ts';
import { type Functions, takes, takesMany } from './signature.ts';

/** Sprig's functions of whole numbers of 64 bits, https://masterminds.github.io/sprig/math.html, and conversions. */
export const NUMBERS: Functions = {
  add: takesMany('any', 0, (values) => wrapped(values.map(integer).reduce((sum, value) => sum + value, 0n))),
  add1: takes(['any'], ([value]) => wrapped(integer(value) + 1n)),
  sub: takes(['any', 'any'], ([a, b]) => wrapped(integer(a) - integer(b))),
  mul: takesMany('any', 1, (values) =>
    values.map(integer).reduce((product, value) => wrapped(product * value), 1n),
  ),
  div: takes(['any', 'any'], ([a, b]) => wrapped(integer(a) / divisor(b))),
  mod: takes(['any', 'any'], ([a, b]) => integer(a) % divisor(b)),
  max: takesMany('any', 1, (values) => values.map(integer).reduce((a, b) => (a > b ? a : b))),
  min: takesMany('any', 1, (values) => values.map(integer).reduce((a, b) => (a < b ? a : b))),
  int: takes(['any'], ([value]) => integer(value)),
  int64: takes(['any'], ([value]) => integer(value)),
  atoi: takes(['text'], ([text]) => (/^[+-]?\d{1,18}$/.test(text) ? BigInt(text.replace('+', '')) : 0n)),
  toString: takes(['any'], ([value], budget) => textOf(value, budget)),
  fail: takes(['text'], ([message]) => {
    throw new ArgumentError(message);
  }),
};

/** What sprig makes of a value where it needs a number: 0 of what is none. */
function integer(value: Value): bigint {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      return Number.isFinite(value) ? wrapped(BigInt(Math.trunc(value))) : 0n;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return /^[+-]?\d{1,18}$/.test(value) ? BigInt(value.replace('+', '')) : 0n;
    default:
      return 0n;
  }
}

function divisor(value: Value): bigint {
  const number = integer(value);
  if (number === 0n) throw new ArgumentError('nothing can be divided by 0');
  return number;
}

/** An int64 that overflows begins anew at the other end. */
function wrapped(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
