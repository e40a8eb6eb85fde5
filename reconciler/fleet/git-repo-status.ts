import { FLEET_GROUP } from '../../core/group.ts';
import type { GitRepo } from '../../kube/kinds/git-repo.ts';
import type { Condition } from '../../kube/kinds/common.ts';
import { annotationMistake } from '../../kube/kinds/fleet.ts';
import { failureText } from '../../kube/kinds/fleet-failure.ts';
import { timeText } from '../../kube/time.ts';
import { ACCEPTED, type AcceptedState, acceptedState } from '../definitions/condition.ts';
import type { Brought } from '../definitions/definitions.ts';
import type { Outcome } from '../write-back/result.ts';
import { type SyncedState, syncedState } from '../write-back/status.ts';
import {
  failureStates,
  type FleetCondition,
  type FleetState,
  ownFailureIn,
  saysSame,
  setFleetConditions,
} from './conditions.ts';

/** What a GitRepo of Fleet's is to say of its write-back. */
export interface Told {
  readonly synced: SyncedState;
  /** What is to be said of the definitions in Git; `None`: nothing, for there are none. Unset while nobody has looked. */
  readonly accepted?: AcceptedState | 'None';
  /** When Git was last found or made to agree, to the second as Fleet has it; unset before a first time. */
  readonly lastSynced?: string;
}

/** The fields of a GitRepo's status that Fleet's image scan writes, as a JSON merge patch. All others are of Fleet's deploying. */
export interface FleetGitRepoStatus {
  readonly lastSyncedImageScanTime?: string;
  readonly conditions: readonly FleetCondition[];
}

const TYPE = 'ImageSynced';
const NOTHING_WRONG: SyncedState = { type: TYPE, status: 'True', reason: 'Synced', message: '' };

/** What is to be told a GitRepo after a run. @returns undefined where it looked at nothing anew and nothing was told before */
export function toldAfter(
  gitRepo: Pick<GitRepo, 'group' | 'metadata'>,
  { result, brought }: Outcome,
  former: Told | undefined,
  now: Date,
): Told | undefined {
  const state = syncedState(result, FLEET_GROUP);
  const synced = state ? withMistake(state, annotationMistake(gitRepo)) : former?.synced;
  if (synced === undefined) return undefined;
  const lastSynced = result.kind === 'failed' ? former?.lastSynced : timeText(now);
  const accepted = acceptedAfter(brought, former);
  return { synced, ...(accepted && { accepted }), ...(lastSynced !== undefined && { lastSynced }) };
}

/** A success with what is wrong in an annotation all the same; of a failure there is more urgent to say. */
function withMistake(synced: SyncedState, mistake: string | undefined): SyncedState {
  if (mistake === undefined || synced.status !== 'True') return synced;
  const reason = synced.reason === 'Synced' ? 'InvalidAnnotation' : synced.reason;
  return { ...synced, reason, message: `${mistake}; ${synced.message}` };
}

/**
 * What is wrong by a status that we told, where nobody remembers what was told: after a restart, or by another leader. What Fleet told is
 * none of it.
 */
export function troubleIn({ status }: Pick<GitRepo, 'status'>): Told | undefined {
  const { conditions = [], lastSyncedImageScanTime: lastSynced } = status;
  const conditionOf = (type: string): Condition | undefined => conditions.find((each) => each.type === type);
  const failure = ownFailureIn(conditionOf(TYPE));
  const accepted = conditionOf(ACCEPTED);
  if (failure === undefined && accepted === undefined) return undefined;
  return {
    synced: failure ? { type: TYPE, status: 'False', ...failure } : NOTHING_WRONG,
    ...(accepted && { accepted: stateOf(accepted) }),
    ...(lastSynced !== undefined && { lastSynced }),
  };
}

function stateOf({ type, status, reason = '', message = '' }: Condition): AcceptedState {
  return { type, status, reason, message };
}

/** What is to be said of definitions after a run: what was found, or what was told before where it did not look. */
export function acceptedAfter(brought: Brought | undefined, former: Told | undefined): Told['accepted'] {
  return brought === undefined ? former?.accepted : (acceptedState(brought) ?? 'None');
}

/**
 * The status of a GitRepo of Fleet's that tells this. A failure makes it `Stalled` unless Fleet itself has it so for a reason of its own;
 * a success ends that where the reason was our failure.
 */
export function fleetGitRepoStatus({ status }: GitRepo, told: Told, now: Date): FleetGitRepoStatus {
  const { lastSynced, accepted } = told;
  const kept = status.conditions?.filter(({ type }) => type !== ACCEPTED || accepted !== 'None');
  return {
    ...(lastSynced !== undefined && { lastSyncedImageScanTime: lastSynced }),
    conditions: setFleetConditions(kept, statesOf(kept ?? [], told), now),
  };
}

/** Does a status say what was told? That of Fleet's own deploying it may say besides. */
export function saysTold(
  { status }: Pick<GitRepo, 'status'>,
  { synced, accepted, lastSynced }: Told,
): boolean {
  const { conditions = [], lastSyncedImageScanTime = '' } = status;
  const states = [...ownStates(synced).slice(0, 1), ...acceptedStates(accepted)];
  const isTimeKept =
    lastSynced === undefined || Date.parse(lastSyncedImageScanTime) >= Date.parse(lastSynced);
  const isSaid = (state: FleetState): boolean =>
    conditions.some((each) => each.type === state.type && saysSame(each, state));
  const isToGo = accepted === 'None' && conditions.some(({ type }) => type === ACCEPTED);
  return isTimeKept && !isToGo && states.every(isSaid);
}

function statesOf(conditions: readonly Condition[], { synced, accepted }: Told): FleetState[] {
  return [...syncedStates(conditions, synced), ...acceptedStates(accepted)];
}

function syncedStates(conditions: readonly Condition[], synced: SyncedState): FleetState[] {
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

/** As it is on a GitRepo of ours: Fleet has no such condition. */
function acceptedStates(accepted: Told['accepted']): FleetState[] {
  if (accepted === undefined || accepted === 'None') return [];
  const { type, status, reason, message } = accepted;
  return [{ type, status, reason, message }];
}

function failureIn(conditions: readonly Condition[]): string | undefined {
  return conditions.find(({ type, status }) => type === TYPE && status === 'False')?.message;
}
