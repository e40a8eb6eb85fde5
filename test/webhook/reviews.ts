import { FLEET_GROUP } from '../../core/group.ts';
import type { Pod } from '../../core/pod.ts';
import type { Answer } from '../../webhook/answer.ts';
import { parseReview, type PodRequest } from '../../webhook/review.ts';

export const UID = '3f0c6ad5-6a3c-4b2e-9d36-8f1f5f5a2c11';

/** An AdmissionReview as the API server sends it, with some of the fields that we do not read. */
export function reviewOf(pod: unknown, request: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: UID,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      namespace: 'team',
      operation: 'CREATE',
      userInfo: { username: 'admin', groups: ['system:masters'] },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      ...request,
    },
  };
}

/** A review of a pod, as it is read. */
export function podRequestOf(body: string): PodRequest {
  const request = parseReview(body);
  if (request.kind !== 'Pod') throw new Error(`a review of ${request.kind}`);
  return request;
}

/** An AdmissionReview of an ImageScan of Fleet's with this metadata. */
export function imageScanReviewOf(
  metadata: unknown,
  request: Record<string, unknown> = {},
): Record<string, unknown> {
  const kind = { group: FLEET_GROUP, version: 'v1alpha1', kind: 'ImageScan' };
  const object = {
    apiVersion: `${FLEET_GROUP}/v1alpha1`,
    kind: 'ImageScan',
    metadata,
    spec: { image: 'nginx' },
  };
  return reviewOf(object, {
    kind,
    requestKind: kind,
    resource: { group: FLEET_GROUP, version: 'v1alpha1', resource: 'imagescans' },
    ...request,
  });
}

/** A pod with the container `app`, and annotations by their full keys. */
export function podOf(annotations: Record<string, string> = {}, image = 'nginx:1.0'): Pod {
  return { metadata: { annotations }, spec: { containers: [{ name: 'app', image }] } };
}

/** The annotations that mark containers: `marked({app: 'NAME'})`. */
export function marked(markers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(markers).map(([container, marker]) => [`imagescan.fleetscan.io/${container}`, marker]),
  );
}

/** The operations of an answer, undefined when it has none. */
export function patchOf({ response }: Answer): { op: string; path: string; value: string }[] | undefined {
  return response.patch === undefined
    ? undefined
    : JSON.parse(Buffer.from(response.patch, 'base64').toString());
}
