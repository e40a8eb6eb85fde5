import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseGitRepo } from '../../../kube/kinds/git-repo.ts';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import type { EditPlan, FileEdit, LeftAlone } from '../../../write-back/plan.ts';
import { eventsOf } from '../../../reconciler/write-back/events.ts';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import { statusAfter } from '../../../reconciler/write-back/status.ts';
import type { StoredGitRepo } from '../../../reconciler/stores.ts';
import { gitRepo, imageScan, rawGitRepo } from '../samples.ts';
import { patched } from './support.ts';

const T1 = new Date('2026-01-01T00:00:00.000Z');
const T2 = new Date('2026-01-01T00:15:00.000Z');
const HEAD = '1'.repeat(40);
const PUSHED = '2'.repeat(40);

const edit: FileEdit = {
  file: 'a.yaml',
  line: 3,
  marker: 'web',
  before: '1',
  after: '2',
  scan: toScan(imageScan()),
  form: 'image',
};
const unknown: LeftAlone = { file: 'a.yaml', line: 7, reason: 'UnknownScan', message: 'no scan gone' };
const link: LeftAlone = { file: 'b.yaml', reason: 'SymbolicLink', message: 'links are not followed' };

function synced(plan: Partial<EditPlan>, pushed?: string): WriteBackResult {
  const whole = { changes: [], edits: [], leftAlone: [], markers: 0, current: 0, ...plan };
  const head = pushed ?? HEAD;
  return { kind: 'synced', head, at: head, plan: whole, ...(pushed !== undefined && { pushed }) };
}
const failed: WriteBackResult = { kind: 'failed', reason: 'Unreachable', message: 'no connection' };

function after(repo: StoredGitRepo, result: WriteBackResult, now = T1): StoredGitRepo {
  return patched(repo, statusAfter(repo, result, now));
}

function conditionOf({ status }: StoredGitRepo): string | undefined {
  const condition = status.conditions?.find(({ type }) => type === 'ImageSynced');
  return condition && `${condition.status} ${condition.reason}: ${condition.message}`;
}

describe('statusAfter a write-back', () => {
  it('that pushed has the commit, its time, and the count of the markers', () => {
    const { status } = after(
      gitRepo({ metadata: { generation: 5 } }),
      synced({ edits: [edit], markers: 3, current: 2 }, PUSHED),
    );
    const { conditions: _, ...rest } = status;
    assert.deepEqual(rest, {
      commit: PUSHED,
      lastPushCommit: PUSHED,
      lastPushTime: T1.toISOString(),
      lastSyncedImageScanTime: T1.toISOString(),
      markers: { total: 3, current: 3, leftAlone: 0 },
      leftAlone: [],
      observedGeneration: 5,
    });
    assert.equal(status.conditions?.[0]?.observedGeneration, 5);
    assert.equal(
      conditionOf({ ...gitRepo(), status }),
      'True Synced: 3 markers agree with the values in force',
    );
  });

  it('that found all as it should be keeps the last push', () => {
    const first = after(gitRepo(), synced({ edits: [edit], markers: 1 }, PUSHED));
    const second = after(first, synced({ markers: 1, current: 1 }), T2);
    assert.equal(second.status.lastPushCommit, PUSHED);
    assert.equal(second.status.lastPushTime, T1.toISOString());
    assert.equal(second.status.lastSyncedImageScanTime, T2.toISOString());
    assert.equal(second.status.commit, HEAD);
    assert.equal(conditionOf(second), 'True Synced: 1 marker agrees with the value in force');
  });

  it('that left something alone names the first of it in the condition, and all in the status', () => {
    const { status } = after(gitRepo(), synced({ markers: 2, current: 1, leftAlone: [unknown, link] }));
    assert.deepEqual(status.leftAlone, [unknown, link]);
    assert.deepEqual(status.markers, { total: 2, current: 1, leftAlone: 2 });
    assert.equal(
      conditionOf({ ...gitRepo(), status }),
      'True SyncedInPart: 1 marker agrees with the value in force; left alone: a.yaml:7: UnknownScan: no scan gone (and 1 more in status.leftAlone)',
    );
  });

  it('shows a name of a file that would speak to a terminal, or that has no end, as one bounded line', () => {
    const odd = { ...unknown, file: `\u001b[2J\n${'x'.repeat(100_000)}.yaml` };
    const repo = after(gitRepo(), synced({ markers: 1, leftAlone: [odd] }));
    const texts = [conditionOf(repo) ?? '', repo.status.leftAlone?.[0]?.file ?? ''];
    for (const text of texts) {
      assert.doesNotMatch(text, /\p{Cc}/u);
      assert.ok(text.length < 2000, `${text.length} characters`);
    }
    const pushed = synced({ edits: [{ ...edit, file: odd.file }], markers: 1 }, PUSHED);
    const [event] = eventsOf({ before: gitRepo(), after: after(gitRepo(), pushed) }, pushed);
    assert.doesNotMatch(event?.message ?? '', /\p{Cc}/u);
    assert.match(event?.message ?? '', /1 -> 2$/, 'the change itself is told');
  });

  it('that left a file alone counts the markers of the others', () => {
    const repo = after(gitRepo(), synced({ markers: 1, current: 1, leftAlone: [link] }));
    assert.match(conditionOf(repo) ?? '', /^True SyncedInPart: 1 marker agrees .* b\.yaml: SymbolicLink/);
  });

  it('that found no marker says so', () => {
    assert.match(
      conditionOf(after(gitRepo(), synced({}))) ?? '',
      /^True NothingMarked: no YAML file under spec\.paths holds a marker/,
    );
  });

  it('that failed says why, and keeps what was so before', () => {
    const first = after(gitRepo(), synced({ edits: [edit], markers: 1 }, PUSHED));
    const second = after(first, failed, T2);
    const { conditions: _a, ...before } = first.status;
    const { conditions: _b, ...now } = second.status;
    assert.deepEqual(now, before);
    assert.equal(conditionOf(second), 'False Unreachable: no connection');
  });

  it('that did not look again, since the branch had not moved, keeps the condition', () => {
    const first = after(gitRepo(), synced({ markers: 1, leftAlone: [unknown] }));
    const second = after(first, { kind: 'unchanged', head: HEAD, at: HEAD }, T2);
    assert.equal(conditionOf(second), conditionOf(first));
    assert.deepEqual(second.status.leftAlone, [unknown]);
    assert.equal(second.status.lastSyncedImageScanTime, T2.toISOString());
  });

  it('is as the CRD wants it, however much was left alone', () => {
    const fields = {
      file: fc.string(),
      line: fc.integer({ min: 1 }),
      reason: fc.constant('UnknownScan'),
      message: fc.string(),
    };
    const entry = fc.record(fields, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (leftAlone) => {
        const { status } = after(gitRepo(), synced({ markers: leftAlone.length, leftAlone }));
        assert.deepEqual(parseGitRepo(rawGitRepo({ status })).status, status);
        assert.equal(status.leftAlone?.length, Math.min(20, leftAlone.length));
        assert.equal(status.markers?.leftAlone, leftAlone.length);
      }),
    );
  });
});
