import { compareBytes } from '../policy/bytes.ts';

/**
 * What a template computes with. Go's types have these counterparts: nil and what is not there is null, int is bigint, float64 is number, a
 * slice is an array. Nothing of JavaScript's own objects can be reached: fields are looked up in maps only.
 */
export type Value = null | boolean | bigint | number | string | readonly Value[] | Dict | Struct;

/** Go's map. */
export class Dict {
  readonly #byText = new Map<string, readonly [key: Value, value: Value]>();

  /** @param entries the keys are texts, or structs that have a text to tell them apart by */
  constructor(entries: Iterable<readonly [key: string | Struct, value: Value]>) {
    for (const [key, value] of entries) this.#byText.set(keyText(key), [key, value]);
  }

  get size(): number {
    return this.#byText.size;
  }

  has(key: string | Struct): boolean {
    return this.#byText.has(keyText(key));
  }

  /** Null where there is no such entry. */
  get(key: string | Struct): Value {
    return this.#byText.get(keyText(key))?.[1] ?? null;
  }

  /** In the order of the keys' bytes, as Go's templates and fmt have it. */
  entries(): (readonly [key: Value, value: Value])[] {
    return [...this.#byText].toSorted(([a], [b]) => compareBytes(a, b)).map(([, entry]) => entry);
  }
}

function keyText(key: string | Struct): string {
  return typeof key === 'string' ? key : (key.text ?? '');
}

/** Go's struct: only the fields it has can be asked for. */
export class Struct {
  /** Its name in messages: `a change`. */
  readonly what: string;
  readonly fields: ReadonlyMap<string, Value>;
  /** What it prints as, Go's `String()`. One with an empty text is nothing, and false. */
  readonly text: string | undefined;
  /** Fields that it had once, and what to use now. */
  readonly removed: ReadonlyMap<string, string>;

  constructor(
    what: string,
    fields: Readonly<Record<string, Value>>,
    { text, removed = {} }: { text?: string; removed?: Readonly<Record<string, string>> } = {},
  ) {
    this.what = what;
    this.fields = new Map(Object.entries(fields));
    this.text = text;
    this.removed = new Map(Object.entries(removed));
  }
}

/** Whether a value is a list, Go's slice. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Go's truth of templates: not of false, 0, "", nil, nor of what has no elements. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (value instanceof Dict) return value.size > 0;
  if (value instanceof Struct) return value.text !== '';
  // NaN is not zero to Go.
  return typeof value === 'number' ? value !== 0 : Boolean(value);
}

/** A value's type, as messages and `%T` name it. */
export function typeName(value: Value): string {
  if (value === null) return '<nil>';
  if (isList(value)) return '[]interface {}';
  if (value instanceof Dict) return 'map[string]interface {}';
  if (value instanceof Struct) return value.what;
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    default:
      return 'string';
  }
}
