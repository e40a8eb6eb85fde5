import type { ScanResult } from '../scan/scan.ts';
import { note, print, toJson, toYaml } from './output.ts';
import { type Column, rowOf, Table } from './table.ts';

/** A tag and what became of it, as the policy or a status tells it. */
export interface ExplainedTag {
  readonly tag: string;
  readonly verdict: string;
  readonly message?: string | undefined;
}

/** Which tag a policy chooses, and what becomes of each other one. */
export interface Explanation {
  readonly image?: string;
  /** The tag in force in the cluster, where there is one. */
  readonly inForce?: string;
  readonly chosen?: { readonly tag: string; readonly digest?: string };
  /** Why nothing was chosen. */
  readonly reason?: string;
  readonly message?: string;
  /** The choice may not be what was meant. */
  readonly warning?: string;
  readonly candidates: readonly ExplainedTag[];
}

/** The form of the output: a table when absent; `name` for the chosen tag alone. */
export type ExplanationForm = 'json' | 'yaml' | 'name' | undefined;

const COLUMNS: readonly Column<ExplainedTag>[] = [
  { heading: 'TAG', cell: ({ tag }) => tag },
  { heading: 'VERDICT', cell: ({ verdict }) => verdict },
  { heading: 'WHY', cell: ({ message }) => message },
];

/** Prints it. What is no data, such as a warning, goes to standard error. */
export function printExplanation(explanation: Explanation, form: ExplanationForm): void {
  const { candidates, chosen, inForce, message, warning } = explanation;
  switch (form) {
    case 'json':
      return print([toJson(explanation)]);
    case 'yaml':
      return print([toYaml(explanation)]);
    case 'name':
      return print(chosen === undefined ? [] : [chosen.tag]);
    case undefined:
      print(
        new Table(COLUMNS.map(({ heading }) => heading)).lines(candidates.map((it) => rowOf(COLUMNS, it))),
      );
  }
  if (chosen !== undefined && inForce !== undefined && inForce !== chosen.tag)
    note(`${inForce} is in force; the next scan brings ${chosen.tag}`);
  if (warning !== undefined) note(`warning: ${warning}`);
  if (message !== undefined && inForce !== undefined) note(`${inForce} stays in force: ${message}`);
}

/** What a scan found out, as an explanation. */
export function explanationOf(image: string, result: ScanResult): Explanation {
  const candidates = result.candidates ?? [];
  if (result.kind === 'failed') return { image, reason: result.reason, message: result.message, candidates };
  const { value, warning } = result;
  const chosen = { tag: value.tag, digest: value.digest };
  return { image, chosen, candidates, ...(warning !== undefined && { warning }) };
}
