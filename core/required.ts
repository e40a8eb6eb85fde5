import type { Decision } from './decision.ts';
import { oneLine } from './one-line.ts';
import type { Pod } from './pod.ts';

/** Set to `"true"` on a pod, it is rejected, not admitted with the manifest's image, when a marker cannot be resolved. */
export const REQUIRED_ANNOTATION = 'fleetscan.io/required';

/** The decision that leaves an image as it was written. */
export type Kept = Extract<Decision, { kind: 'kept' }>;

/** Whether a pod asks to be rejected when a marker of it cannot be resolved. */
export function isRequired(pod: Pod): boolean {
  return pod.metadata?.annotations?.[REQUIRED_ANNOTATION] === 'true';
}

/** A marker for a container that the pod does not have leaves no image unresolved: a sidecar may yet be injected. */
export function isUnresolved(decision: Decision): decision is Kept {
  return decision.kind === 'kept' && decision.reason !== 'UnknownContainer';
}

/** Why an image stays as it was written, on one line. */
export function whyKept({ name, reason, message }: Kept): string {
  return `${name}: ${reason}: ${message}`;
}

/** Why a pod that asks for it is rejected. */
export function whyDenied(unresolved: readonly Kept[], length: number): string {
  return oneLine(`${REQUIRED_ANNOTATION} is "true" and ${unresolved.map(whyKept).join('; ')}`, length);
}

/** What its author is told of an image that stays as it was written, on one line. */
export function keptWarning(decision: Kept, length: number): string {
  const stays = decision.image === undefined ? '' : ` (stays ${decision.image.image})`;
  return oneLine(`fleetscan: ${whyKept(decision)}${stays}`, length);
}
