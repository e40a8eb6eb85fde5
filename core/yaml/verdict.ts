import {
  type Form,
  isCommentedOut,
  MARKER_BYTES,
  type Marker,
  MarkerError,
  type MarkerErrorCode,
  parseCommentMarker,
  speaksOfUs,
} from '../marker.ts';
import { type Lookup, type Scan, scanKey } from '../scan.ts';
import { scalarText } from '../value.ts';
import { type ObjectName, objectOf } from './object.ts';
import type { Comment, Scalar } from './pieces.ts';
import { PlaceError, type PlaceErrorCode, scalarOf } from './place.ts';
import { bodyStart, contentOf, type Splice, spliceFor, wantsQuotes } from './scalar.ts';
import type { Source, SourceErrorCode } from './source.ts';
import { meetsAction } from './template.ts';
import { readsAsNull } from './typed.ts';

/** A marked scalar that was changed. */
export interface Edit {
  /** Of the marker's comment, counted from 1. */
  readonly line: number;
  readonly marker: string;
  /** What the scalar said and says, without quotes and escapes. */
  readonly before: string;
  readonly after: string;
  /** The scan that the marker names, with the value in force. */
  readonly scan: Scan;
  /** What of that value the marker asks for. */
  readonly form: Form;
  /** The Kubernetes object that the scalar is in, where the file holds one. */
  readonly object?: ObjectName;
}

/** Why a marker, or a whole file that has some, was left alone. */
export type LeftAloneReason =
  | MarkerErrorCode
  | Extract<Lookup, { kind: 'refused' }>['reason']
  | PlaceErrorCode
  | SourceErrorCode
  /** The scan has no value in force. */
  | 'NoValue'
  /** The marked value is null. */
  | 'EmptyValue'
  /** The marked value bears the tag of a type other than string. */
  | 'TypedValue'
  /** The value, or the marker, is made by a template. */
  | 'TemplateValue'
  /** The marker stands in the text of a block scalar, where it is no comment. */
  | 'BlockText';

/** A marker that changed nothing. */
export interface LeftAlone {
  /** Of the marker, counted from 1. */
  readonly line: number;
  readonly reason: LeftAloneReason;
  readonly message: string;
}

/** A scalar that a marker stands by: what it should say, and the bytes that make it so. */
export interface Target extends Edit {
  readonly splice: Splice;
  readonly wantsQuotes: boolean;
}

/** What becomes of a marker. */
export type Verdict = Target | LeftAlone;

/** Whether a line of a file may hold a marker, by its comment alone. */
export function mayHoldMarker(line: string): boolean {
  const hash = line.indexOf('#');
  if (hash < 0 || !line.includes(MARKER_BYTES, hash)) return false;
  const comment = line.slice(hash);
  return speaksOfUs(comment) && !(line.slice(0, hash).trim() === '' && isCommentedOut(comment));
}

const NOTHING: readonly Verdict[] = [];

/**
 * Judges the markers of a piece of a file: that of a comment, or those in the text of a block scalar.
 *
 * @param index the piece's place among those of `source`
 * @param resolve looks up the scan that a marker names
 */
export function judge(
  source: Source,
  piece: Comment | Scalar,
  index: number,
  resolve: (marker: Marker) => Lookup,
): readonly Verdict[] {
  if (piece.kind === 'scalar') return blockTextMarkers(source, piece);
  if (!speaksOfUs(piece.source) || isLineTakenOut(source, piece)) return NOTHING;
  const line = source.lineAt(piece.offset);
  try {
    if (source.hasAction(piece.offset, piece.end)) return [{ line, ...madeByTemplate('the marker') }];
    const marker = parseCommentMarker(piece.source);
    return marker === undefined
      ? NOTHING
      : [{ line, ...verdictOn(source, marker, scalarOf(source, index), resolve) }];
  } catch (error) {
    if (error instanceof PlaceError && source.hasAction(startOfLine(source, piece.offset), piece.offset))
      return [{ line, ...madeByTemplate('the value beside it') }];
    if (!(error instanceof MarkerError || error instanceof PlaceError)) throw error;
    return [{ line, reason: error.code, message: error.message }];
  }
}

type Refusal = Pick<LeftAlone, 'reason' | 'message'>;

function madeByTemplate(what: string): Refusal {
  return { reason: 'TemplateValue', message: `${what} is made by a template; mark it in the values instead` };
}

function isMadeByTemplate(source: Source, start: number, end: number): boolean {
  return source.hasAction(start, end) || (source.isTemplate && meetsAction(source.text, start, end));
}

function isLineTakenOut(source: Source, { offset, source: comment }: Comment): boolean {
  return source.text.slice(startOfLine(source, offset), offset).trim() === '' && isCommentedOut(comment);
}

function startOfLine({ text }: Source, offset: number): number {
  return text.lastIndexOf('\n', offset) + 1;
}

function verdictOn(
  source: Source,
  marker: Marker,
  scalar: Scalar,
  resolve: (marker: Marker) => Lookup,
): Omit<Target, 'line'> | Refusal {
  const { token } = scalar;
  if (isMadeByTemplate(source, token.offset, endOf(token))) return madeByTemplate('the value');
  const before = contentOf(scalar);
  const unfit = refuseScalar(scalar, before);
  if (unfit !== undefined) return unfit;
  const lookup = resolve(marker);
  if (lookup.kind === 'refused') return { reason: lookup.reason, message: lookup.message };
  const { scan, reading } = lookup;
  if (scan.inForce === undefined)
    return { reason: 'NoValue', message: `scan ${scanKey(scan)} has no value in force yet` };
  const after = scalarText(reading.form, scan.inForce, before);
  const splice = spliceFor(scalar, after, source.text);
  const { form } = reading;
  const object = before === after ? undefined : objectOf(source, scalar.entry);
  return {
    marker: marker.text,
    before,
    after,
    scan,
    form,
    ...(object && { object }),
    splice,
    wantsQuotes: wantsQuotes(scalar, after),
  };
}

const TYPED_TAG = /^!(?:!|<tag:yaml\.org,2002:)(?!str\b)/;

function refuseScalar({ token, tag }: Scalar, content: string): Refusal | undefined {
  if (tag !== undefined && TYPED_TAG.test(tag)) {
    return {
      reason: 'TypedValue',
      message: `the value is tagged ${tag}, so it can hold no name or tag; remove that`,
    };
  }
  const isTabAlone =
    token.type === 'block-scalar' && token.source.includes('\t') && token.source.trim() === '';
  if (isTabAlone || (token.type === 'scalar' && tag === undefined && readsAsNull(content))) {
    return { reason: 'EmptyValue', message: 'the value is null; write any text, or "", in its place' };
  }
  return undefined;
}

function endOf(token: Scalar['token']): number {
  return (token.type === 'block-scalar' ? bodyStart(token) : token.offset) + token.source.length;
}

function blockTextMarkers(source: Source, { token }: Scalar): readonly Verdict[] {
  if (token.type !== 'block-scalar' || !token.source.includes(MARKER_BYTES)) return NOTHING;
  const first = source.lineAt(bodyStart(token));
  return token.source.split('\n').flatMap((text, index) => {
    if (!mayHoldMarker(text)) return [];
    const message = 'it stands in the text of a block scalar, which Kubernetes and Helm see as plain text';
    return [{ line: first + index, reason: 'BlockText' as const, message }];
  });
}
