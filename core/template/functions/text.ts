import { compileGoRegExp, GoRegExpError } from '../../go-regexp.ts';
import type { Budget } from '../budget.ts';
import { ArgumentError } from '../errors.ts';
import { textOf } from '../print.ts';
import { quoted } from '../quote.ts';
import { byteLength, sliceBytes } from '../utf8.ts';
import { Dict, type Value } from '../value.ts';
import { type Functions, takes, takesMany } from './signature.ts';

/** Sprig's functions of text, https://masterminds.github.io/sprig/strings.html. The text comes last, so that it can be piped in. */
export const TEXT: Functions = {
  trim: takes(['text'], ([text]) => trimWhere(text, isSpace)),
  trimAll: takes(['text', 'text'], ([set, text]) => {
    const characters = new Set(Array.from(set));
    return trimWhere(text, (character) => characters.has(character));
  }),
  trimPrefix: takes(['text', 'text'], ([prefix, text]) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  trimSuffix: takes(['text', 'text'], ([suffix, text]) =>
    text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text,
  ),
  upper: takes(['text'], ([text]) => mapCharacters(text, toUpper)),
  lower: takes(['text'], ([text]) =>
    mapCharacters(text, (character) => oneOr(character, character.toLowerCase())),
  ),
  title: takes(['text'], ([text]) => titled(text)),
  trunc: takes(['int', 'text'], ([count, text]) => truncated(Number(count), text)),
  substr: takes(['int', 'int', 'text'], ([start, end, text]) =>
    sliceBytes(text, Math.max(Number(start), 0), end < 0n && start >= 0n ? undefined : Number(end)),
  ),
  abbrev: takes(['int', 'text'], ([width, text]) => abbreviated(Number(width), text)),
  replace: takes(['text', 'text', 'text'], ([old, replacement, text], budget) =>
    replaced(old, replacement, text, budget),
  ),
  contains: takes(['text', 'text'], ([part, text], budget) => {
    budget.search(text, part);
    return text.includes(part);
  }),
  hasPrefix: takes(['text', 'text'], ([prefix, text]) => text.startsWith(prefix)),
  hasSuffix: takes(['text', 'text'], ([suffix, text]) => text.endsWith(suffix)),
  repeat: takes(['int', 'text'], ([count, text], budget) => {
    if (count < 0n) throw new ArgumentError('a text cannot be repeated less than 0 times');
    budget.text(text.length * Number(count));
    return text.repeat(Number(count));
  }),
  cat: takesMany('any', 0, (values, budget) =>
    values.flatMap((value) => (value === null ? [] : [textOf(value, budget)])).join(' '),
  ),
  quote: takesMany('any', 0, (values, budget) => quotedEach(values, budget, quoted)),
  squote: takesMany('any', 0, (values, budget) => quotedEach(values, budget, (text) => `'${text}'`)),
  indent: takes(['int', 'text'], ([spaces, text], budget) => indented(Number(spaces), text, budget)),
  nindent: takes(['int', 'text'], ([spaces, text], budget) => `\n${indented(Number(spaces), text, budget)}`),
  plural: takes(['text', 'text', 'int'], ([one, many, count]) => (count === 1n ? one : many)),
  splitList: takes(['text', 'text'], ([separator, text], budget) => pieces(text, separator, budget)),
  split: takes(
    ['text', 'text'],
    ([separator, text], budget) =>
      new Dict(pieces(text, separator, budget).map((piece, index) => [`_${index}`, piece])),
  ),
  base: takes(['text'], ([path]) => baseOf(path)),
  regexMatch: takes(['text', 'text'], ([pattern, text], budget) => matchesPattern(pattern, text, budget)),
};

/** Go's white space, unicode.IsSpace. */
const SPACE = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

function isSpace(character: string): boolean {
  return SPACE.test(character);
}

function trimWhere(text: string, isTrimmed: (character: string) => boolean): string {
  const characters = Array.from(text);
  const start = characters.findIndex((character) => !isTrimmed(character));
  if (start < 0) return '';
  const end = characters.findLastIndex((character) => !isTrimmed(character));
  return characters.slice(start, end + 1).join('');
}

function mapCharacters(text: string, map: (character: string) => string): string {
  return Array.from(text, map).join('');
}

function toUpper(character: string): string {
  return oneOr(character, character.toUpperCase());
}

// Go maps each character to one: ß stays, where JavaScript makes it SS.
function oneOr(character: string, mapped: string): string {
  return Array.from(mapped).length === 1 ? mapped : character;
}

const IN_WORD = /^[\p{L}\p{Nd}_]$/u;

/** The first letter of each word large, as strings.Title has words: beyond ASCII only white space parts them. */
function titled(text: string): string {
  let before = ' ';
  return mapCharacters(text, (character) => {
    const begins = isSpace(before) || (before <= '\x7f' && !IN_WORD.test(before));
    before = character;
    return begins ? toUpper(character) : character;
  });
}

function truncated(count: number, text: string): string {
  const length = byteLength(text);
  if (count < 0) return length + count > 0 ? sliceBytes(text, length + count) : text;
  return sliceBytes(text, 0, count);
}

function abbreviated(width: number, text: string): string {
  return width < 4 || byteLength(text) <= width ? text : `${sliceBytes(text, 0, width - 3)}...`;
}

/** Go's strings.Split: without a separator, each character. */
function pieces(text: string, separator: string, budget: Budget): string[] {
  budget.search(text, separator);
  budget.spend(text.length);
  return separator === '' ? Array.from(text) : text.split(separator);
}

function replaced(old: string, replacement: string, text: string, budget: Budget): string {
  const parts = pieces(text, old, budget);
  // Nothing is found before each character, and at the end.
  const all = old === '' ? ['', ...parts, ''] : parts;
  budget.text(text.length + (all.length - 1) * replacement.length);
  return all.join(replacement);
}

function indented(spaces: number, text: string, budget: Budget): string {
  if (spaces < 0) throw new ArgumentError('a text cannot be indented by less than 0 spaces');
  const lines = text.split('\n');
  budget.text(text.length + lines.length * spaces);
  const pad = ' '.repeat(spaces);
  return lines.map((line) => pad + line).join('\n');
}

function quotedEach(values: readonly Value[], budget: Budget, quote: (text: string) => string): string {
  return values.flatMap((value) => (value === null ? [] : [quote(textOf(value, budget))])).join(' ');
}

/** Go's path.Base. */
function baseOf(path: string): string {
  if (path === '') return '.';
  const name = path.split('/').findLast((part) => part !== '');
  return name ?? '/';
}

const MAX_PATTERN = 1000;

function matchesPattern(pattern: string, text: string, budget: Budget): boolean {
  if (pattern.length > MAX_PATTERN)
    throw new ArgumentError(`the pattern has more than ${MAX_PATTERN} letters`);
  try {
    const compiled = compileGoRegExp(pattern);
    budget.spend(compiled.size * (Math.ceil(text.length / 8) + 1));
    return compiled.test(text);
  } catch (error) {
    if (error instanceof GoRegExpError) throw new ArgumentError(error.message);
    throw error;
  }
}
