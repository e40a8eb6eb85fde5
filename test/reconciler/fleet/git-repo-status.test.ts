import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotationMistake, COMPATIBILITY_ANNOTATION } from '../../../kube/kinds/fleet.ts';
import {
  fleetGitRepoStatus,
  saysTold,
  type Told,
  toldAfter,
  troubleIn,
} from '../../../reconciler/fleet/git-repo-status.ts';
import type { Brought } from '../../../reconciler/definitions/definitions.ts';
import type { StoredGitRepo } from '../../../reconciler/stores.ts';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import { fleetGitRepo, gitRepo } from '../samples.ts';

const HEAD = 'c'.repeat(40);
const T1 = new Date('2026-01-01T00:00:00.500Z');
const T2 = new Date('2026-01-01T00:15:00.500Z');
const [T1_TEXT, T2_TEXT] = ['2026-01-01T00:00:00Z', '2026-01-01T00:15:00Z'];
const times = (time: string) => ({ lastTransitionTime: time, lastUpdateTime: time });

const plan = { changes: [], edits: [], leftAlone: [], markers: 1, current: 1 };
const synced: WriteBackResult = { kind: 'synced', head: HEAD, at: HEAD, plan };
const unchanged: WriteBackResult = { kind: 'unchanged', head: HEAD, at: HEAD };
const failed: WriteBackResult = { kind: 'failed', reason: 'Unreachable', message: 'no connection' };
const MESSAGE = 'Unreachable: no connection';

/** What is told after a run that must tell something. */
function told(result: WriteBackResult, former?: Told, now = T1): Told {
  const found = toldAfter(fleetGitRepo(), { result }, former, now);
  assert.ok(found);
  return found;
}

function after(repo: StoredGitRepo, what: Told, now = T1): StoredGitRepo {
  return fleetGitRepo({ status: { ...repo.status, ...fleetGitRepoStatus(repo, what, now) } });
}

const conditionOf = ({ status }: StoredGitRepo, type: string) =>
  status.conditions?.find((each) => each.type === type);

describe('the status of a GitRepo of Fleet', () => {
  it('has after a success the time and ImageSynced as Fleet writes them, and nothing else', () => {
    assert.deepEqual(fleetGitRepoStatus(fleetGitRepo(), told(synced), T1), {
      lastSyncedImageScanTime: T1_TEXT,
      conditions: [{ type: 'ImageSynced', status: 'True', ...times(T1_TEXT) }],
    });
  });

  it('says what was left alone, though it is a success', () => {
    const left = { file: 'a.yaml', line: 3, reason: 'UnknownScan', message: 'no scan x' };
    const result: WriteBackResult = { ...synced, plan: { ...plan, leftAlone: [left] } };
    const condition = conditionOf(after(fleetGitRepo(), told(result)), 'ImageSynced');
    assert.equal(condition?.reason, 'SyncedInPart');
    assert.match(condition.message ?? '', /left alone: a\.yaml:3: UnknownScan: no scan x$/);
  });

  it('names in the condition each marker that was left alone, up to twenty: Fleet has no list for them', () => {
    const leftAlone = Array.from({ length: 22 }, (_, index) => ({
      file: 'a.yaml',
      line: index + 1,
      reason: 'UnknownScan',
      message: `no scan x${index}`,
    }));
    const few = told({ ...synced, plan: { ...plan, leftAlone: leftAlone.slice(0, 2) } });
    assert.match(
      few.synced.message,
      /left alone: a\.yaml:1: UnknownScan: no scan x0; a\.yaml:2: UnknownScan: no scan x1$/,
    );
    const many = told({ ...synced, plan: { ...plan, leftAlone } });
    assert.match(many.synced.message, /; a\.yaml:20: UnknownScan: no scan x19 \(and 2 more\)$/);
  });

  it('is after a failure as Fleet has it: an Error and Stalled, and the time of the last success stays', () => {
    const first = after(fleetGitRepo(), told(synced));
    const second = fleetGitRepoStatus(first, told(failed, told(synced), T2), T2);
    assert.equal(second.lastSyncedImageScanTime, T1_TEXT);
    assert.deepEqual(second.conditions, [
      { type: 'ImageSynced', status: 'False', reason: 'Error', message: MESSAGE, ...times(T2_TEXT) },
      { type: 'Reconciling', status: 'False', ...times(T2_TEXT) },
      { type: 'Stalled', status: 'True', reason: 'Stalled', message: MESSAGE, ...times(T2_TEXT) },
    ]);
  });

  it('is Stalled no more after the recovery', () => {
    const broken = after(fleetGitRepo(), told(failed));
    const mended = after(broken, told(synced, told(failed), T2), T2);
    assert.deepEqual(conditionOf(mended, 'Stalled'), { type: 'Stalled', status: 'False', ...times(T2_TEXT) });
    assert.equal(conditionOf(mended, 'ImageSynced')?.status, 'True');
  });

  it("leaves the Stalled alone that Fleet's deploying wrote, in failure and in success", () => {
    const stalled = { type: 'Stalled', status: 'True', reason: 'Stalled', message: 'git job failed' };
    const reconciling = { type: 'Reconciling', status: 'True' };
    const repo = fleetGitRepo({ status: { conditions: [stalled, reconciling] } });
    const broken = after(repo, told(failed));
    const mended = after(broken, told(synced, told(failed), T2), T2);
    for (const each of [broken, mended]) {
      assert.deepEqual(conditionOf(each, 'Stalled'), stalled);
      assert.deepEqual(conditionOf(each, 'Reconciling'), reconciling);
    }
    assert.equal(conditionOf(broken, 'ImageSynced')?.message, MESSAGE);
  });

  it('leaves the conditions of others whole, with what we do not know of them', () => {
    const other = { type: 'GitPolling', status: 'True', lastUpdateTime: 'yesterday', severity: 'high' };
    const repo = after(fleetGitRepo({ status: { conditions: [other] } }), told(failed));
    assert.deepEqual(repo.status.conditions?.[0], other);
  });
});

