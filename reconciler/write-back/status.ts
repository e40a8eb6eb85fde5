import { FLEET_GROUP, type Group } from '../../core/group.ts';
import { oneLine } from '../../core/one-line.ts';
import { type ConditionState, setCondition } from '../../kube/kinds/conditions.ts';
import type { GitRepo, GitRepoStatus } from '../../kube/kinds/git-repo.ts';
import type { EditPlan, LeftAlone } from '../../write-back/plan.ts';
import { withAccepted } from '../definitions/condition.ts';
import type { Brought } from '../definitions/definitions.ts';
import type { Proposed, ProposalStatus, Synced, WriteBackResult } from './result.ts';

/** How many of the markers left alone the status names; of a GitRepo of Fleet's, its condition. */
const NAMED = 20;
/** UTF-16 units of a file's path in the status; Git has no limit. */
const MAX_PATH = 1024;
const NOTHING_MARKED =
  'no YAML file under spec.paths holds a marker; write # {"$imagescan": "NAME"} behind an image';

/** A status as a JSON merge patch (RFC 7396): null takes a field away. */
export type StatusPatch = { readonly [K in keyof GitRepoStatus]: Patch<GitRepoStatus[K]> | null };
type Patch<T> = T extends unknown[] ? T : T extends object ? { readonly [K in keyof T]: T[K] | null } : T;

/** The status of a GitRepo after a write-back, and after its definitions were looked at if they were, as a patch. */
export function statusAfter(
  { group, metadata, spec, status }: GitRepo,
  result: WriteBackResult,
  now: Date,
  brought?: Brought,
): StatusPatch {
  const time = now.toISOString();
  const observedGeneration = metadata.generation;
  const condition = syncedState(result, group);
  // Where nothing was looked at again, the condition of the last look still says it best.
  const synced = condition
    ? setCondition(status.conditions, { ...condition, observedGeneration }, now)
    : status.conditions;
  const conditions = withAccepted(synced, brought, observedGeneration, now);
  return {
    ...status,
    ...(result.kind !== 'failed' && { commit: result.head, lastSyncedImageScanTime: time }),
    ...('plan' in result && outcomeStatus(result, time)),
    // Of a request that nobody asks for any more nothing is known from now on.
    ...('plan' in result && !spec.pullRequest && { pullRequest: null }),
    observedGeneration,
    ...(conditions && { conditions: [...conditions] }),
  };
}

function outcomeStatus(result: Synced | Proposed, time: string): StatusPatch {
  const { plan, pushed, request } = result;
  const { markers, leftAlone } = plan;
  return {
    markers: { total: markers, current: agreeing(result), leftAlone: leftAlone.length },
    leftAlone: leftAlone.slice(0, NAMED).map((left) => ({ ...left, file: oneLine(left.file, MAX_PATH) })),
    ...(pushed !== undefined && { lastPushCommit: pushed, lastPushTime: time }),
    ...(request && { pullRequest: request }),
    proposal: result.kind === 'proposed' ? proposalPatch(result.proposal) : null,
  };
}

function proposalPatch({ commit, head, ...proposal }: ProposalStatus): StatusPatch['proposal'] {
  return { ...proposal, commit: commit ?? null, head: head ?? null };
}

/** How many markers of the branch that is read agree with the values in force. */
function agreeing({ kind, plan }: Synced | Proposed): number {
  return kind === 'synced' ? plan.current + plan.edits.length : plan.current;
}

/** The condition `ImageSynced`, but for the generation that it is of. */
export type SyncedState = Omit<ConditionState, 'observedGeneration'>;

/**
 * What a result means for `ImageSynced`; undefined where nothing was looked at again, so that the last look still says it best. Fleet's
 * schema has no list of what was left alone, so on a GitRepo of Fleet's the condition has it.
 */
export function syncedState(result: WriteBackResult, group: Group): SyncedState | undefined {
  const type = 'ImageSynced';
  switch (result.kind) {
    case 'failed':
      return { type, status: 'False', reason: result.reason, message: result.message };
    case 'unchanged':
      return undefined;
    case 'proposed':
      return { type, ...proposedText(result, group) };
    case 'synced':
      return { type, status: 'True', ...syncedText(result, group) };
  }
}

function proposedText({ plan, proposal, request }: Proposed, group: Group): Omit<SyncedState, 'type'> {
  const waiting = `${counted(plan.edits.length)} to be changed`;
  const rest = leftAloneText(plan, group);
  if (request === undefined) {
    const message = `${waiting} in the branch that is read; they say so on branch ${proposal.branch}${rest}`;
    return { status: 'False', reason: 'PushedToBranch', message };
  }
  if (request.state === 'Open') {
    const message = `${waiting} by pull request #${request.number}, which waits to be merged: ${request.url}${rest}`;
    return { status: 'False', reason: 'PullRequestOpen', message };
  }
  const message = `${waiting}, but pull request #${request.number} was closed without merging; reopen it, or wait for other values: ${request.url}${rest}`;
  return { status: 'False', reason: 'PullRequestClosed', message };
}

function syncedText(result: Synced, group: Group): { reason: string; message: string } {
  const { markers, leftAlone } = result.plan;
  if (markers + leftAlone.length === 0) return { reason: 'NothingMarked', message: NOTHING_MARKED };
  const count = agreeing(result);
  const values = count === 1 ? 'agrees with the value in force' : 'agree with the values in force';
  const message = `${counted(count)} ${values}${leftAloneText(result.plan, group)}`;
  return { reason: leftAlone.length > 0 ? 'SyncedInPart' : 'Synced', message };
}

function counted(markers: number): string {
  return markers === 1 ? '1 marker' : `${markers} markers`;
}

function leftAloneText({ leftAlone }: EditPlan, group: Group): string {
  if (leftAlone.length === 0) return '';
  const isListed = group !== FLEET_GROUP;
  const named = leftAlone.slice(0, isListed ? 1 : NAMED).map(placed);
  const others = leftAlone.length - named.length;
  const more = others === 0 ? '' : ` (and ${others} more${isListed ? ' in status.leftAlone' : ''})`;
  return `; left alone: ${named.join('; ')}${more}`;
}

function placed({ file, line, reason, message }: LeftAlone): string {
  const path = oneLine(file, MAX_PATH);
  return `${line === undefined ? path : `${path}:${line}`}: ${reason}: ${message}`;
}
