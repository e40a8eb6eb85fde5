import type { Condition } from '../kube/kinds/common.ts';
import { failureIn } from '../kube/kinds/fleet-failure.ts';

/** What has conditions. */
export interface Conditioned {
  readonly status: { readonly conditions?: readonly Condition[] | undefined };
}

/** Why a condition is False, as `Reason: message`; undefined when it is not. */
export function troubleOf(object: Conditioned, type: string): string | undefined {
  const found = conditionOf(object, type);
  if (found?.status !== 'False') return undefined;
  return [found.reason, found.message].filter((part) => part).join(': ') || 'False';
}

/** The message of a condition. */
export function message(object: Conditioned, type: string): string | undefined {
  return conditionOf(object, type)?.message;
}

/** `True`, or the reason why not. */
export function verdict(object: Conditioned, type: string): string {
  const found = conditionOf(object, type);
  if (found === undefined) return 'Unknown';
  return found.status === 'True' ? 'True' : found.reason || found.status;
}

function conditionOf({ status }: Conditioned, type: string): Condition | undefined {
  const found = status.conditions?.find((candidate) => candidate.type === type);
  return found && withOwnReason(found);
}

/** Where Fleet has the reason `Error` for every failure, we put our reason before the message. */
function withOwnReason(condition: Condition): Condition {
  if (condition.reason !== 'Error') return condition;
  return { ...condition, ...failureIn(condition.message) };
}