describe('what is told after a run', () => {
  it('that found nothing new is what was told before, with the time of now', () => {
    assert.deepEqual(told(unchanged, told(failed), T2), { ...told(failed), lastSynced: T2_TEXT });
  });

  it('that found nothing new is nothing when nothing was told before', () => {
    assert.equal(toldAfter(fleetGitRepo(), { result: unchanged }, undefined, T1), undefined);
  });
});

describe('what is told of an annotation that is wrong', () => {
  const annotations = { [COMPATIBILITY_ANNOTATION]: 'fleet' };
  const repo = fleetGitRepo({ metadata: { annotations } });
  const conditionAfter = (result: WriteBackResult) =>
    conditionOf(after(repo, toldAfter(repo, { result }, undefined, T1) ?? assert.fail()), 'ImageSynced');
  const mistake =
    'annotation fleetscan.io/compatibility is "fleet" and has to be None or Fleet; until then the default of the installation counts';

  it('is what is wrong and what is allowed, beside the success', () => {
    const { status, reason, message } = conditionAfter(synced) ?? assert.fail();
    assert.deepEqual([status, reason], ['True', 'InvalidAnnotation']);
    assert.equal(message, `${mistake}; 1 marker agrees with the value in force`);
  });

  it('leaves a success in part its reason, and a failure its message', () => {
    const left = { file: 'a.yaml', line: 3, reason: 'UnknownScan', message: 'no scan x' };
    const inPart = conditionAfter({ ...synced, plan: { ...plan, leftAlone: [left] } });
    assert.equal(inPart?.reason, 'SyncedInPart');
    assert.ok(inPart.message?.startsWith(mistake));
    assert.equal(conditionAfter(failed)?.message, MESSAGE);
  });

  it('is nothing on one of ours, where the field counts', () => {
    assert.equal(annotationMistake(gitRepo({ metadata: { annotations } })), undefined);
    for (const value of ['None', 'Fleet']) {
      const right = fleetGitRepo({ metadata: { annotations: { [COMPATIBILITY_ANNOTATION]: value } } });
      assert.equal(annotationMistake(right), undefined);
      assert.equal(right.spec.compatibility, value);
    }
    assert.match(
      annotationMistake(fleetGitRepo({ metadata: { annotations: { [COMPATIBILITY_ANNOTATION]: '' } } })) ??
        '',
      /is "" and/,
    );
    assert.equal(repo.spec.compatibility, undefined);
  });
});

