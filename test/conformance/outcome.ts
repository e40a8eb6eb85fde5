/** What became of one conformance case: passed, or failed with what was wanted and what came. */
export interface Outcome {
  readonly name: string;
  readonly failure?: string;
}
