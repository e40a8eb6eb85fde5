import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Lanes } from '../../reconciler/lanes.ts';

/** Begins until nothing more may begin. */
function beginAll(lanes: Lanes): string[] {
  const begun: string[] = [];
  for (let key = lanes.begin(); key !== undefined; key = lanes.begin()) begun.push(key);
  return begun;
}

function lanesOf(width: number, ...keys: readonly string[]): Lanes {
  const lanes = new Lanes();
  for (const key of keys) lanes.add(key, { name: key[0] ?? '', width });
  return lanes;
}

describe('Lanes', () => {
  it('take turns, each in its own order, and have so many at work at most', () => {
    const lanes = lanesOf(2, 'a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    assert.deepEqual(beginAll(lanes), ['a1', 'b1', 'c1', 'a2', 'c2']);
    assert.deepEqual([lanes.waiting, lanes.atWork], [1, 5]);
    lanes.end('b1');
    assert.deepEqual(beginAll(lanes), []);
    lanes.end('a2');
    assert.deepEqual(beginAll(lanes), ['a3']);
  });

  it('hold a key once, and do not begin with it again while it is at work', () => {
    const lanes = lanesOf(2, 'a1', 'a1');
    assert.deepEqual(beginAll(lanes), ['a1']);
    lanes.add('a1', { name: 'a', width: 2 });
    lanes.add('a2', { name: 'a', width: 2 });
    assert.deepEqual(beginAll(lanes), ['a2']);
    lanes.end('a1');
    assert.deepEqual(beginAll(lanes), ['a1']);
  });

  it('let go of a key that waits, and not of one at work', () => {
    const lanes = lanesOf(1, 'a1', 'a2', 'a3');
    assert.equal(lanes.begin(), 'a1');
    lanes.remove('a1');
    lanes.remove('a2');
    assert.equal(lanes.begin(), undefined);
    lanes.end('a1');
    assert.equal(lanes.begin(), 'a3');
  });

  it('lose no key and exceed no limit, whatever comes', () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), key: fc.integer({ min: 0, max: 9 }) }),
      fc.record({
        kind: fc.constantFrom('end' as const, 'remove' as const),
        key: fc.integer({ min: 0, max: 9 }),
      }),
      fc.record({ kind: fc.constant('begin' as const), key: fc.constant(0) }),
    );
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 100 }),
        fc.integer({ min: 1, max: 3 }),
        (operations, perLane) => {
          const lanes = new Lanes();
          const waiting = new Set<string>();
          const atWork = new Set<string>();
          const laneOf = (key: string): string => String(Number(key) % 3);
          const isFull = (lane: string): boolean =>
            [...atWork].filter((key) => laneOf(key) === lane).length >= perLane;
          for (const { kind, key: number } of operations) {
            const key = String(number);
            if (kind === 'add') {
              lanes.add(key, { name: laneOf(key), width: perLane });
              waiting.add(key);
            } else if (kind === 'remove') {
              lanes.remove(key);
              waiting.delete(key);
            } else if (kind === 'end') {
              lanes.end(key);
              atWork.delete(key);
            } else {
              const mayBegin = [...waiting].filter((each) => !atWork.has(each) && !isFull(laneOf(each)));
              const begun = lanes.begin();
              assert.equal(begun !== undefined, mayBegin.length > 0);
              if (begun === undefined) continue;
              assert.ok(mayBegin.includes(begun));
              waiting.delete(begun);
              atWork.add(begun);
            }
            assert.deepEqual([lanes.waiting, lanes.atWork], [waiting.size, atWork.size]);
          }
        },
      ),
    );
  });
});
