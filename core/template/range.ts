import type { Budget } from './budget.ts';
import { ArgumentError } from './errors.ts';
import { Dict, isList, typeName, type Value } from './value.ts';

/**
 * What a range goes over: the elements of a list, the entries of a map in the order of its keys, or the numbers below one.
 *
 * @param variables how many the range sets
 * @throws {ArgumentError} for any other value
 */
export function elementsOf(
  value: Value,
  variables: number,
  budget: Budget,
): Iterable<readonly [index: Value, element: Value]> {
  if (value === null) return [];
  if (isList(value)) return indexed(value);
  if (value instanceof Dict) {
    budget.spend(value.size);
    return value.entries();
  }
  if (typeof value !== 'bigint')
    throw new ArgumentError(`a range goes over a list or a map, not ${typeName(value)}`);
  if (variables > 1) throw new ArgumentError('a range over a number sets one variable');
  return upTo(value);
}

function* indexed(list: readonly Value[]): Generator<readonly [Value, Value]> {
  for (const [index, element] of list.entries()) yield [BigInt(index), element];
}

function* upTo(end: bigint): Generator<readonly [Value, Value]> {
  for (let number = 0n; number < end; number++) yield [null, number];
}
