import type { KubeClient } from '../kube/client.ts';
import { type ImageScan, parseImageScan, SCAN_REQUEST_ANNOTATION } from '../kube/kinds/image-scan.ts';
import { IMAGE_SCANS } from '../kube/resource.ts';

/** An ImageScan that is to be scanned. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
}

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
  | { readonly kind: 'failed'; readonly target: Target; readonly error: unknown };

/** Requests under way at one time: enough to hide the way to the server, and no burden for it. */
const AT_ONCE = 32;

/** Asks for a scan of each, and gives in the same order what became of it. */
export async function requestScans(client: KubeClient, targets: readonly Target[]): Promise<Request[]> {
  const request = new Date().toISOString();
  const results: Request[] = [];
  while (results.length < targets.length) {
    const batch = targets.slice(results.length, results.length + AT_ONCE);
    results.push(...(await Promise.all(batch.map((target) => requestScan(client, target, request)))));
  }
  return results;
}

async function requestScan(client: KubeClient, target: Target, request: string): Promise<Request> {
  const body = { metadata: { annotations: { [SCAN_REQUEST_ANNOTATION]: request } } };
  try {
    const before = parseImageScan(await client.patch({ resource: IMAGE_SCANS, ...target }, body, 'merge'));
    return before.spec.suspend ? { kind: 'suspended', target } : { kind: 'asked', target, request, before };
  } catch (error) {
    return { kind: 'failed', target, error };
  }
}
