import { z } from 'zod';
import type { Write } from './facts.ts';

/** The programs of this project: `fleetscan-reconciler`, `fleetscan-webhook`, `kubectl-fleetscan`. */
const OURS = /^(?:kubectl-)?fleetscan/;

const tree: z.ZodType<Record<string, unknown>> = z.record(z.string(), z.unknown());
const withManagedFields = z.object({
  metadata: z.object({
    managedFields: z
      .array(
        z.object({ manager: z.string().default(''), time: z.string().optional(), fieldsV1: tree.optional() }),
      )
      .default([]),
  }),
});

/** Who wrote which fields of an object, and when each of them last changed one (`metadata.managedFields`). */
export interface Writer {
  readonly manager: string;
  readonly at: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads the writers of an object; none where the API server tells none. */
export function writersOf(raw: unknown): Writer[] {
  const parsed = withManagedFields.safeParse(raw);
  if (!parsed.success) return [];
  return parsed.data.metadata.managedFields.flatMap(({ manager, time, fieldsV1 }) => {
    const at = Date.parse(time ?? '');
    return Number.isFinite(at) ? [{ manager, at, fields: fieldsV1 ?? {} }] : [];
  });
}

/** The last write of somebody else than us to one of these fields of the status. */
export function foreignWrite(writers: readonly Writer[], fields: readonly string[]): Write | undefined {
  return writers
    .filter(({ manager }) => !OURS.test(manager))
    .filter((writer) => fields.some((field) => has(writer.fields, ['f:status', `f:${field}`])))
    .map(({ manager, at }) => ({ manager, at }))
    .toSorted((a, b) => b.at - a.at)[0];
}

/** When we put a label on an object; undefined when somebody else did, or it was made with it. */
export function labelledAt(writers: readonly Writer[], label: string): number | undefined {
  const path = ['f:metadata', 'f:labels', `f:${label}`];
  return writers.find(({ manager, fields }) => OURS.test(manager) && has(fields, path))?.at;
}

function has(fields: Readonly<Record<string, unknown>>, path: readonly string[]): boolean {
  let at: unknown = fields;
  for (const key of path) {
    const parsed = tree.safeParse(at);
    if (!parsed.success || !Object.hasOwn(parsed.data, key)) return false;
    at = parsed.data[key];
  }
  return true;
}
