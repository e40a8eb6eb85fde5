import { stringify } from 'yaml';

/** Prints lines on standard output. */
export function print(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
}

/** An object as kubectl prints it: keys in order, four spaces; the characters `<`, `>` and `&` as they are. */
export function toJson(object: unknown): string {
  return JSON.stringify(ordered(object), undefined, 4);
}

/** The same as YAML, which readers of YAML 1.1 and 1.2 take alike: `"on"` and times are quoted. */
export function toYaml(object: unknown): string {
  return stringify(ordered(object), {
    compat: 'yaml-1.1',
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  }).trimEnd();
}

/** A `v1.List` as kubectl makes it of what it has found. */
export function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
}

/** The object without `metadata.managedFields`, a record of who wrote what that hides the rest from a reader. */
export function withoutManagedFields(object: object): object {
  if (!('metadata' in object) || typeof object.metadata !== 'object') return object;
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== undefined);
  // By code unit, as the names of fields are ASCII.
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, child]) => [key, ordered(child)]));
}
