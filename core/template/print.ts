import type { Budget } from './budget.ts';
import { ArgumentError } from './errors.ts';
import { Dict, isList, Struct, type Value } from './value.ts';

/** How deep lists and maps may stand in each other where they are printed. */
const MAX_DEPTH = 50;

/** What an action prints of nil, and of what is not there. */
export const NO_VALUE = '<no value>';

/** What an action prints: a value as {@link formatted}, but nil as what is not there. */
export function printed(value: Value, budget: Budget): string {
  return value === null ? NO_VALUE : formatted(value, budget);
}

/**
 * A value in Go's format `%v`.
 *
 * @param leaf how what is neither list, map nor struct is written
 * @throws {ArgumentError} when it is nested too deeply
 */
export function formatted(
  value: Value,
  budget: Budget,
  { leaf = scalarText, names = false }: { leaf?: (value: Scalar) => string; names?: boolean } = {},
): string {
  const parts: string[] = [];
  let length = 0;
  const put = (text: string): void => {
    parts.push(text);
    length += text.length;
    budget.grow(text.length, length);
  };
  const each = <T>(items: Iterable<T>, write: (item: T) => void): void => {
    let isFirst = true;
    for (const item of items) {
      if (!isFirst) put(' ');
      isFirst = false;
      write(item);
    }
  };
  const write = (item: Value, depth: number): void => {
    if (depth > MAX_DEPTH)
      throw new ArgumentError(`more than ${MAX_DEPTH} lists or maps stand in each other`);
    if (isList(item)) {
      put('[');
      each(item, (element) => write(element, depth + 1));
      put(']');
    } else if (item instanceof Dict) {
      put('map[');
      each(item.entries(), ([key, element]) => {
        write(key, depth + 1);
        put(':');
        write(element, depth + 1);
      });
      put(']');
    } else if (item instanceof Struct && item.text === undefined) {
      put('{');
      each(item.fields, ([name, element]) => {
        if (names) put(`${name}:`);
        write(element, depth + 1);
      });
      put('}');
    } else {
      put(leaf(item instanceof Struct ? (item.text ?? '') : item));
    }
  };
  write(value, 0);
  return parts.join('');
}

/** What has no parts. */
export type Scalar = null | boolean | bigint | number | string;

/** A scalar in Go's format `%v`. */
export function scalarText(value: Scalar): string {
  if (value === null) return '<nil>';
  return typeof value === 'number' ? floatText(value) : String(value);
}

/**
 * A float64 in Go's formats `%v` and `%g`: with an exponent below 1e-4, and from `10 ** digits` on.
 *
 * @param digits Go decides as if there were 6 where it writes as few as tell the number from others
 */
export function floatText(value: number, digits = 6): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 10 ** digits)) return String(value);
  return goExponent(value.toExponential());
}

/** An exponent with at least two digits, as Go writes it. */
export function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Go's Sprint: a space goes between two that are both no texts. */
export function sprint(values: readonly Value[], budget: Budget): string {
  return values
    .map((value, index) => {
      const before = values[index - 1];
      const gap = index > 0 && typeof before !== 'string' && typeof value !== 'string' ? ' ' : '';
      return gap + formatted(value, budget);
    })
    .join('');
}

/** The text of a value as sprig's functions take it, and `print` gives it. */
export function textOf(value: Value, budget: Budget): string {
  return typeof value === 'string' ? value : formatted(value, budget);
}
