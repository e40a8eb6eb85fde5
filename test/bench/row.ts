/** A figure of the design, measured: ours against a rival that ran beside it. */
export interface Row {
  readonly name: string;
  /** Ours divided by the rival's. */
  readonly ratio: number;
  /** What the ratio should be, in words, and whether it is. */
  readonly target: string;
  readonly met: boolean;
  /** More numbers for the reader, by name with the unit. */
  readonly details: Readonly<Record<string, number>>;
}
