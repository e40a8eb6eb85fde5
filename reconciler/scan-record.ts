import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import { HANDLED_REQUEST_ANNOTATION } from '../kube/kinds/fleet.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { IMAGE_SCAN_KINDS } from '../kube/kinds/served.ts';
import type { ObjectPath } from '../kube/resource.ts';
import type { ScanResult } from '../scan/scan.ts';
import { fleetScanFailure, fleetScanStatusAfter } from './fleet/scan-status.ts';
import { type Occasion, scanFailure, statusAfter } from './scan-status.ts';
import { type Written, writeStatus } from './status-writer.ts';
import { parseStoredScan, type StoredScan } from './stores.ts';

/** How the ImageScans of a group tell of scans. */
interface Form {
  readonly statusAfter: (scan: ImageScan, result: ScanResult, occasion: Occasion) => object;
  readonly failure: (scan: Pick<ImageScan, 'status'>) => string | undefined;
}

const FORMS: Readonly<Record<Group, Form>> = {
  [OWN_GROUP]: { statusAfter, failure: scanFailure },
  [FLEET_GROUP]: { statusAfter: fleetScanStatusAfter, failure: fleetScanFailure },
};

/** Why the last scan failed, as the status tells it; undefined when it did not. */
export function scanFailureOf(scan: StoredScan): string | undefined {
  return FORMS[scan.group].failure(scan);
}

/**
 * Writes what came of a scan to its ImageScan, and that its request was served: to the status, or where that has no room for
 * it, to an annotation, so that who waits for the answer finds the status written.
 *
 * @returns undefined when the scan is not as it was any more, see {@link writeStatus}
 * @throws {ApiError}
 */
export async function recordScan(
  client: Pick<KubeClient, 'get' | 'patch'>,
  scan: StoredScan,
  result: ScanResult,
  { occasionOf, signal }: { occasionOf: (fresh: StoredScan) => Occasion; signal: AbortSignal },
): Promise<Written<StoredScan> | undefined> {
  const { group, namespace, name } = scan;
  const path = { resource: IMAGE_SCAN_KINDS[group].resource, namespace, name };
  const written = await writeStatus(client, path, scan, {
    parse: (raw) => parseStoredScan(raw, group),
    next: (fresh) => FORMS[group].statusAfter(fresh, result, occasionOf(fresh)),
    signal,
  });
  const { request } = occasionOf(scan);
  if (written === undefined || request === undefined) return written;
  if (written.after.status.lastHandledScanRequest === request) return written;
  return annotated(client, path, written, request, signal);
}

async function annotated(
  client: Pick<KubeClient, 'patch'>,
  path: ObjectPath,
  { before, after }: Written<StoredScan>,
  request: string,
  signal: AbortSignal,
): Promise<Written<StoredScan> | undefined> {
  const annotations = { [HANDLED_REQUEST_ANNOTATION]: request };
  const body = { metadata: { uid: after.metadata.uid, annotations } };
  try {
    const raw = await client.patch(path, body, 'merge', {}, signal);
    return { before, after: parseStoredScan(raw, after.group) };
  } catch (error) {
    // Gone, or gone and made again: nobody waits for the answer.
    if (error instanceof ApiError && ['NotFound', 'Conflict'].includes(error.code)) return undefined;
    throw error;
  }
}
