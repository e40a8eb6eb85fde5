import { oneLine } from '../core/one-line.ts';
import { scanKey } from '../core/scan.ts';
import { planMarkdown } from '../write-back/markdown.ts';
import type { FileEdit, LeftAlone } from '../write-back/plan.ts';
import { note, print, toJson } from './output.ts';
import type { Problem } from './scan-files.ts';
import { type Column, rowOf, Table } from './table.ts';

/** What an update did, or would do: every marker is in one of its lists. */
export interface UpdateReport {
  readonly dryRun: boolean;
  readonly edits: readonly FileEdit[];
  /** How many markers were right already, and which, where that is wanted. */
  readonly current: number;
  readonly upToDate: readonly FileEdit[];
  readonly leftAlone: readonly LeftAlone[];
  readonly errors: readonly Problem[];
}

const EDITS: readonly Column<FileEdit>[] = [
  { heading: 'FILE', cell: placeOf },
  { heading: 'SCAN', cell: ({ scan }) => scanKey(scan) },
  { heading: 'OLD', cell: ({ before }) => before },
  { heading: 'NEW', cell: ({ after }) => after },
];
const UP_TO_DATE: readonly Column<FileEdit>[] = [
  { heading: 'UP TO DATE', cell: placeOf },
  { heading: 'SCAN', cell: ({ scan }) => scanKey(scan) },
  { heading: 'VALUE', cell: ({ after }) => after },
];
const LEFT_ALONE: readonly Column<LeftAlone>[] = [
  { heading: 'LEFT ALONE', cell: placeOf },
  { heading: 'REASON', cell: ({ reason }) => reason },
  { heading: 'WHY', cell: ({ message }) => message },
];

/** Prints tables: what is edited, what was left alone and why, and with `all` what was right already. */
export function printSummary(report: UpdateReport, all: boolean): void {
  const tables = [
    lines(EDITS, report.edits),
    all ? lines(UP_TO_DATE, report.upToDate) : [],
    lines(LEFT_ALONE, report.leftAlone),
  ].filter((table) => table.length > 0);
  print(tables.flatMap((table, index) => (index === 0 ? table : ['', ...table])));
  noteCounts(report);
}

/** Tells on standard error what was left alone, and how many markers there are of each kind. */
export function noteRest(report: UpdateReport): void {
  for (const left of report.leftAlone)
    note(oneLine(`${placeOf(left)}: left alone: ${left.reason}: ${left.message}`, Infinity));
  noteCounts(report);
}

function noteCounts({ dryRun, edits, current, leftAlone }: UpdateReport): void {
  const written = `${edits.length} ${dryRun ? 'to be written' : 'written'}`;
  note(`markers: ${written}, ${current} up to date, ${leftAlone.length} left alone`);
}

/** Prints the whole report; docs/ci.md has its form. */
export function printJson({ dryRun, edits, upToDate, leftAlone, errors }: UpdateReport): void {
  const counts = {
    markers: edits.length + upToDate.length + leftAlone.filter(({ line }) => line !== undefined).length,
    files: new Set(edits.map(({ file }) => file)).size,
    edits: edits.length,
    upToDate: upToDate.length,
    leftAlone: leftAlone.length,
    errors: errors.length,
  };
  print([
    toJson({ dryRun, counts, edits: edits.map(plain), upToDate: upToDate.map(plain), leftAlone, errors }),
  ]);
}

function plain({ file, line, object, scan, form, marker, before, after }: FileEdit): object {
  return { file, line, object, scan: scanKey(scan), form, marker, before, after };
}

/** Prints the table of a pull request, for its text or a job's summary. */
export function printMarkdown(report: UpdateReport): void {
  print([planMarkdown(report).trimEnd()]);
}

/** `apps/web.yaml:12`; a whole file has no line. */
export function placeOf({ file, line }: { readonly file: string; readonly line?: number }): string {
  return line === undefined ? file : `${file}:${line}`;
}

function lines<T>(columns: readonly Column<T>[], items: readonly T[]): string[] {
  return new Table(columns.map(({ heading }) => heading)).lines(items.map((item) => rowOf(columns, item)));
}
