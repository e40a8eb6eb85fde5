import type { Budget } from './budget.ts';
import { ArgumentError } from './errors.ts';
import { formatted, floatText, goExponent, type Scalar, scalarText } from './print.ts';
import { quoted, quotedCharacter } from './quote.ts';
import { isList, Dict, Struct, typeName, type Value } from './value.ts';

const VERB = /%([-+# 0]*)(\d*)(?:(\.)(\d*))?([\s\S]?)/gu;
/** Letters that a width or a precision may ask for. */
const MAX_WIDTH = 1000;

interface Directive {
  readonly verb: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

/**
 * Go's Sprintf with the verbs `v s q d b o x X c U t f F e E g G T %`, flags, width and precision. As with Go, what does not fit is told in the text:
 * `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA int=1)`.
 *
 * @throws {ArgumentError} for a width or precision above 1000, and for `*` and `[1]`, which are not supported
 */
export function sprintf(format: string, values: readonly Value[], budget: Budget): string {
  const parts: string[] = [];
  let [end, next, length] = [0, 0, 0];
  const put = (text: string): void => {
    parts.push(text);
    length += text.length;
    budget.grow(text.length, length);
  };
  for (const match of format.matchAll(VERB)) {
    put(format.slice(end, match.index));
    end = match.index + match[0].length;
    const directive = directiveOf(match);
    if (directive.verb === '%') put('%');
    else if (directive.verb === '') put('%!(NOVERB)');
    else if (next >= values.length) put(`%!${directive.verb}(MISSING)`);
    else put(directed(values[next++] ?? null, directive, budget));
  }
  put(format.slice(end));
  const extra = values.slice(next).map((value) => typed(value, budget));
  if (extra.length > 0) put(`%!(EXTRA ${extra.join(', ')})`);
  return parts.join('');
}

function directiveOf([
  whole,
  flags = '',
  width = '',
  point,
  precision,
  verb = '',
]: RegExpExecArray): Directive {
  if (verb === '*' || verb === '[')
    throw new ArgumentError(`${whole} is not supported; write the width itself`);
  if (Number(width) > MAX_WIDTH || Number(precision ?? 0) > MAX_WIDTH)
    throw new ArgumentError(`${whole} asks for more than ${MAX_WIDTH} letters`);
  return {
    verb,
    flags,
    width: Number(width),
    precision: point === undefined ? undefined : Number(precision),
  };
}

function directed(value: Value, directive: Directive, budget: Budget): string {
  const { verb, flags } = directive;
  if (verb === 'T') return padded(typeName(value), directive);
  if (value === null) return verb === 'v' ? padded('<nil>', directive) : `%!${verb}(<nil>)`;
  return formatted(value, budget, {
    leaf: (scalar) => leafText(scalar, directive),
    names: verb === 'v' && flags.includes('+'),
  });
}

function leafText(value: Scalar, directive: Directive): string {
  if (value === null) return '<nil>';
  const text = verbText(value, directive);
  if (text !== undefined) return text;
  const plain = verbText(value, { ...directive, verb: 'v' }) ?? '';
  return `%!${directive.verb}(${typeName(value)}=${plain})`;
}

function verbText(value: Exclude<Scalar, null>, directive: Directive): string | undefined {
  const text = unpadded(value, directive);
  return text === undefined
    ? undefined
    : padded(text, directive, typeof value === 'bigint' || typeof value === 'number');
}

function unpadded(value: Exclude<Scalar, null>, directive: Directive): string | undefined {
  switch (typeof value) {
    case 'string':
      return stringText(value, directive);
    case 'bigint':
      return integerText(value, directive);
    case 'number':
      return floatVerb(value, directive);
    default:
      return directive.verb === 't' || directive.verb === 'v' ? String(value) : undefined;
  }
}

function stringText(value: string, { verb, precision, flags }: Directive): string | undefined {
  const text = precision === undefined ? value : Array.from(value).slice(0, precision).join('');
  switch (verb) {
    case 's':
    case 'v':
      return text;
    case 'q':
      return quoted(text);
    case 'x':
    case 'X': {
      const bytes = Array.from(new TextEncoder().encode(value)).slice(0, precision);
      const hex = bytes
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(flags.includes(' ') ? ' ' : '');
      const prefix = flags.includes('#') && hex !== '' ? '0x' : '';
      return verb === 'x' ? prefix + hex : (prefix + hex).toUpperCase();
    }
    default:
      return undefined;
  }
}

const BASES: ReadonlyMap<string, number> = new Map([
  ['d', 10],
  ['v', 10],
  ['b', 2],
  ['o', 8],
  ['x', 16],
  ['X', 16],
]);

function integerText(value: bigint, { verb, flags, precision = 1 }: Directive): string | undefined {
  if (verb === 'c' || verb === 'q' || verb === 'U') return codePointText(value, verb);
  const base = BASES.get(verb);
  if (base === undefined) return undefined;
  const digits = (value < 0n ? -value : value).toString(base).padStart(precision, '0');
  const prefix = flags.includes('#') && base !== 10 ? { 2: '0b', 8: '0', 16: '0x' }[base] : '';
  return signOf(value < 0n, verb, flags) + (verb === 'X' ? (prefix + digits).toUpperCase() : prefix + digits);
}

function codePointText(value: bigint, verb: 'c' | 'q' | 'U'): string {
  const code = value >= 0n && value <= 0x10_ffffn ? Number(value) : 0xfffd;
  if (verb === 'U') return `U+${BigInt.asUintN(64, value).toString(16).toUpperCase().padStart(4, '0')}`;
  const character = String.fromCodePoint(code).toWellFormed();
  return verb === 'c' ? character : quotedCharacter(character);
}

function signOf(isNegative: boolean, verb: string, flags: string): string {
  if (isNegative) return '-';
  // In %+v the sign asks for the names of fields.
  if (verb === 'v') return '';
  return flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
}

function floatVerb(value: number, { verb, flags, precision }: Directive): string | undefined {
  const text = unsignedFloat(Math.abs(value), verb, precision);
  if (text === undefined) return undefined;
  const isUpper = verb === 'E' || verb === 'G';
  return signOf(value < 0 || Object.is(value, -0), verb, flags) + (isUpper ? text.toUpperCase() : text);
}

function unsignedFloat(value: number, verb: string, precision: number | undefined): string | undefined {
  switch (verb) {
    case 'v':
    case 'g':
    case 'G':
      return precision === undefined ? floatText(value) : shortened(value, precision);
    case 'f':
    case 'F':
      return value < 1e21 ? value.toFixed(Math.min(precision ?? 6, 100)) : floatText(value);
    case 'e':
    case 'E':
      return goExponent(value.toExponential(Math.min(precision ?? 6, 100)));
    default:
      return undefined;
  }
}

function shortened(value: number, precision: number): string {
  const digits = Math.min(Math.max(precision, 1), 100);
  return floatText(Number(value.toPrecision(digits)), digits);
}

function padded(text: string, { flags, width }: Directive, isNumber = false): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0')) return ' '.repeat(missing) + text;
  const sign = isNumber && /^[+-]/.test(text) ? text.charAt(0) : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function typed(value: Value, budget: Budget): string {
  if (value === null) return '<nil>';
  const isPlain = !isList(value) && !(value instanceof Dict) && !(value instanceof Struct);
  return `${typeName(value)}=${isPlain ? scalarText(value) : formatted(value, budget)}`;
}
