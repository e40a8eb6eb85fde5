import { timeText } from '../time.ts';
import type { Condition } from './common.ts';

/** A condition as a controller states it; the time of the change is found out by {@link setCondition}. */
export interface ConditionState {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

/** What the API server takes of a condition's message. */
const MAX_MESSAGE = 32_768;

/**
 * The list with one condition set, others untouched and the order kept. `lastTransitionTime` moves only when the status does
 * (API conventions, "Typical status properties").
 */
export function setCondition(
  list: readonly Condition[] | undefined,
  next: ConditionState,
  now: Date,
): Condition[] {
  const before = list ?? [];
  const previous = before.find(({ type }) => type === next.type);
  const same = previous?.status === next.status ? previous.lastTransitionTime : undefined;
  const { type, status, reason, observedGeneration } = next;
  const message = next.message.slice(0, MAX_MESSAGE);
  const condition = {
    type,
    status,
    reason,
    message,
    observedGeneration,
    lastTransitionTime: same ?? timeText(now),
  };
  if (previous === undefined) return [...before, condition];
  return before.map((it) => (it === previous ? condition : it));
}
