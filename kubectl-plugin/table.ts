/** A column: its heading, and what it says of an object. */
export interface Column<T> {
  readonly heading: string;
  readonly cell: (object: T) => string | undefined;
}

const GAP = '   ';

/**
 * Lays objects out as kubectl does: upper-case headings, columns as wide as their widest cell, three spaces between them,
 * no borders; `<none>` where there is nothing to say.
 *
 * @returns the lines; the first is the heading
 */
export function table<T>(columns: readonly Column<T>[], objects: readonly T[]): string[] {
  const rows = [
    columns.map(({ heading }) => heading),
    ...objects.map((object) => columns.map(({ cell }) => cell(object) || '<none>')),
  ];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A time gone by, as kubectl writes ages (k8s.io/apimachinery/pkg/util/duration): `42s`, `5m10s`, `3h`, `12d`, `2y30d`. */
export function age(milliseconds: number): string {
  if (milliseconds < 2 * MINUTE) return `${Math.max(0, Math.floor(milliseconds / SECOND))}s`;
  if (milliseconds < 10 * MINUTE) return two(milliseconds, [MINUTE, 'm'], [SECOND, 's']);
  if (milliseconds < 3 * HOUR) return `${Math.floor(milliseconds / MINUTE)}m`;
  if (milliseconds < 8 * HOUR) return two(milliseconds, [HOUR, 'h'], [MINUTE, 'm']);
  if (milliseconds < 2 * DAY) return `${Math.floor(milliseconds / HOUR)}h`;
  if (milliseconds < 8 * DAY) return two(milliseconds, [DAY, 'd'], [HOUR, 'h']);
  if (milliseconds < 2 * YEAR) return `${Math.floor(milliseconds / DAY)}d`;
  if (milliseconds < 8 * YEAR) return two(milliseconds, [YEAR, 'y'], [DAY, 'd']);
  return `${Math.floor(milliseconds / YEAR)}y`;
}

type Unit = readonly [milliseconds: number, letter: string];

function two(milliseconds: number, [large, letter]: Unit, [small, smallLetter]: Unit): string {
  const rest = Math.floor((milliseconds % large) / small);
  return `${Math.floor(milliseconds / large)}${letter}${rest === 0 ? '' : `${rest}${smallLetter}`}`;
}
