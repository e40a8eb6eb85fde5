import type { ObjectName } from '../core/group.ts';
import type { KubeClient } from '../kube/client.ts';
import { type ImageScan, SCAN_REQUEST_ANNOTATION } from '../kube/kinds/image-scan.ts';
import { IMAGE_SCAN_KINDS } from '../kube/kinds/served.ts';
import { someAtOnce } from './some-at-once.ts';

/** An ImageScan that is to be scanned. */
export type Target = ObjectName;

/** A scan that was asked for. */
export interface Asked {
  readonly kind: 'asked';
  readonly target: Target;
  /** The value of the annotation. */
  readonly request: string;
  /** The ImageScan as it was then. */
  readonly before: ImageScan;
}

/** What became of the wish for a scan. */
export type Request =
  | Asked
  | { readonly kind: 'suspended'; readonly target: Target }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Asks for a scan of each, and gives in the same order what became of it. */
export async function requestScans(client: KubeClient, targets: readonly Target[]): Promise<Request[]> {
  const request = new Date().toISOString();
  return someAtOnce(targets, (target) => requestScan(client, target, request));
}

async function requestScan(client: KubeClient, target: Target, request: string): Promise<Request> {
  const { group, namespace, name } = target;
  const { resource, parse } = IMAGE_SCAN_KINDS[group];
  const body = { metadata: { annotations: { [SCAN_REQUEST_ANNOTATION]: request } } };
  try {
    const before = parse(await client.patch({ resource, namespace, name }, body, 'merge'));
    return before.spec.suspend ? { kind: 'suspended', target } : { kind: 'asked', target, request, before };
  } catch (error) {
    return { kind: 'failed', error };
  }
}
