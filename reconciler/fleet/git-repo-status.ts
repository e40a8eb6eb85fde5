import type { GitRepo } from '../../kube/kinds/git-repo.ts';
import type { Condition } from '../../kube/kinds/common.ts';
import { timeText } from '../../kube/time.ts';
import type { WriteBackResult } from '../write-back/result.ts';
import { type SyncedState, syncedState } from '../write-back/status.ts';
import {
  failureStates,
  failureText,
  type FleetCondition,
  type FleetState,
  saysSame,
  setFleetConditions,
} from './conditions.ts';

/** What a GitRepo of Fleet's is to say of its write-back. */
export interface Told {
  readonly synced: SyncedState;
  /** When Git was last found or made to agree, to the second as Fleet has it; unset before a first time. */
  readonly lastSynced?: string;
}

/** The fields of a GitRepo's status that Fleet's image scan writes, as a JSON merge patch. All others are of Fleet's deploying. */
export interface FleetGitRepoStatus {
  readonly lastSyncedImageScanTime?: string;
  readonly conditions: readonly FleetCondition[];
}

const TYPE = 'ImageSynced';

/** What is to be told after a run. @returns undefined where it looked at nothing anew and nothing was told before */
export function toldAfter(result: WriteBackResult, former: Told | undefined, now: Date): Told | undefined {
  const synced = syncedState(result) ?? former?.synced;
  if (synced === undefined) return undefined;
  const lastSynced = result.kind === 'failed' ? former?.lastSynced : timeText(now);
  return { synced, ...(lastSynced !== undefined && { lastSynced }) };
}

/**
 * The status of a GitRepo of Fleet's that tells this. A failure makes it `Stalled` unless Fleet itself has it so for a reason of its own;
 * a success ends that where the reason was our failure.
 */
export function fleetGitRepoStatus({ status }: GitRepo, told: Told, now: Date): FleetGitRepoStatus {
  const { lastSynced } = told;
  return {
    ...(lastSynced !== undefined && { lastSyncedImageScanTime: lastSynced }),
    conditions: setFleetConditions(status.conditions, statesOf(status.conditions ?? [], told), now),
  };
}

/** Does a status say what was told? That of Fleet's own deploying it may say besides. */
export function saysTold({ status }: Pick<GitRepo, 'status'>, { synced, lastSynced }: Told): boolean {
  const condition = status.conditions?.find(({ type }) => type === TYPE);
  const [state] = ownStates(synced);
  const isTimeKept =
    lastSynced === undefined || Date.parse(status.lastSyncedImageScanTime ?? '') >= Date.parse(lastSynced);
  return condition !== undefined && state !== undefined && saysSame(condition, state) && isTimeKept;
}

function statesOf(conditions: readonly Condition[], { synced }: Told): FleetState[] {
  const states = ownStates(synced);
  const stalled = conditions.find(({ type }) => type === 'Stalled');
  const isStalled = stalled?.status === 'True';
  const isByUs = isStalled && stalled.message === failureIn(conditions);
  if (synced.status === 'True') {
    return isByUs ? [...states, { type: 'Stalled', status: 'False' }] : states;
  }
  return isStalled && !isByUs ? states.slice(0, 1) : states;
}

/** The states that a write-back has beside it, its own first. Fleet says nothing of a success; we do where a person has to know more. */
function ownStates(synced: SyncedState): FleetState[] {
  if (synced.status !== 'True') return failureStates(TYPE, failureText(synced));
  const { reason, message } = synced;
  return [{ type: TYPE, status: 'True', ...(reason !== 'Synced' && { reason, message }) }];
}

function failureIn(conditions: readonly Condition[]): string | undefined {
  return conditions.find(({ type, status }) => type === TYPE && status === 'False')?.message;
}
