import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConditionState, setCondition } from '../../../kube/kinds/conditions.ts';

const NOW = new Date('2026-05-01T10:00:00.123Z');
const EARLIER = '2026-04-01T00:00:00Z';
const state = (more: Partial<ConditionState> = {}): ConditionState => ({
  type: 'Ready',
  status: 'True',
  reason: 'InForce',
  message: 'ok',
  observedGeneration: 2,
  ...more,
});

describe('setCondition', () => {
  it('adds a condition with the time of now, to the second', () => {
    assert.deepEqual(setCondition(undefined, state(), NOW), [
      { ...state(), lastTransitionTime: '2026-05-01T10:00:00Z' },
    ]);
  });

  it('keeps the time while the status stays, and takes the new reason and message', () => {
    const before = [{ type: 'Ready', status: 'True' as const, reason: 'Old', lastTransitionTime: EARLIER }];
    assert.deepEqual(setCondition(before, state(), NOW), [{ ...state(), lastTransitionTime: EARLIER }]);
  });

  it('moves the time when the status changes', () => {
    const before = [{ type: 'Ready', status: 'False' as const, lastTransitionTime: EARLIER }];
    assert.equal(setCondition(before, state(), NOW)[0]?.lastTransitionTime, '2026-05-01T10:00:00Z');
  });

  it('leaves other conditions and the order alone, and the list it was given', () => {
    const before = [
      { type: 'A', status: 'True' as const },
      { type: 'Ready', status: 'False' as const },
      { type: 'B', status: 'Unknown' as const },
    ];
    const copy = structuredClone(before);
    const after = setCondition(before, state(), NOW);
    assert.deepEqual(
      after.map(({ type }) => type),
      ['A', 'Ready', 'B'],
    );
    assert.equal(after[0], before[0]);
    assert.deepEqual(before, copy);
  });

  it('cuts a message that the API server would refuse', () => {
    assert.equal(setCondition([], state({ message: 'x'.repeat(40_000) }), NOW)[0]?.message?.length, 32_768);
  });
});
