import { TemplateError } from './errors.ts';

/** What the text of a template is made of. `other` is a single character that has no meaning of its own. */
export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'keyword'
  | 'identifier'
  | 'bool'
  | 'nil'
  | 'field'
  | 'dot'
  | 'variable'
  | 'string'
  | 'rawString'
  | 'char'
  | 'number'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'other'
  | 'end';

/** A piece of a template, and where it begins. */
export interface Token {
  readonly kind: TokenKind;
  /** As it is written. */
  readonly text: string;
  readonly offset: number;
}

const OPEN = '{{';
const SPACE = ' \t\r\n';
const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
]);
const WORDS: ReadonlyMap<string, TokenKind> = new Map([
  ['true', 'bool'],
  ['false', 'bool'],
  ['nil', 'nil'],
]);

const CLOSE = /[ \t\r\n]-\}\}|\}\}/y;
const COMMENT = /(?:-[ \t\r\n])?\/\*/y;
/** What may follow a word, a field or a variable: https://pkg.go.dev/text/template/parse, `atTerminator`. */
const AFTER_WORD = /[ \t\r\n.,|:()]|\}\}|$/y;
const DIGIT_OR_LETTER = /[_\p{L}\p{Nd}]/uy;

/** The tokens of an action, in the order in which they are tried. */
const ACTION_TOKENS: readonly (readonly [kind: TokenKind, pattern: RegExp])[] = [
  ['space', /[ \t\r\n]+/y],
  ['declare', /:=/y],
  ['assign', /=/y],
  ['pipe', /\|/y],
  ['leftParen', /\(/y],
  ['rightParen', /\)/y],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"/y],
  ['rawString', /`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\[^\n])*'/y],
  ['variable', /\$[_\p{L}\p{Nd}]*/uy],
  [
    'number',
    /(?:[+-]|(?=\.?\d))(?:0[xX][\da-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)/y,
  ],
  ['field', /\.[_\p{L}\p{Nd}]+/uy],
  ['dot', /\./y],
  ['identifier', /[_\p{L}\p{Nd}]+/uy],
  ['other', /[!-~]/y],
];
const WORD_LIKE = new Set<TokenKind>(['variable', 'field', 'dot', 'identifier']);
const UNFINISHED: ReadonlyMap<string, string> = new Map([
  ['"', 'a string has no end: its closing " is missing'],
  ["'", "a character has no end: its closing ' is missing"],
  ['`', 'a raw string has no end: its closing ` is missing'],
  [':', 'a colon stands alone; := declares a variable'],
]);

/**
 * Takes a template apart. The rules for white space beside `{{-` and `-}}`, and for what may follow what, are those of Go.
 *
 * @throws {TemplateError}
 */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const open = source.indexOf(OPEN, at);
    const end = open < 0 ? source.length : open;
    const trims = open >= 0 && isTrimMarker(source, open + OPEN.length);
    const text = trims ? trimEnd(source.slice(at, end)) : source.slice(at, end);
    if (text !== '') tokens.push({ kind: 'text', text, offset: at });
    if (open < 0) break;
    at = matches(COMMENT, source, open + OPEN.length)
      ? afterComment(source, open)
      : readAction(source, open, tokens);
  }
  return [...tokens, { kind: 'end', text: '', offset: source.length }];
}

function isTrimMarker(source: string, at: number): boolean {
  return source[at] === '-' && isSpace(source[at + 1]);
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && SPACE.includes(character);
}

function afterComment(source: string, open: number): number {
  const start = source.indexOf('/*', open) + 2;
  const end = source.indexOf('*/', start);
  if (end < 0) throw new TemplateError(source, open, 'a comment has no end: its closing */ is missing');
  const close = matchAt(CLOSE, source, end + 2);
  if (close === undefined)
    throw new TemplateError(source, end, 'a comment stands in braces of its own: {{/* … */}}');
  return afterClose(source, end + 2, close);
}

/** Adds the tokens of the action that begins at `open`, and gives where the text goes on. */
function readAction(source: string, open: number, tokens: Token[]): number {
  let at = open + OPEN.length;
  if (isTrimMarker(source, at)) at += 2;
  tokens.push({ kind: 'open', text: OPEN, offset: open });
  for (;;) {
    const close = matchAt(CLOSE, source, at);
    if (close !== undefined) {
      tokens.push({ kind: 'close', text: '}}', offset: at });
      return afterClose(source, at, close);
    }
    const token = actionToken(source, at, open);
    tokens.push(token);
    at += token.text.length;
  }
}

function afterClose(source: string, at: number, close: string): number {
  let next = at + close.length;
  if (close.length > 2) while (isSpace(source[next])) next += 1;
  return next;
}

function actionToken(source: string, at: number, open: number): Token {
  if (at >= source.length) throw new TemplateError(source, open, 'an action has no end: its }} is missing');
  for (const [kind, pattern] of ACTION_TOKENS) {
    const text = matchAt(pattern, source, at);
    if (text === undefined) continue;
    if (kind === 'space') return { kind, text: beforeTrimMarker(source, at, text), offset: at };
    const problem = UNFINISHED.get(text);
    if (problem !== undefined) throw new TemplateError(source, at, problem);
    checkEnd(source, kind, at, text);
    return { kind: kind === 'identifier' ? kindOfWord(text) : kind, text, offset: at };
  }
  throw new TemplateError(source, at, `${quoted(source, at)} has no meaning in an action`);
}

// The space before -}} belongs to it.
function beforeTrimMarker(source: string, at: number, spaces: string): string {
  return source.startsWith('-}}', at + spaces.length) ? spaces.slice(0, -1) : spaces;
}

function checkEnd(source: string, kind: TokenKind, at: number, text: string): void {
  const end = at + text.length;
  const isBad = WORD_LIKE.has(kind)
    ? !matches(AFTER_WORD, source, end)
    : kind === 'number' && matches(DIGIT_OR_LETTER, source, end);
  if (isBad) throw new TemplateError(source, end, `${quoted(source, end)} cannot follow ${text}`);
}

function kindOfWord(word: string): TokenKind {
  return KEYWORDS.has(word) ? 'keyword' : (WORDS.get(word) ?? 'identifier');
}

function quoted(source: string, at: number): string {
  return JSON.stringify(String.fromCodePoint(source.codePointAt(at) ?? 0));
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function matches(pattern: RegExp, source: string, at: number): boolean {
  return matchAt(pattern, source, at) !== undefined;
}

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1])) end -= 1;
  return text.slice(0, end);
}
