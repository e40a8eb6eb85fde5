import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedMap } from '../../registry/bounded-map.ts';

test('the entry that was not asked for the longest makes room', () => {
  const forgotten: string[] = [];
  const map = new BoundedMap<number, string>(2, (value) => forgotten.push(value));
  map.set(1, 'a');
  map.set(2, 'b');
  assert.equal(map.get(1), 'a');
  map.set(3, 'c');
  assert.deepEqual(forgotten, ['b']);
  assert.deepEqual([...map.values()], ['a', 'c']);
});

test('an entry that is set again or deleted pushes nothing out', () => {
  const map = new BoundedMap<number, string>(2, () => assert.fail('forgot something'));
  map.set(1, 'a');
  map.set(2, 'b');
  map.set(1, 'c');
  map.delete(2);
  map.set(3, 'd');
  assert.deepEqual([...map.values()], ['c', 'd']);
});
