import { type Decision, decide } from '../core/decision.ts';
import { imageOperations, type Operation, recordOperations } from '../core/patch.ts';
import { addedEphemeralContainers, podImages } from '../core/pod.ts';
import { isRequired, isUnresolved } from '../core/required.ts';
import type { ScanIndex } from '../core/scan.ts';
import { type Answer, allow, deny } from './answer.ts';
import type { PodRequest } from './review.ts';

/** What was answered, and the decisions behind it. */
export interface Admission {
  readonly answer: Answer;
  readonly decisions: readonly Decision[];
}

/**
 * Admits a pod: gives each marked container the image that its scan has in force. Never rejects because there is no
 * answer, unless the pod asks for that; what stays as it was written is told in a warning.
 */
export function admit(request: PodRequest, scans: ScanIndex, now: Date): Admission {
  const { pod, namespace } = request;
  const decisions = decide({ pod, namespace, images: changeableImages(request), scans, now });
  const answer =
    isRequired(pod) && decisions.some(isUnresolved)
      ? deny(request.uid, decisions.filter(isUnresolved))
      : allow(request.uid, decisions, operations(request, decisions));
  return { answer, decisions };
}

function changeableImages({ pod, oldPod, subResource }: PodRequest): ReturnType<typeof podImages> {
  return subResource === 'ephemeralcontainers' ? addedEphemeralContainers(pod, oldPod ?? {}) : podImages(pod);
}

// An update of the ephemeralcontainers subresource stores nothing but those, so a record would be lost.
function operations({ pod, subResource }: PodRequest, decisions: readonly Decision[]): Operation[] {
  const images = imageOperations(decisions);
  return subResource === '' ? [...images, ...recordOperations(pod, decisions)] : images;
}
