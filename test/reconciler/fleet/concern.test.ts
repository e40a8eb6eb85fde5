import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import type { Brought } from '../../../reconciler/definitions/definitions.ts';
import { isConcerned } from '../../../reconciler/fleet/concern.ts';
import type { Told } from '../../../reconciler/fleet/git-repo-status.ts';
import type { StoredScan } from '../../../reconciler/stores.ts';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import { fleetGitRepo, fleetScan, imageScan } from '../samples.ts';

const HEAD = 'c'.repeat(40);
const edit = {
  file: 'a.yaml',
  line: 1,
  marker: 'web',
  form: 'image',
  scan: toScan(imageScan()),
  before: 'web:1',
  after: 'web:2',
} as const;
const plan = { changes: [], edits: [], leftAlone: [], markers: 0, current: 0 };
const unmarked: WriteBackResult = { kind: 'synced', head: HEAD, at: HEAD, plan };
const failed: WriteBackResult = { kind: 'failed', reason: 'Unreachable', message: 'no connection' };
const unchanged: WriteBackResult = { kind: 'unchanged', head: HEAD, at: HEAD };
const results: readonly WriteBackResult[] = [unmarked, failed, unchanged];
const told: Told = { synced: { type: 'ImageSynced', status: 'True', reason: 'Synced', message: '' } };
const nothing: Brought = {
  definitions: 0,
  mistakes: [],
  created: [],
  changed: [],
  removed: [],
  failures: [],
};

const concerned = (
  result: WriteBackResult,
  { scans = [], brought, former }: { scans?: StoredScan[]; brought?: Brought; former?: Told } = {},
): boolean => isConcerned(fleetGitRepo(), scans, { result, ...(brought && { brought }) }, former);

describe('isConcerned', () => {
  const named = { spec: { gitrepoName: 'apps' } };

  it('is every GitRepo that an ImageScan of its namespace names, of either group, whatever comes of it', () => {
    for (const scan of [fleetScan(named), imageScan(named)])
      for (const result of results) assert.equal(concerned(result, { scans: [scan] }), true);
    const elsewhere = fleetScan({ ...named, metadata: { namespace: 'far' } });
    const another = fleetScan({ spec: { gitrepoName: 'other' } });
    assert.equal(concerned(unmarked, { scans: [elsewhere, another] }), false);
  });

  it('is one with a marker that has a value, whosever scan that is', () => {
    assert.equal(concerned({ ...unmarked, plan: { ...plan, current: 1 } }), true);
    assert.equal(concerned({ ...unmarked, plan: { ...plan, edits: [edit] } }), true);
    const left = { file: 'a.yaml', line: 1, reason: 'UnknownScan', message: 'no scan x' };
    assert.equal(concerned({ ...unmarked, plan: { ...plan, leftAlone: [left] } }), false);
  });

  it('is one whose files define, or fail to', () => {
    const mistake = { file: 'fleet.yaml', message: 'a map' };
    assert.equal(concerned(unmarked, { brought: { ...nothing, definitions: 1 } }), true);
    assert.equal(concerned(unmarked, { brought: { ...nothing, mistakes: [mistake] } }), true);
    assert.equal(concerned(unmarked, { brought: nothing }), false);
  });

  it('goes by what was told before, where a run could not look: an ImageScan that serves others too may be meant', () => {
    const shared = [fleetScan()];
    assert.equal(concerned(failed, { scans: shared }), false, 'it may only deploy');
    assert.equal(concerned(failed, { scans: shared, former: told }), true);
    assert.equal(concerned(unmarked, { scans: shared, former: told }), false, 'it has looked');
    assert.equal(concerned(failed, { former: told }), false, 'there is none any more');
    const accepted = { type: 'ImageScansAccepted', status: 'True', reason: 'Accepted', message: '' } as const;
    assert.equal(concerned(failed, { former: { ...told, accepted } }), true);
    assert.equal(concerned(failed, { former: { ...told, accepted: 'None' } }), false);
  });
});
