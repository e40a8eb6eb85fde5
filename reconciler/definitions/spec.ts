import { isDeepStrictEqual } from 'node:util';

type Fields = Readonly<Record<string, unknown>>;

/** A value without the fields that are null or undefined, at any depth: to the API server they are as if absent. */
export function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      value === null || value === undefined ? [] : [[key, isFields(value) ? withoutNulls(value) : value]],
    ),
  );
}

/**
 * The JSON merge patch (RFC 7396) that gives `current` the fields of `wanted`, each with all that is in it, and takes away those of
 * `former` that are not wanted any more. All other fields stay.
 *
 * @returns undefined when nothing has to change
 */
export function fieldsPatch(current: Fields, wanted: Fields, former: readonly string[]): Fields | undefined {
  const [has, wants] = [withoutNulls(current), withoutNulls(wanted)];
  const given = Object.entries(wants).filter(([key, value]) => !isDeepStrictEqual(has[key], value));
  const gone = former.filter((key) => wants[key] === undefined && has[key] !== undefined);
  if (given.length + gone.length === 0) return undefined;
  return Object.fromEntries([
    ...given.map(([key, value]) => [key, valuePatch(has[key], value)]),
    ...gone.map((key) => [key, null]),
  ]);
}

/** Makes one value another; both without nulls. */
function valuePatch(current: unknown, wanted: unknown): unknown {
  if (!isFields(current) || !isFields(wanted)) return wanted;
  return fieldsPatch(current, wanted, Object.keys(current)) ?? {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
