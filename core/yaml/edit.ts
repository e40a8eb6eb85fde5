import { MARKER_BYTES, type Marker } from '../marker.ts';
import type { Lookup } from '../scan.ts';
import { readSource, SourceError } from './source.ts';
import { type Edit, judge, type LeftAlone, mayHoldMarker, type Target, type Verdict } from './verdict.ts';

export type { Edit, LeftAlone } from './verdict.ts';

/** What became of a file. */
export interface EditResult {
  /** The file after the edits; the very text that came in when there are none. */
  readonly text: string;
  readonly edits: readonly Edit[];
  /** The markers that stand by a scalar that says what it should. */
  readonly upToDate: readonly Edit[];
  /** How many those are. */
  readonly current: number;
  readonly leftAlone: readonly LeftAlone[];
  /** How many comments hold a marker: every one is edited, current or left alone. */
  readonly markers: number;
}

/**
 * Brings the scalars of a YAML file that have a marker up to date, by Fleet's grammar and rules of place. Only bytes
 * inside marked scalars change: the file is never written anew. Nothing is thrown: what cannot be done is in `leftAlone`.
 *
 * Like Fleet, a file is changed only where a scalar says something else than it should; a number that should be a
 * string, `tag: 20240101`, says the right thing and is quoted only along with such a change.
 *
 * @param resolve looks up the scan that a marker names
 */
export function editMarkers(text: string, resolve: (marker: Marker) => Lookup): EditResult {
  if (!text.includes(MARKER_BYTES)) return resultOf(text, []);
  try {
    const source = readSource(text);
    const verdicts: Verdict[] = [];
    for (const [index, piece] of source.pieces.entries()) {
      if (piece.kind === 'comment' || piece.kind === 'scalar')
        verdicts.push(...judge(source, piece, index, resolve));
    }
    return resultOf(text, verdicts);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { line, code, message } = error;
    const told = line === undefined ? message : `${message} (line ${line})`;
    return resultOf(
      text,
      markerLines(text).map((line) => ({ line, reason: code, message: told })),
    );
  }
}

/** The lines that a marker may stand on. */
function markerLines(text: string): number[] {
  return text.split('\n').flatMap((line, index) => (mayHoldMarker(line) ? [index + 1] : []));
}

function resultOf(text: string, verdicts: readonly Verdict[]): EditResult {
  const leftAlone = verdicts.filter((verdict) => 'reason' in verdict);
  const targets = verdicts.filter((verdict) => 'splice' in verdict);
  const stale = targets.filter(({ before, after }) => before !== after);
  const touched =
    stale.length === 0
      ? []
      : targets.filter((target) => target.before !== target.after || target.wantsQuotes);
  return {
    text: spliced(text, touched),
    edits: stale.map(editOf),
    upToDate: targets.filter(({ before, after }) => before === after).map(editOf),
    current: targets.length - stale.length,
    leftAlone,
    markers: verdicts.length,
  };
}

function editOf({ splice: _splice, wantsQuotes: _wantsQuotes, ...edit }: Target): Edit {
  return edit;
}

function spliced(text: string, targets: readonly Target[]): string {
  let at = 0;
  const parts: string[] = [];
  for (const { splice } of targets.toSorted((a, b) => a.splice.start - b.splice.start)) {
    parts.push(text.slice(at, splice.start), splice.text);
    at = splice.end;
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(at);
}
