import type { ImageScan, ImageScanStatus } from '../kube/kinds/image-scan.ts';
import { message, troubleOf } from './conditions.ts';

/** What a scan came to, in words, and whether it is what the user hoped for. */
export interface Outcome {
  readonly text: string;
  readonly succeeded: boolean;
}

/** Compares an ImageScan after a scan with its status before: `1.2.0 -> 1.3.0`, or why nothing changed. */
export function outcome(before: ImageScanStatus, after: ImageScan): Outcome {
  const { latestTag, pending } = after.status;
  const failure = troubleOf(after, 'ImageScanned');
  if (failure !== undefined) return { text: `${failure} (${kept(after)})`, succeeded: false };
  if (latestTag === undefined) return { text: kept(after), succeeded: false };
  const change = changeText(before, after.status);
  const notReady = troubleOf(after, 'Ready');
  if (notReady !== undefined)
    return { text: `${change ?? latestTag}, which pods do not get: ${notReady}`, succeeded: false };
  if (change !== undefined) return { text: change, succeeded: true };
  if (pending !== undefined) {
    const reason = [pending.reason, pending.message].filter((part) => part).join(': ');
    return { text: `${latestTag} unchanged: ${pending.tag} waits: ${reason}`, succeeded: true };
  }
  return {
    text: `${latestTag} unchanged: ${message(after, 'ImageScanned') ?? 'it is still the choice'}`,
    succeeded: true,
  };
}

/** What pods get after a scan that gave nothing new. */
function kept(scan: ImageScan): string {
  const { latestTag } = scan.status;
  if (latestTag === undefined) return 'nothing is in force';
  const trouble = troubleOf(scan, 'Ready');
  return trouble === undefined ? `${latestTag} stays in force` : `pods do not get ${latestTag}: ${trouble}`;
}

function changeText(before: ImageScanStatus, after: ImageScanStatus): string | undefined {
  if (!before.latestTag) return `<none> -> ${after.latestTag}`;
  if (before.canonicalImageName !== after.canonicalImageName)
    return `${before.latestImage} -> ${after.latestImage}`;
  if (before.latestTag !== after.latestTag) return `${before.latestTag} -> ${after.latestTag}`;
  if (before.latestDigest === after.latestDigest) return undefined;
  return `${after.latestTag} moved: ${short(before.latestDigest)} -> ${short(after.latestDigest)}`;
}

/** The algorithm and the first twelve digits, as container tools show a digest. */
function short(digest: string | undefined): string | undefined {
  return digest?.slice(0, 'sha256:'.length + 12);
}
