import { type ConditionState, setCondition } from '../../kube/kinds/conditions.ts';
import type { GitRepo, GitRepoStatus } from '../../kube/kinds/git-repo.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import type { WriteBackResult } from './write-back.ts';

/** How many of the markers left alone the status names. */
const NAMED = 20;
const NOTHING_MARKED =
  'no YAML file under spec.paths holds a marker; write # {"$imagescan": "NAME"} behind an image';

/** The status of a GitRepo after a write-back. */
export function statusAfter(
  { metadata, status }: GitRepo,
  result: WriteBackResult,
  now: Date,
): GitRepoStatus {
  const time = now.toISOString();
  const observedGeneration = metadata.generation;
  const condition = syncedCondition(result);
  return {
    ...status,
    ...(result.kind !== 'failed' && { commit: result.head, lastSyncedImageScanTime: time }),
    ...(result.kind === 'synced' && planStatus(result.plan)),
    ...(result.kind === 'synced' &&
      result.pushed !== undefined && { lastPushCommit: result.pushed, lastPushTime: time }),
    observedGeneration,
    // Nothing was looked at again, so the condition of the last look still says it best.
    ...(condition && {
      conditions: setCondition(status.conditions, { ...condition, observedGeneration }, now),
    }),
  };
}

function planStatus({ markers, current, edits, leftAlone }: EditPlan): Partial<GitRepoStatus> {
  return {
    markers: { total: markers, current: current + edits.length, leftAlone: leftAlone.length },
    leftAlone: leftAlone.slice(0, NAMED),
  };
}

function syncedCondition(result: WriteBackResult): Omit<ConditionState, 'observedGeneration'> | undefined {
  const type = 'ImageSynced';
  switch (result.kind) {
    case 'failed':
      return { type, status: 'False', reason: result.reason, message: result.message };
    case 'unchanged':
      return undefined;
    case 'synced': {
      return { type, status: 'True', ...syncedText(result.plan) };
    }
  }
}

function syncedText(plan: EditPlan): { reason: string; message: string } {
  const { markers, leftAlone, current, edits } = plan;
  if (markers + leftAlone.length === 0) return { reason: 'NothingMarked', message: NOTHING_MARKED };
  const message = `${agreed(current + edits.length)}${leftAloneText(plan)}`;
  return { reason: leftAlone.length > 0 ? 'SyncedInPart' : 'Synced', message };
}

function agreed(count: number): string {
  return count === 1
    ? '1 marker agrees with the value in force'
    : `${count} markers agree with the values in force`;
}

function leftAloneText({ leftAlone }: EditPlan): string {
  const [first] = leftAlone;
  if (first === undefined) return '';
  const place = first.line === undefined ? first.file : `${first.file}:${first.line}`;
  const more = leftAlone.length === 1 ? '' : ` (and ${leftAlone.length - 1} more in status.leftAlone)`;
  return `; left alone: ${place}: ${first.reason}: ${first.message}${more}`;
}
