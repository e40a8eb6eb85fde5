import { CST } from 'yaml';
import { CodedError } from '../errors.ts';
import { type Comment, type Dash, type Entry, isProperty, type Piece, type Scalar } from './pieces.ts';
import type { Source } from './source.ts';

/** Why a comment stands for no scalar. */
export type PlaceErrorCode = 'Alias' | 'Collection' | 'Key' | 'Detached' | 'DuplicateKey';

/** Thrown by {@link scalarOf}. */
export class PlaceError extends CodedError<PlaceErrorCode> {}

/**
 * Finds the scalar that a comment speaks of, by the rules of go-yaml, and so of Fleet: the value that ends on the
 * comment's line, or else the value right below it, if it alone stands above and the value has no comment on its line.
 *
 * @param index the comment's place among the pieces of `source`
 * @throws {PlaceError} when there is none
 */
export function scalarOf(source: Source, index: number): Scalar {
  const before = beforeOnLine(source, index);
  const scalar = before?.kind === 'scalar' ? before : scalarBelow(source, index, before);
  if (!source.isTemplate && hasEarlierTwin(scalar.entry))
    throw new PlaceError('DuplicateKey', 'its key stands in the same mapping before');
  return scalar;
}

/** What ends on the comment's line; the comma that parts it from what follows does not count. */
function beforeOnLine(source: Source, index: number): Piece | undefined {
  const before = source.pieces[index - 1];
  if (before === undefined || lineOfEnd(source, before) !== lineOfEnd(source, source.pieces[index]))
    return undefined;
  return before.kind === 'comma' ? source.pieces[index - 2] : before;
}

const KEY = ['Key', 'it stands beside a key; put it behind the value, on the same line'] as const;
const COLLECTION = [
  'Collection',
  'it stands beside a list or mapping; put it on the line of one value',
] as const;
const BESIDE: Partial<Record<Piece['kind'], readonly [PlaceErrorCode, string]>> = {
  alias: ['Alias', 'it stands beside an alias; mark the anchored value'],
  open: COLLECTION,
  close: COLLECTION,
  key: KEY,
  question: KEY,
  colon: KEY,
};

function scalarBelow(source: Source, index: number, before: Piece | undefined): Scalar {
  const error = before && BESIDE[before.kind];
  if (error !== undefined) throw new PlaceError(...error);
  if (isComment(source.pieces[index + 1])) throw notAlone();
  const at = indexBelow(source.pieces, index);
  const scalar = source.pieces[at];
  if (scalar?.kind !== 'scalar')
    throw new PlaceError('Detached', 'it stands beside no value; put it behind one, on the same line');
  const head = headComments(source, at);
  if (head.length !== 1 || head[0] !== source.pieces[index] || hasLineComment(source, at)) {
    throw notAlone();
  }
  return scalar;
}

function notAlone(): PlaceError {
  return new PlaceError('Detached', 'it is not the only comment there; put it on the line of the value');
}

function indexBelow(pieces: readonly Piece[], index: number): number {
  const at = skip(pieces, index + 1, 1, isComment);
  return skip(pieces, pieces[at]?.kind === 'dash' ? at + 1 : at, 1, isCommentOrProperty);
}

/** The comments that stand above the scalar and for it, from the last to the first. */
function headComments(source: Source, at: number): Comment[] {
  const { pieces } = source;
  const dashAt = skip(pieces, at - 1, -1, isCommentOrProperty);
  const dash = pieces[dashAt];
  const start = skip(pieces, dash?.kind === 'dash' ? dashAt - 1 : dashAt, -1, isCommentOrProperty);
  const from = standsBehind(source, start) ? start + 2 : start + 1;
  const head = pieces.slice(from, at).filter(isComment).reverse();
  return dash?.kind === 'dash' && dash.previous !== 'none' ? head.filter(above(source, dash)) : head;
}

/** Whether a comment right after the piece is on its line, and speaks of it or of what is before it. */
function standsBehind(source: Source, at: number): boolean {
  const [piece, comment] = [source.pieces[at], source.pieces[at + 1]];
  if (piece === undefined || !isComment(comment) || piece.kind === 'dash' || piece.kind === 'flow-colon')
    return false;
  return source.lineAt(piece.end) === source.lineAt(comment.offset);
}

/** Of the comments between two items, those in one block with the second; others are the tail of the first. */
function above(source: Source, dash: Dash): (comment: Comment) => boolean {
  let line = source.lineAt(dash.offset);
  return (comment) => {
    if (comment.offset > dash.offset) return true;
    const inBlock = source.lineAt(comment.offset) === line - 1;
    if (inBlock) line -= 1;
    const aligned = source.columnAt(comment.offset) === source.columnAt(dash.offset);
    return inBlock && (aligned || dash.previous !== 'block-collection');
  };
}

function hasLineComment(source: Source, at: number): boolean {
  const after = at + (source.pieces[at + 1]?.kind === 'comma' ? 2 : 1);
  return isComment(source.pieces[after]) && beforeOnLine(source, after) === source.pieces[at];
}

/** The first index from `at` on, forwards or backwards, whose piece fails the test. */
function skip(
  pieces: readonly Piece[],
  at: number,
  step: 1 | -1,
  test: (piece: Piece | undefined) => boolean,
): number {
  let next = at;
  while (test(pieces[next])) next += step;
  return next;
}

function isComment(piece: Piece | undefined): piece is Comment {
  return piece?.kind === 'comment';
}

function isCommentOrProperty(piece: Piece | undefined): boolean {
  return isComment(piece) || isProperty(piece);
}

function lineOfEnd(source: Source, piece: Piece | undefined): number {
  return piece === undefined ? 0 : source.lineAt(piece.end);
}

/** Fleet looks values up by their key and so sees the first of two only. */
function hasEarlierTwin(entry: Entry | undefined): boolean {
  return entry !== undefined && (twinsIn(entry.map).has(entry.index) || hasEarlierTwin(entry.parent));
}

const knownTwins = new WeakMap<Entry['map'], ReadonlySet<number>>();

/** The entries of a mapping whose key another had before; looked up once, since many markers may stand in one mapping. */
function twinsIn(map: Entry['map']): ReadonlySet<number> {
  const known = knownTwins.get(map);
  if (known !== undefined) return known;
  const keys = map.items.map(({ key }) => keyText(key));
  const seen = new Set<string>();
  const twins = new Set<number>();
  keys.forEach((key, index) => {
    if (key === undefined) return;
    if (seen.has(key)) twins.add(index);
    seen.add(key);
  });
  knownTwins.set(map, twins);
  return twins;
}

function keyText(key: CST.Token | null | undefined): string | undefined {
  const isWord = key?.type === 'scalar' && !key.source.includes('\n');
  return isWord ? key.source : CST.resolveAsScalar(key)?.value;
}
