import type { ImageScan, ImageScanStatus } from '../kube/kinds/image-scan.ts';
import { firstTrouble } from './status-table.ts';

/** What a scan came to, in words, and whether it is what the user hoped for. */
export interface Outcome {
  readonly text: string;
  readonly succeeded: boolean;
}

/** Compares an ImageScan after a scan with its status before: `1.2.0 -> 1.3.0`, or why nothing changed. */
export function outcome(before: ImageScanStatus, after: ImageScan): Outcome {
  const { status } = after;
  const trouble = firstTrouble(after);
  const change = changeText(before, status);
  if (trouble !== undefined) {
    const kept = status.latestTag ? `${change ?? status.latestTag} stays in force` : 'nothing is in force';
    return { text: `${trouble} (${kept})`, succeeded: false };
  }
  if (change !== undefined) return { text: change, succeeded: true };
  return {
    text: `${status.latestTag} unchanged: it is still the choice among ${status.tagCount} tags`,
    succeeded: true,
  };
}

function changeText(before: ImageScanStatus, after: ImageScanStatus): string | undefined {
  if (before.latestTag === after.latestTag && before.latestDigest === after.latestDigest) return undefined;
  if (!before.latestTag) return `<none> -> ${after.latestTag}`;
  if (before.latestTag !== after.latestTag) return `${before.latestTag} -> ${after.latestTag}`;
  return `${after.latestTag} moved: ${before.latestDigest} -> ${after.latestDigest}`;
}
