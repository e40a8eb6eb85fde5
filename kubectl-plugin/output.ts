import { stringify } from 'yaml';

/** The flags by which the user chooses the form of the output. */
export interface OutputFlags {
  /** A table when absent. */
  readonly output?: 'wide' | 'json' | 'yaml' | 'name';
  readonly allNamespaces?: boolean;
  readonly showManagedFields?: boolean;
}

/** Prints lines on standard output. */
export function print(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
}

/** Tells the user something that is no data: on standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** kubectl's words for an empty list. */
export function nothingFound({ allNamespaces }: OutputFlags, namespace: string): string {
  return allNamespaces ? 'No resources found' : `No resources found in ${namespace} namespace.`;
}

/** An object as kubectl prints it, keys in order and four spaces deep, but with `<`, `>` and `&` as they are. */
export function toJson(object: unknown): string {
  return JSON.stringify(ordered(object), undefined, 4);
}

/** The same in YAML. Readers of YAML 1.1 and 1.2 take it alike: the string `on`, or a time, is quoted. */
export function toYaml(object: unknown): string {
  return stringify(ordered(object), {
    schema: 'yaml-1.1',
    compat: 'core',
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  }).trimEnd();
}

/** A `v1.List`, as kubectl makes it of what it has found. */
export function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
}

/** The object as kubectl shows it: without the record of who wrote which field, unless that is asked for. */
export function visibleFields<T extends { readonly metadata: object }>(object: T, flags: OutputFlags): T {
  if (flags.showManagedFields) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, ordered(child)]));
}
