import { metadataOperations, takeOver } from '../core/fleet-shard.ts';
import { type Answer, allow } from './answer.ts';
import type { ImageScanRequest } from './review.ts';

/**
 * Puts an ImageScan of Fleet's into our shard, so that no controller of Fleet's takes it up: at its creation and at every
 * update, since `fleet apply` replaces all labels. It is never rejected.
 */
export function admitImageScan({ uid, metadata }: ImageScanRequest): Answer {
  const change = takeOver(metadata);
  return allow(uid, [], change === undefined ? [] : metadataOperations(metadata, change));
}
