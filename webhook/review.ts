import { CodedError } from '../core/errors.ts';
import type { Labelled } from '../core/fleet-shard.ts';
import { FLEET_GROUP } from '../core/group.ts';
import type { Pod } from '../core/pod.ts';

/** The part of an `AdmissionRequest` (admission.k8s.io/v1) that we read. */
export type ReviewRequest = PodRequest | ImageScanRequest;

export interface PodRequest {
  readonly kind: 'Pod';
  readonly uid: string;
  readonly namespace: string;
  /** Empty: the pod is created; else ephemeral containers are added to one that runs. */
  readonly subResource: '' | 'ephemeralcontainers';
  readonly pod: Pod;
  /** The pod before an update. */
  readonly oldPod?: Pod;
}

/** One of Fleet's is created or updated. */
export interface ImageScanRequest {
  readonly kind: 'ImageScan';
  readonly uid: string;
  readonly metadata: Labelled;
}

/** Thrown by {@link parseReview}: the body is no review, or not one that our configuration asks for. */
export class ReviewError extends CodedError<'InvalidReview'> {}

/**
 * Reads an AdmissionReview. Written by hand, not by a schema library: this is the hot path, it reads ten fields of
 * an object that the API server has already validated, and it must not stumble over the fields that it does not know.
 *
 * @throws {ReviewError} naming the first field that is amiss
 */
export function parseReview(body: string): ReviewRequest {
  const review = record(parseJson(body), 'the body');
  const request = record(review['request'], 'request');
  const { kind, version, group } = record(request['kind'], 'request.kind');
  if (kind === 'Pod' && version === 'v1') return podRequest(request);
  if (kind === 'ImageScan' && group === FLEET_GROUP) return imageScanRequest(request);
  throw new ReviewError(
    'InvalidReview',
    `request.kind is neither v1 Pod nor ImageScan of ${FLEET_GROUP}: the webhook configuration asks for those only`,
  );
}

function podRequest(request: Record<string, unknown>): PodRequest {
  const oldObject = request['oldObject'];
  return {
    kind: 'Pod',
    uid: text(request['uid'], 'request.uid'),
    namespace: text(request['namespace'], 'request.namespace'),
    subResource: subResourceOf(request),
    pod: podOf(request['object'], 'request.object'),
    ...(oldObject !== undefined && oldObject !== null && { oldPod: podOf(oldObject, 'request.oldObject') }),
  };
}

function imageScanRequest(request: Record<string, unknown>): ImageScanRequest {
  const { operation, subResource } = operationOf(request);
  if ((operation !== 'CREATE' && operation !== 'UPDATE') || subResource !== '')
    throw notAskedFor(request, 'imagescans', 'CREATE and UPDATE of imagescans');
  const path = 'request.object.metadata';
  const metadata = record(record(request['object'], 'request.object')['metadata'], path);
  return {
    kind: 'ImageScan',
    uid: text(request['uid'], 'request.uid'),
    metadata: {
      labels: optionalTexts(metadata['labels'], `${path}.labels`),
      annotations: optionalTexts(metadata['annotations'], `${path}.annotations`),
    },
  };
}

/** Any other update is refused: it would change the image of a pod that runs, which restarts its container. */
function subResourceOf(request: Record<string, unknown>): PodRequest['subResource'] {
  const { operation, subResource } = operationOf(request);
  if (operation === 'CREATE' && subResource === '') return subResource;
  if (operation === 'UPDATE' && subResource === 'ephemeralcontainers') return subResource;
  throw notAskedFor(request, 'pods', 'CREATE of pods and UPDATE of pods/ephemeralcontainers');
}

function operationOf(request: Record<string, unknown>): { operation: string; subResource: string } {
  const { subResource } = request;
  return {
    operation: text(request['operation'], 'request.operation'),
    subResource: subResource === undefined ? '' : text(subResource, 'request.subResource'),
  };
}

function notAskedFor(request: Record<string, unknown>, resource: string, asked: string): ReviewError {
  const { operation, subResource } = operationOf(request);
  return new ReviewError(
    'InvalidReview',
    `request is ${operation} of ${resource}${subResource && `/${subResource}`}: the webhook configuration asks for ${asked} only`,
  );
}

function podOf(value: unknown, path: string): Pod {
  const pod = record(value, path);
  optionalTexts(
    optionalRecord(pod['metadata'], `${path}.metadata`)?.['annotations'],
    `${path}.metadata.annotations`,
  );
  const spec = optionalRecord(pod['spec'], `${path}.spec`);
  for (const field of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const [at, container] of named(spec?.[field], `${path}.spec.${field}`))
      optionalText(container['image'], `${at}.image`);
  }
  for (const [at, volume] of named(spec?.['volumes'], `${path}.spec.volumes`))
    optionalText(optionalRecord(volume['image'], `${at}.image`)?.['reference'], `${at}.image.reference`);
  return pod;
}

/** The objects of a list, which all have a name, and where they stand. */
function named(list: unknown, path: string): [path: string, item: Record<string, unknown>][] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new ReviewError('InvalidReview', `${path} is not a list`);
  return list.map((item: unknown, index) => {
    const at = `${path}[${index}]`;
    const object = record(item, at);
    text(object['name'], `${at}.name`);
    return [at, object];
  });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new ReviewError('InvalidReview', 'the body is not JSON', { cause: error });
  }
}

function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ReviewError('InvalidReview', `${path} is not an object`);
  }
  return value as Record<string, unknown>;
}

function optionalRecord(value: unknown, path: string): Record<string, unknown> | undefined {
  return value === undefined || value === null ? undefined : record(value, path);
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new ReviewError('InvalidReview', `${path} is not a string`);
  return value;
}

function optionalText(value: unknown, path: string): void {
  if (value !== undefined && value !== null) text(value, path);
}

/** An object whose values are all texts, as labels and annotations are. */
function optionalTexts(value: unknown, path: string): Record<string, string> | undefined {
  const object = optionalRecord(value, path);
  if (object === undefined) return undefined;
  for (const [key, entry] of Object.entries(object)) text(entry, `${path}["${key}"]`);
  return object as Record<string, string>;
}
