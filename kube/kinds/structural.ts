/** A JSON schema, as an object whose keywords are looked at one by one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Keywords that mean the same in a CRD and are copied. */
const COPIED = new Set([
  'description',
  'type',
  'format',
  'enum',
  'default',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'required',
]);

/**
 * Turns a JSON schema into the structural form that a CRD must have ("Specifying a structural schema" in the Kubernetes docs).
 * Types stay strict; `null` becomes `nullable`; unknown fields need no keyword, since the API server prunes or refuses them.
 *
 * @throws {Error} on a keyword that has no counterpart, so that no rule is lost unseen
 */
export function toStructural(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  if (Array.isArray(anyOf)) return { ...toStructural(rest), ...toStructural(notNull(anyOf)), nullable: true };
  const entries = Object.entries(rest).flatMap(([keyword, value]) => convert(keyword, value, rest));
  return Object.fromEntries(entries);
}

function convert(keyword: string, value: unknown, schema: JsonSchema): [string, unknown][] {
  switch (keyword) {
    case '$schema':
      return [];
    case 'type':
      return typeOf(value, schema);
    case 'pattern':
      // The API server checks date-time by its format; zod repeats it as a long pattern.
      return schema['format'] === 'date-time' ? [] : [[keyword, value]];
    case 'minimum':
    case 'maximum':
      return Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER ? [] : [[keyword, value]];
    case 'properties':
      return [[keyword, mapValues(asSchema(value), (property) => toStructural(asSchema(property)))]];
    case 'additionalProperties':
      return value === false ? [] : [[keyword, toStructural(asSchema(value))]];
    case 'items':
      return [[keyword, toStructural(asSchema(value))]];
    default:
      if (COPIED.has(keyword) || keyword.startsWith('x-kubernetes-')) return [[keyword, value]];
      throw new Error(`the JSON schema keyword "${keyword}" has no counterpart in a CRD`);
  }
}

function typeOf(type: unknown, schema: JsonSchema): [string, unknown][] {
  if (type === 'integer')
    return [
      ['type', type],
      ...(schema['format'] === undefined ? [['format', 'int64'] as [string, unknown]] : []),
    ];
  if (!Array.isArray(type)) return [['type', type]];
  const [only, ...more] = type.filter((name) => name !== 'null');
  if (more.length > 0) throw new Error(`a CRD's field cannot be of the types ${type.join(' and ')}`);
  return [
    ['type', only],
    ['nullable', true],
  ];
}

function notNull(alternatives: readonly unknown[]): JsonSchema {
  const [only, ...more] = alternatives.map(asSchema).filter((schema) => schema['type'] !== 'null');
  if (only === undefined || more.length > 0)
    throw new Error('a CRD can express no alternatives but "this or null"');
  return only;
}

function asSchema(value: unknown): JsonSchema {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('a JSON schema must be an object');
  return Object.fromEntries(Object.entries(value));
}

function mapValues(object: JsonSchema, map: (value: unknown) => unknown): JsonSchema {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}
