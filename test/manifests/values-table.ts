import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

/** One value of a chart: its path with dots, its default, and the comment before it. */
export interface DocumentedValue {
  readonly path: string;
  readonly defaultValue: unknown;
  readonly description: string;
}

/**
 * The values of a chart, in the order of its values.yaml. A comment that begins with `--` describes the key below it, with
 * all that the key holds; a map without one is gone into.
 *
 * @throws {Error} naming a value without such a comment
 */
export function documentedValues(text: string): DocumentedValue[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml is not a map');
  return [...walk(contents, [], contents.commentBefore)];
}

// The parser gives a comment above the first key of a map to the map.
function* walk(
  map: YAMLMap,
  parents: string[],
  firstComment: string | null | undefined,
): Generator<DocumentedValue> {
  for (const [index, { key, value }] of map.items.entries()) {
    if (!isScalar(key)) throw new Error(`a key below "${parents.join('.')}" is not a text`);
    const path = [...parents, String(key.value)];
    const comment = key.commentBefore ?? (index === 0 ? firstComment : undefined);
    const description = comment
      ?.split('\n')
      .at(-1)
      ?.match(/^ -- (.*)$/)?.[1];
    if (description !== undefined) {
      yield { path: path.join('.'), defaultValue: (value as { toJSON(): unknown }).toJSON(), description };
    } else if (isMap(value) && value.items.length > 0) {
      yield* walk(value, path, value.commentBefore);
    } else {
      throw new Error(`${path.join('.')} has no comment "# -- …" before it`);
    }
  }
}

/** The values as a Markdown table, for the chart's README. */
export function valuesTable(values: readonly DocumentedValue[]): string {
  const rows = values.map(
    ({ path, defaultValue, description }) =>
      `| \`${path}\` | \`${JSON.stringify(defaultValue)}\` | ${description.replaceAll('|', '\\|')} |`,
  );
  return ['| Value | Default | What it is |', '|---|---|---|', ...rows].join('\n');
}
