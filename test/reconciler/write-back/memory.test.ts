import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WriteBackMemory } from '../../../reconciler/write-back/memory.ts';

const NOW = 1000;
const PERIODIC = 9000;
const dueOf = (memory: WriteBackMemory): number => memory.due(PERIODIC, NOW);

describe('WriteBackMemory', () => {
  it('has a new GitRepo run at once', () => {
    assert.equal(dueOf(new WriteBackMemory()), NOW);
  });

  it('has one that agrees run at its interval, and knows the commit', () => {
    const memory = new WriteBackMemory();
    memory.agree('c1', memory.version);
    assert.equal(memory.agreedAt, 'c1');
    assert.equal(dueOf(memory), PERIODIC);
  });

  it('has a change undo the agreement', () => {
    const memory = new WriteBackMemory();
    memory.agree('c1', memory.version);
    memory.change();
    assert.equal(memory.agreedAt, undefined);
    assert.equal(dueOf(memory), NOW);
  });

  it('takes the answer to an earlier question for none', () => {
    const memory = new WriteBackMemory();
    const { version } = memory;
    memory.change();
    memory.agree('c1', version);
    assert.equal(memory.agreedAt, undefined);
    assert.equal(dueOf(memory), NOW);
  });

  it('has a failed run tried again after a pause that grows, and ends with a success', () => {
    const memory = new WriteBackMemory();
    const pause = (failures: number): number => 5000 + failures;
    memory.fail(memory.version, pause);
    assert.equal(dueOf(memory), 5001);
    memory.fail(memory.version, pause);
    assert.equal(dueOf(memory), 5002);
    memory.told();
    memory.agree('c1', memory.version);
    memory.told();
    memory.fail(memory.version, pause);
    assert.equal(dueOf(memory), 5001);
  });

  it('takes what cannot be told for a failure, however often Git agrees', () => {
    const memory = new WriteBackMemory();
    const pause = (failures: number): number => 5000 + failures;
    for (const due of [5001, 5002, 5003]) {
      memory.agree('c1', memory.version);
      memory.fail(memory.version, pause);
      assert.equal(dueOf(memory), due);
    }
  });

  it('makes nothing that changed since wait for that pause', () => {
    const memory = new WriteBackMemory();
    memory.fail(memory.version, () => 5000);
    memory.change();
    assert.equal(dueOf(memory), NOW);
  });

  it('forgets with a failure what was agreed, so that recovery is looked at and told', () => {
    const memory = new WriteBackMemory();
    memory.agree('c1', memory.version);
    memory.fail(memory.version, () => 5000);
    assert.equal(memory.agreedAt, undefined);
  });
});
