import { oneLine } from '../core/one-line.ts';

/** A column: its heading, and what it says of an object. */
export interface Column<T> {
  readonly heading: string;
  readonly cell: (object: T) => string | undefined;
}

const GAP = '   ';

/**
 * Lays objects out as kubectl does: upper-case headings, columns as wide as their widest cell, three spaces between them,
 * no borders. Where there is nothing to say it says `<none>`. A cell is one line, and its control characters, which a
 * terminal might obey, become spaces.
 *
 * It may be asked again and again, as in a watch: the heading comes once, and no column becomes narrower than it was.
 */
export class Table<T> {
  readonly #columns: readonly Column<T>[];
  readonly #widths: number[];
  #hasHeading = false;

  constructor(columns: readonly Column<T>[]) {
    this.#columns = columns;
    this.#widths = columns.map(({ heading }) => heading.length);
  }

  /** The lines for these objects, the heading first when there is something to head. */
  lines(objects: readonly T[]): string[] {
    if (objects.length === 0) return [];
    const rows = objects.map((object) => this.#columns.map(({ cell }) => oneLine(cell(object) || '<none>', Infinity)));
    for (const row of rows) this.#widen(row);
    if (!this.#hasHeading) rows.unshift(this.#columns.map(({ heading }) => heading));
    this.#hasHeading = true;
    return rows.map((row) => this.#line(row));
  }

  #widen(row: readonly string[]): void {
    for (const [index, cell] of row.entries())
      this.#widths[index] = Math.max(this.#widths[index] ?? 0, cell.length);
  }

  #line(row: readonly string[]): string {
    const last = row.length - 1;
    return row
      .map((cell, index) => (index === last ? cell : cell.padEnd(this.#widths[index] ?? 0)))
      .join(GAP);
  }
}
