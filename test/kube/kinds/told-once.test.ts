import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ToldOnce } from '../../../kube/kinds/told-once.ts';

describe('ToldOnce', () => {
  it('knows what was told, and forgets what was told long ago', () => {
    const told = new ToldOnce();
    assert.deepEqual([told.isNews('a'), told.isNews('a'), told.isNews('b')], [true, false, true]);
    for (let index = 0; index < 999; index++) told.isNews(`${index}`);
    assert.deepEqual([told.isNews('b'), told.isNews('a')], [false, true]);
  });
});
