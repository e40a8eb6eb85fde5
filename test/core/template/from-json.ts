import { Dict, type Value } from '../../../core/template/value.ts';

/** JSON as the data of a template: numbers without a fraction are ints. */
export function fromJson(json: unknown): Value {
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json === 'object' && json !== null)
    return new Dict(Object.entries(json).map(([key, value]) => [key, fromJson(value)]));
  if (typeof json === 'number') return Number.isInteger(json) ? BigInt(json) : json;
  return typeof json === 'string' || typeof json === 'boolean' ? json : null;
}
