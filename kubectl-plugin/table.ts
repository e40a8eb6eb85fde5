import { oneLine } from '../core/one-line.ts';

/** A column: its heading, and what it says of an object. */
export interface Column<T> {
  readonly heading: string;
  readonly cell: (object: T) => string | undefined;
}

/** The cells of one line. */
export type Row = readonly string[];

const GAP = '   ';

/**
 * What the columns say of an object, `<none>` where that is nothing. A cell is one line, and its control characters, which a
 * terminal might obey, become spaces.
 */
export function rowOf<T>(columns: readonly Column<T>[], object: T): Row {
  return columns.map(({ cell }) => oneLine(cell(object) || '<none>', Infinity));
}

/**
 * Lays rows out as kubectl does: upper-case headings, columns as wide as their widest cell, three spaces between them, no
 * borders. It may be given rows again and again, as in a watch: the headings come once, and no column becomes narrower.
 */
export class Table {
  readonly #headings: Row;
  readonly #widths: number[];
  #isHeaded = false;

  constructor(headings: Row) {
    this.#headings = headings;
    this.#widths = headings.map((heading) => heading.length);
  }

  /** The lines for these rows, the headings first when there is something to head. */
  lines(rows: readonly Row[]): string[] {
    if (rows.length === 0) return [];
    for (const row of rows) this.#widen(row);
    const shown = this.#isHeaded ? rows : [this.#headings, ...rows];
    this.#isHeaded = true;
    return shown.map((row) => this.#line(row));
  }

  #widen(row: Row): void {
    for (const [index, cell] of row.entries())
      this.#widths[index] = Math.max(this.#widths[index] ?? 0, cell.length);
  }

  #line(row: Row): string {
    const last = row.length - 1;
    return row
      .map((cell, index) => (index === last ? cell : cell.padEnd(this.#widths[index] ?? 0)))
      .join(GAP);
  }
}
