import { carriedValue } from '../../kube/kinds/carried-value.ts';
import { setCondition } from '../../kube/kinds/conditions.ts';
import type { ImageScan, ImageScanStatus } from '../../kube/kinds/image-scan.ts';

/** Has it a value in force? */
export function hasValue({ latestTag, latestDigest }: ImageScanStatus): boolean {
  return Boolean(latestTag && latestDigest);
}

/**
 * The status of an ImageScan that stands in the place of one of Fleet's: its value in force is that of the former, unless it has
 * one of its own by now, and the condition `Adopted` says what happened.
 *
 * @param notes what could not be taken over as it stood
 */
export function adoptedStatus(
  { metadata, status }: ImageScan,
  former: ImageScan,
  notes: readonly string[],
  now: Date,
): ImageScanStatus {
  const value = hasValue(status) ? {} : carriedValue(former, now);
  const adopted = {
    type: 'Adopted',
    status: 'True',
    reason: 'FleetKindRemoved',
    message: adoptedText({ ...status, ...value }, former, notes),
    observedGeneration: metadata.generation,
  } as const;
  return { ...status, ...value, conditions: setCondition(status.conditions, adopted, now) };
}

/** What the condition and the Event say. */
export function adoptedText(
  { latestTag }: ImageScanStatus,
  { metadata }: ImageScan,
  notes: readonly string[],
): string {
  const inForce = latestTag ? `${latestTag} is in force` : 'it has no value yet';
  const came = `takes the place of ${metadata.name}, an ImageScan of fleet.cattle.io that went with the CustomResourceDefinition`;
  return [`${came}; ${inForce}`, ...notes].join('; ');
}
