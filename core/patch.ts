import type { Decision } from './decision.ts';
import type { Pod } from './pod.ts';
import { RESOLVED_ANNOTATION, type Resolutions } from './resolution.ts';

/** An operation of JSON Patch (RFC 6902). Never `test`: one that fails rejects the pod, even under `failurePolicy: Ignore`. */
export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** The operations that give the resolved images to their containers. Every path is one that the pod has. */
export function imageOperations(decisions: readonly Decision[]): Operation[] {
  return decisions
    .filter((decision) => decision.kind === 'resolved')
    .filter(({ image, to }) => image.image !== to)
    .map(({ image, to }) => ({ op: image.image === '' ? 'add' : 'replace', path: image.path, value: to }));
}

/**
 * The operation that makes the pod's record of resolutions say what was decided and nothing else, or none when it does.
 *
 * @param pod the pod that the decisions are of: where one was resolved, it has annotations
 */
export function recordOperations(pod: Pod, decisions: readonly Decision[]): Operation[] {
  const record: Resolutions = Object.fromEntries(
    decisions
      .filter((decision) => decision.kind === 'resolved')
      .map(({ image, resolution }) => [image.name, resolution]),
  );
  const before = pod.metadata?.annotations?.[RESOLVED_ANNOTATION];
  const after = Object.keys(record).length === 0 ? undefined : JSON.stringify(record);
  if (before === after) return [];
  return after === undefined
    ? [{ op: 'remove', path: RECORD_PATH }]
    : [{ op: 'add', path: RECORD_PATH, value: after }];
}

const RECORD_PATH = `/metadata/annotations/${RESOLVED_ANNOTATION.replaceAll('/', '~1')}`;
