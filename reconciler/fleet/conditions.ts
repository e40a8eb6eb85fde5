import type { Condition } from '../../kube/kinds/common.ts';
import { type Failure, failureIn } from '../../kube/kinds/fleet-failure.ts';
import { timeText } from '../../kube/time.ts';

/** wrangler's GenericCondition, which Fleet's objects have: it knows no generation, but the time of its last change. */
export interface FleetCondition extends Condition {
  readonly lastUpdateTime?: string;
}

/** A condition as it is to be; wrangler leaves reason and message away where there is nothing to say. */
export interface FleetState {
  readonly type: string;
  readonly status: Condition['status'];
  readonly reason?: string;
  readonly message?: string;
}

/** The schema has no limit; that of our own kinds will do. */
const MAX_MESSAGE = 32_768;

/**
 * The list with some conditions set, others left whole and the order kept, as wrangler does it: `lastTransitionTime` moves with the
 * status, `lastUpdateTime` with anything.
 */
export function setFleetConditions(
  list: readonly Condition[] | undefined,
  states: readonly FleetState[],
  now: Date,
): FleetCondition[] {
  return states.reduce<FleetCondition[]>((all, state) => setOne(all, state, now), [...(list ?? [])]);
}

function setOne(list: readonly FleetCondition[], state: FleetState, now: Date): FleetCondition[] {
  const previous = list.find(({ type }) => type === state.type);
  if (previous && saysSame(previous, state)) return [...list];
  const time = timeText(now);
  const isSameStatus = previous?.status === state.status;
  const condition = {
    ...bounded(state),
    lastTransitionTime: (isSameStatus ? previous.lastTransitionTime : undefined) ?? time,
    lastUpdateTime: time,
  };
  if (previous === undefined) return [...list, condition];
  return list.map((each) => (each === previous ? condition : each));
}

/** Says a stored condition what a state says? What is empty may be absent. */
export function saysSame(
  stored: Pick<Condition, 'status' | 'reason' | 'message'>,
  state: FleetState,
): boolean {
  const { reason, message } = bounded(state);
  return (
    stored.status === state.status &&
    (stored.reason ?? '') === (reason ?? '') &&
    (stored.message ?? '') === (message ?? '')
  );
}

/** What Fleet's image scan sets beside its own condition when it fails, so that tools see the object as stalled. */
export function failureStates(type: string, message: string): FleetState[] {
  return [
    { type, status: 'False', reason: 'Error', message },
    { type: 'Reconciling', status: 'False' },
    { type: 'Stalled', status: 'True', reason: 'Stalled', message },
  ];
}

/** The failure of ours that a condition tells of; undefined for one that is no failure, or one that Fleet told. */
export function ownFailureIn(condition: Condition | undefined): Failure | undefined {
  return condition?.status === 'False' ? failureIn(condition.message) : undefined;
}

/** The reason of a failure; Fleet's own reason where the message is none of ours; undefined for a condition that is no failure. */
export function failureReasonIn(condition: Condition | undefined): string | undefined {
  if (condition?.status !== 'False') return undefined;
  return ownFailureIn(condition)?.reason ?? condition.reason ?? '';
}

function bounded({ message, ...state }: FleetState): FleetState {
  return { ...state, ...(message !== undefined && { message: message.slice(0, MAX_MESSAGE) }) };
}
