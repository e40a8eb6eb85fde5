import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foreignWrite, labelledAt, writersOf } from '../../../kubectl-plugin/fleet/managed-fields.ts';

const SHARD = 'fleet.cattle.io/shard-ref';

function entry(manager: string, minute: number, fieldsV1: object) {
  return { manager, time: `2026-01-01T00:0${minute}:00Z`, operation: 'Update', fieldsV1 };
}

function writers(...managedFields: object[]) {
  return writersOf({ metadata: { managedFields } });
}

describe('the writers of an object', () => {
  const status = (field: string) => ({ 'f:status': { [`f:${field}`]: {} } });

  it('are others than the programs of this project', () => {
    const ours = ['fleetscan', 'fleetscan-reconciler', 'fleetscan-webhook', 'kubectl-fleetscan'];
    const entries = ours.map((manager) => entry(manager, 1, status('latestTag')));
    assert.equal(foreignWrite(writers(...entries), ['latestTag']), undefined);
  });

  it('count by the last write to one of the fields', () => {
    const all = writers(
      entry('fleetcontroller', 1, status('latestTag')),
      entry('kubectl-edit', 2, status('lastScanTime')),
      entry('other', 3, status('conditions')),
    );
    const fields = ['lastScanTime', 'latestTag'];
    assert.deepEqual(foreignWrite(all, fields), {
      manager: 'kubectl-edit',
      at: Date.parse('2026-01-01T00:02:00Z'),
    });
  });

  it('tell when we put a label on it', () => {
    const label = { 'f:metadata': { 'f:labels': { [`f:${SHARD}`]: {} } } };
    assert.equal(labelledAt(writers(entry('fleet', 1, label)), SHARD), undefined);
    assert.equal(
      labelledAt(writers(entry('fleetscan-reconciler', 2, label)), SHARD),
      Date.parse('2026-01-01T00:02:00Z'),
    );
  });

  it('are none where the API server tells none, or not when', () => {
    assert.deepEqual(writersOf({ metadata: {} }), []);
    assert.deepEqual(writersOf(undefined), []);
    assert.deepEqual(writers({ manager: 'fleet' }), []);
  });
});
