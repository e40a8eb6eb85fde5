import type { MetadataChange } from '../../core/fleet-shard.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import type { ObjectMeta } from '../../kube/kinds/common.ts';
import { FLEET_IMAGE_SCANS } from '../../kube/resource.ts';

/** How many ImageScans are written to at once. */
export const RELABEL_CONCURRENCY = 8;
/** Between two writes to one ImageScan, so that two controllers that undo each other's do not do it as fast as the network allows. */
export const RELABEL_PAUSE_MS = 1000;

/**
 * Changes the metadata of an ImageScan of Fleet's, if it is still as it was read: the change follows from what stood there.
 *
 * @returns false when it is not, or is gone
 * @throws {ApiError} any other
 */
export async function relabel(
  client: Pick<KubeClient, 'patch'>,
  { namespace, name, resourceVersion }: ObjectMeta,
  change: MetadataChange,
  signal: AbortSignal,
): Promise<boolean> {
  const path = { resource: FLEET_IMAGE_SCANS, namespace, name };
  const body = { metadata: { resourceVersion, ...change } };
  try {
    await client.patch(path, body, 'merge', { fieldManager: 'fleetscan-takeover' }, signal);
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.code === 'Conflict' || error.code === 'NotFound')) return false;
    throw error;
  }
}
