import type { ImageScan, ImageScanStatus } from './image-scan.ts';
import { toScan } from './to-scan.ts';

/**
 * The value that an ImageScan of Fleet's has in force, as the status of the one of ours that comes in its place; undefined when
 * it has none, or one of another image than its spec names now.
 */
export function carriedValue(former: ImageScan, now: Date): ImageScanStatus | undefined {
  const { inForce } = toScan(former);
  if (inForce === undefined) return undefined;
  const { canonicalName, tag, digest } = inForce;
  const { lastScanTime } = former.status;
  const image = `${canonicalName}:${tag}`;
  // Fleet does not tell since when it is in force; that it was at its last scan is certain.
  const since = lastScanTime ?? now.toISOString();
  return {
    canonicalImageName: canonicalName,
    latestTag: tag,
    latestImage: image,
    latestDigest: digest,
    history: [{ tag, digest, image, since, cause: 'Scan' }],
    ...(lastScanTime !== undefined && { lastScanTime }),
  };
}
