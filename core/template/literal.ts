import { ArgumentError } from './errors.ts';

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
]);
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([\s\S]))/gu;

/**
 * What a string in double quotes says, with Go's escapes.
 *
 * @throws {ArgumentError} at an escape that Go does not know, or that makes no Unicode
 */
export function unquote(literal: string): string {
  return unescape(literal.slice(1, -1), "'");
}

/** What a string in back quotes says: all of it, but for carriage returns, which Go leaves out. */
export function unquoteRaw(literal: string): string {
  return literal.slice(1, -1).replaceAll('\r', '');
}

/**
 * The code point of a character constant.
 *
 * @throws {ArgumentError}
 */
export function characterCode(literal: string): bigint {
  const [character, ...more] = Array.from(unescape(literal.slice(1, -1), '"'));
  if (character === undefined || more.length > 0)
    throw new ArgumentError(`${literal} is not one character; text is written in double quotes`);
  return BigInt(character.codePointAt(0) ?? 0);
}

function unescape(text: string, otherQuote: string): string {
  return text.replaceAll(ESCAPE, (whole, x, u, long, octal, single: string | undefined) => {
    if (single !== undefined) {
      const meaning = single === otherQuote ? undefined : ESCAPES.get(single);
      if (meaning === undefined)
        throw new ArgumentError(`${whole} is no escape; a backslash is written \\\\`);
      return meaning;
    }
    const isByte = x !== undefined || octal !== undefined;
    const code = Number.parseInt(x ?? u ?? long ?? octal, octal === undefined ? 16 : 8);
    if ((isByte && code > 0x7f) || code > 0x10_ffff || (code >= 0xd800 && code < 0xe000))
      throw new ArgumentError(
        `${whole} is no character of its own; write it itself, or as \\u and its number`,
      );
    return String.fromCodePoint(code);
  });
}

const INTEGER =
  /^([+-]?)(0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])+|[1-9](?:_?\d)*|0)$/;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A number: an int, or with a point or exponent a float64.
 *
 * @throws {ArgumentError}
 */
export function numberOf(literal: string): bigint | number {
  const [, sign, digits] = INTEGER.exec(literal) ?? [];
  if (digits !== undefined) {
    const plain = digits.replaceAll('_', '').replace(/^0(?=\d)/, '0o');
    const value = sign === '-' ? -BigInt(plain) : BigInt(plain);
    if (BigInt.asIntN(64, value) !== value) throw new ArgumentError(`${literal} does not fit into 64 bits`);
    return value;
  }
  const value = Number(literal);
  if (!FLOAT.test(literal) || !/[.eE]/.test(literal) || !Number.isFinite(value))
    throw new ArgumentError(`${literal} is no number`);
  return value;
}
