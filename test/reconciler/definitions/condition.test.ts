import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptedState, withAccepted } from '../../../reconciler/definitions/condition.ts';
import type { Brought } from '../../../reconciler/definitions/definitions.ts';
import { definitionEvents } from '../../../reconciler/definitions/events.ts';
import { gitRepo } from '../samples.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const NOTHING: Brought = {
  definitions: 0,
  mistakes: [],
  created: [],
  changed: [],
  removed: [],
  failures: [],
};
const mistakes = (count: number): Brought['mistakes'] =>
  Array.from({ length: count }, (_, index) => ({ file: 'fleet.yaml', line: index + 1, message: 'wrong' }));

describe('the condition ImageScansAccepted', () => {
  it('counts what is defined, names each mistake with its place, and is absent where no file defines anything', () => {
    assert.equal(acceptedState(NOTHING), undefined);
    assert.equal(acceptedState({ ...NOTHING, definitions: 1 })?.message, '1 scan is defined in Git');
    const wrong = acceptedState({ ...NOTHING, definitions: 2, mistakes: mistakes(2) });
    assert.deepEqual(
      [wrong?.status, wrong?.reason, wrong?.message],
      ['False', 'InvalidDefinition', 'fleet.yaml:1: wrong; fleet.yaml:2: wrong'],
    );
    assert.match(acceptedState({ ...NOTHING, mistakes: mistakes(30) })?.message ?? '', /; and 10 more$/);
  });

  it('goes when no file defines anything any more, and stays where nobody looked', () => {
    const other = { type: 'ImageSynced', status: 'True' as const };
    const accepted = withAccepted([other], { ...NOTHING, definitions: 1 }, 1, NOW);
    assert.deepEqual(
      accepted?.map(({ type }) => type),
      ['ImageSynced', 'ImageScansAccepted'],
    );
    assert.equal(withAccepted(accepted, undefined, 1, NOW), accepted);
    assert.deepEqual(withAccepted(accepted, NOTHING, 1, NOW), [other]);
  });
});

describe('the Events of definitions', () => {
  it('tell what was done in one each, and a mistake once', () => {
    const names = Array.from({ length: 12 }, (_, index) => `apps-${index + 10}`);
    const brought = { ...NOTHING, created: names, removed: ['apps-old'], mistakes: mistakes(1) };
    const events = definitionEvents(gitRepo(), brought);
    assert.deepEqual(
      events.map(({ type, reason }) => `${type} ${reason}`),
      ['Normal ImageScanCreated', 'Normal ImageScanRemoved', 'Warning InvalidDefinition'],
    );
    assert.match(events[0]?.message ?? '', /: apps-10, .*, apps-19 and 2 more$/);
    const conditions = withAccepted([], brought, 1, NOW);
    const told = gitRepo({ status: { conditions } });
    assert.deepEqual(definitionEvents(told, { ...NOTHING, mistakes: mistakes(1) }), []);
  });
});
