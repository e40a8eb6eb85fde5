import { oneLine } from '../core/one-line.ts';
import { type ImageChange, imageChanges } from './image-changes.ts';
import type { EditPlan, LeftAlone } from './plan.ts';
import type { Link } from './source-links.ts';

/** UTF-16 units of any one text of others that is shown. */
const MAX_CELL = 300;
/** Files of one image that are named. */
const MOST_FILES = 5;

/**
 * A text of anybody's as code, which is where hosts look for no mentions, references, links and HTML. What would end the code, or a cell of
 * a table, is written as HTML, since in code no escape is known to all of them.
 */
export function code(text: string): string {
  const line = oneLine(text, MAX_CELL);
  if (line.trim() === '') return '';
  if (!/[`|\\]|^ | $/.test(line)) return `\`${line}\``;
  const entities = line.replaceAll(/[^A-Za-z0-9 ]/gu, (character) => `&#${character.codePointAt(0)};`);
  return `<code>${entities}</code>`;
}

/** How a table is to be. */
export interface TableOptions {
  /** UTF-16 units that it may have. */
  readonly limit?: number;
  /** Where a person sees what an image was built from. */
  readonly linkOf?: (change: ImageChange) => Link | undefined;
}

/** What hosts take for the body of a request: GitHub 65,536, the others more. */
export const MAX_BODY = 65_536;

/** A table of images: old and new version, digest, and where they are written. Rows that are too many are counted, not shown. */
export function changesTable(
  changes: readonly ImageChange[],
  { limit = MAX_BODY, linkOf = () => undefined }: TableOptions = {},
): string {
  const head = '| Image | From | To | Digest | Where |\n|---|---|---|---|---|\n';
  return bounded(
    head,
    changes.map((change) => rowOf(change, linkOf(change))),
    limit,
  );
}

/** What was left alone and why, as a list. */
export function leftAloneList(leftAlone: readonly LeftAlone[], limit = MAX_BODY): string {
  return bounded(
    '',
    leftAlone.map(
      ({ file, line, reason, message }) => `- ${code(placeOf(file, line))} ${reason}: ${code(message)}\n`,
    ),
    limit,
  );
}

/** A whole plan: the table, and what was left alone. */
export function planMarkdown(
  { edits, leftAlone }: Pick<EditPlan, 'edits' | 'leftAlone'>,
  limit = MAX_BODY,
): string {
  const changes = imageChanges(edits);
  const table =
    changes.length === 0 ? 'No image has to change.\n' : changesTable(changes, { limit: limit / 2 });
  if (leftAlone.length === 0) return table;
  const heading = '\nLeft alone:\n\n';
  return `${table}${heading}${leftAloneList(leftAlone, limit - table.length - heading.length)}`;
}

function rowOf(change: ImageChange, link: Link | undefined): string {
  const { value, old, now, edits } = change;
  const source = link === undefined ? '' : ` ([${link.text}](${link.url}))`;
  const cells = [
    `${code(value.name)}${source}`,
    old.slice(0, MOST_FILES).map(code).join(', '),
    code(now),
    code(value.digest),
    places(edits),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

function places(edits: ImageChange['edits']): string {
  const files = Map.groupBy(edits, ({ file }) => file);
  const named = Array.from(files).slice(0, MOST_FILES);
  const more = files.size - named.length;
  const shown = named.map(([file, ofFile]) => {
    const lines = ofFile.map(({ line }) => line).slice(0, MOST_FILES);
    return code(`${file}:${lines.join(',')}${ofFile.length > lines.length ? ',…' : ''}`);
  });
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

function placeOf(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}

const ROOM_FOR_REST = 40;

function bounded(head: string, rows: readonly string[], limit: number): string {
  let text = head;
  for (const [index, row] of rows.entries()) {
    if (text.length + row.length + ROOM_FOR_REST > limit)
      return `${text}\n… and ${rows.length - index} more\n`;
    text += row;
  }
  return text;
}
