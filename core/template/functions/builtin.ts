import { ArgumentError } from '../errors.ts';
import { NO_VALUE, sprint } from '../print.ts';
import { sprintf } from '../printf.ts';
import { byteLength, encode, sliceBytes } from '../utf8.ts';
import { Dict, isList, isTrue, Struct, typeName, type Value } from '../value.ts';
import { type Functions, takes, takesMany } from './signature.ts';

/**
 * Those of text/template itself (https://pkg.go.dev/text/template#hdr-Functions), but for `and` and `or`, which the execution knows, `call`, since
 * there is nothing to call, and those that compare.
 */
export const BUILTIN: Functions = {
  not: takes(['any'], ([value]) => !isTrue(value)),
  len: takes(['any'], ([value]) => BigInt(lengthOf(value))),
  index: takesMany('any', 1, ([value = null, ...keys]) => keys.reduce(elementOf, notNil(value))),
  slice: takesMany('any', 1, ([value = null, ...places]) => partOf(notNil(value), places)),
  print: takesMany('any', 0, sprint),
  println: takesMany(
    'any',
    0,
    (values, budget) => `${values.map((value) => sprint([value], budget)).join(' ')}\n`,
  ),
  printf: takesMany('any', 1, ([format, ...values], budget) => {
    if (typeof format !== 'string')
      throw new ArgumentError('its first argument has to be the format, a text');
    return sprintf(format, values, budget);
  }),
  html: takesMany('any', 0, (values, budget) => {
    const text = sprint(values.map(shown), budget);
    budget.text(text.length);
    return text.replaceAll(/[\0"'&<>]/g, (character) => HTML.get(character) ?? character);
  }),
  urlquery: takesMany('any', 0, (values, budget) => queryText(sprint(values.map(shown), budget))),
};

const HTML: ReadonlyMap<string, string> = new Map([
  ['\0', '\uFFFD'],
  ['"', '&#34;'],
  ["'", '&#39;'],
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
]);

function shown(value: Value): Value {
  return value ?? NO_VALUE;
}

function queryText(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return byteLength(value);
  if (isList(value)) return value.length;
  if (value instanceof Dict) return value.size;
  throw new ArgumentError(`${typeName(value)} has no length`);
}

function notNil(value: Value): Value {
  if (value === null) throw new ArgumentError('its first argument is not there (nil)');
  return value;
}

function elementOf(value: Value, key: Value): Value {
  if (value instanceof Dict) {
    if (typeof key === 'string' || key instanceof Struct) return value.get(key);
    throw new ArgumentError(`the key of a map has to be text, and is ${typeName(key)}`);
  }
  if (typeof value === 'string') {
    const bytes = encode(value);
    return BigInt(bytes[placeOf(key, bytes.length - 1)] ?? 0);
  }
  if (isList(value)) return value[placeOf(key, value.length - 1)] ?? null;
  throw new ArgumentError(`${typeName(value)} has no elements`);
}

function placeOf(place: Value, last: number): number {
  if (typeof place !== 'bigint')
    throw new ArgumentError(`a place has to be a whole number, and is ${typeName(place)}`);
  if (place < 0n || place > BigInt(last))
    throw new ArgumentError(`there is no place ${place}; the last is ${last}`);
  return Number(place);
}

function partOf(value: Value, places: readonly Value[]): Value {
  if (places.length > 2)
    throw new ArgumentError(`it takes two places at most, and is given ${places.length}`);
  const length = lengthOf(value);
  const [start = 0, end = length] = places.map((place) => placeOf(place, length));
  if (start > end) throw new ArgumentError(`the part would begin at ${start} and end before, at ${end}`);
  if (typeof value === 'string') return sliceBytes(value, start, end);
  if (isList(value)) return value.slice(start, end);
  throw new ArgumentError(`${typeName(value)} has no parts`);
}