describe('what is told of definitions in Git', () => {
  const done = { created: [], changed: [], removed: [], failures: [] };
  const mistake = { file: 'fleet.yaml', line: 3, message: 'tagName is missing' };
  const at = (brought: Brought | undefined, former?: Told): Told =>
    toldAfter(fleetGitRepo(), { result: synced, ...(brought && { brought }) }, former, T1) ?? assert.fail();
  const wrong = at({ ...done, definitions: 1, mistakes: [mistake] });
  const none = at({ ...done, definitions: 0, mistakes: [] }, wrong);

  it('is a condition with the place of each mistake, which makes nothing Stalled', () => {
    const repo = after(fleetGitRepo(), wrong);
    assert.deepEqual(conditionOf(repo, 'ImageScansAccepted'), {
      type: 'ImageScansAccepted',
      status: 'False',
      reason: 'InvalidDefinition',
      message: 'fleet.yaml:3: tagName is missing',
      ...times(T1_TEXT),
    });
    assert.equal(conditionOf(repo, 'Stalled'), undefined);
    assert.equal(saysTold(repo, wrong), true);
  });

  it('stays where a run did not look, and goes with the last definition', () => {
    const repo = after(fleetGitRepo(), wrong);
    assert.deepEqual(at(undefined, wrong).accepted, wrong.accepted);
    assert.ok(conditionOf(after(repo, at(undefined)), 'ImageScansAccepted'), 'nobody has looked yet');
    assert.equal(saysTold(repo, none), false);
    assert.equal(conditionOf(after(repo, none), 'ImageScansAccepted'), undefined);
  });
});

describe('troubleIn', () => {
  it('is what is wrong by a status that we told, with the time of the last success', () => {
    const wrong: Told = {
      ...told(failed, told(synced), T2),
      accepted: { type: 'ImageScansAccepted', status: 'False', reason: 'InvalidDefinition', message: 'no' },
    };
    assert.deepEqual(troubleIn(after(after(fleetGitRepo(), told(synced)), wrong, T2)), wrong);
    const { accepted } = wrong;
    assert.ok(accepted);
    const inFilesAlone = troubleIn(after(fleetGitRepo(), { ...told(synced), accepted }));
    assert.deepEqual([inFilesAlone?.synced.status, inFilesAlone?.accepted], ['True', accepted]);
  });

  it('is nothing where all is well, or Fleet told it', () => {
    assert.equal(troubleIn(fleetGitRepo()), undefined);
    assert.equal(troubleIn(after(fleetGitRepo(), told(synced))), undefined);
    const byFleet = { type: 'ImageSynced', status: 'False', reason: 'Error', message: 'auth: no' };
    assert.equal(troubleIn(fleetGitRepo({ status: { conditions: [byFleet] } })), undefined);
  });
});

describe('saysTold', () => {
  it('sees that Fleet wrote an older status over it, and no more than that', () => {
    const former = after(fleetGitRepo(), told(failed));
    const now = told(synced, told(failed), T2);
    const right = after(former, now, T2);
    assert.equal(saysTold(right, now), true);
    assert.equal(saysTold(former, now), false, 'another condition');
    assert.equal(saysTold(fleetGitRepo(), now), false, 'none');
    const { lastSyncedImageScanTime: _, ...timeless } = right.status;
    assert.equal(saysTold(fleetGitRepo({ status: timeless }), now), false, 'no time');
    const deploying = { ...right.status, commit: HEAD, observedGeneration: 7 };
    assert.equal(saysTold(fleetGitRepo({ status: deploying }), now), true, "Fleet's own fields");
  });

  it("takes Fleet's own Stalled for Fleet's, and a lost condition on definitions for lost", () => {
    const broken = after(fleetGitRepo(), told(failed));
    const others = broken.status.conditions?.filter(({ type }) => type !== 'Stalled') ?? [];
    const byFleet = { type: 'Stalled', status: 'True', reason: 'Stalled', message: 'git job failed' };
    const status = { ...broken.status, conditions: [...others, byFleet] };
    assert.equal(saysTold(fleetGitRepo({ status }), told(failed)), true);

    const accepted = { type: 'ImageScansAccepted', status: 'True', reason: 'Accepted', message: '' } as const;
    assert.equal(saysTold(broken, { ...told(failed), accepted }), false);
    assert.equal(saysTold(after(broken, { ...told(failed), accepted }), { ...told(failed), accepted }), true);
  });

  it('knows a message again that was cut, as our own kinds would have it', () => {
    const long = told({ ...failed, message: 'x'.repeat(40_000) });
    const repo = after(fleetGitRepo(), long);
    assert.equal(conditionOf(repo, 'ImageSynced')?.message?.length, 32_768);
    assert.equal(saysTold(repo, long), true);
  });
});
