import { canonicalName, tryParseReference } from '../core/reference.ts';
import type { Cause } from '../core/scan.ts';
import type { Value } from '../core/value.ts';
import type { Condition } from '../kube/kinds/common.ts';
import { type ConditionState, setCondition } from '../kube/kinds/conditions.ts';
import type { ImageScan, ImageScanStatus } from '../kube/kinds/image-scan.ts';
import type { ScanResult } from '../scan/scan.ts';

const HISTORY_LENGTH = 10;

/** A change of the value in force, for an Event and for whoever waits. */
export interface ValueChange {
  readonly from?: { readonly tag: string; readonly digest: string };
  readonly to: { readonly tag: string; readonly digest: string };
}

/** What a status tells of besides the result of the scan. */
export interface Occasion {
  /** The scan request that stood on the object when the scan began: one that came later asks for another scan. */
  readonly request: string | undefined;
  /** The other scans in the namespace that bear the same tagName: markers cannot tell them apart. */
  readonly namesakes: readonly string[];
  readonly now: Date;
}

/** The status of an ImageScan after a scan. A failed one leaves the value in force as it was: only its condition tells. */
export function statusAfter(
  { metadata, spec, status }: ImageScan,
  result: ScanResult,
  { request, namesakes, now }: Occasion,
): ImageScanStatus {
  const next: ImageScanStatus = {
    ...status,
    ...(result.kind === 'selected' && inForce(status, result.value, 'Scan', now)),
    ...(hasAnswered(result) && { lastScanTime: now.toISOString() }),
    ...(result.tagCount !== undefined && { tagCount: result.tagCount }),
    ...(result.candidates !== undefined && { candidates: [...result.candidates] }),
    ...(request !== undefined && { lastHandledScanRequest: request }),
    observedGeneration: metadata.generation,
  };
  const generation = { observedGeneration: metadata.generation };
  const scanned = setCondition(status.conditions, { ...scannedCondition(result), ...generation }, now);
  const ready = { ...readyCondition(next, spec.image, result, namesakes), ...generation };
  return { ...next, conditions: setCondition(scanned, ready, now) };
}

function hasAnswered(result: ScanResult): boolean {
  return result.kind === 'selected' || result.tagCount !== undefined;
}

/** A condition by its type. */
export function conditionOf({ status }: Pick<ImageScan, 'status'>, type: string): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

/** Why the last scan failed, when it did. */
export function scanFailure(scan: Pick<ImageScan, 'status'>): string | undefined {
  const scanned = conditionOf(scan, 'ImageScanned');
  return scanned?.status === 'False' ? scanned.reason : undefined;
}

/** Did the value in force change from one status to the next? */
export function valueChange(before: ImageScanStatus, after: ImageScanStatus): ValueChange | undefined {
  const from = valueOf(before);
  const to = valueOf(after);
  const same =
    from?.tag === to?.tag && from?.digest === to?.digest && before.latestImage === after.latestImage;
  if (to === undefined || same) return undefined;
  return from === undefined ? { to } : { from, to };
}

function valueOf({ latestTag, latestDigest }: ImageScanStatus): ValueChange['to'] | undefined {
  return latestTag && latestDigest ? { tag: latestTag, digest: latestDigest } : undefined;
}

function inForce(status: ImageScanStatus, value: Value, cause: Cause, now: Date): Partial<ImageScanStatus> {
  const image = `${value.canonicalName}:${value.tag}`;
  const history = status.history ?? [];
  const isCurrent = history[0]?.image === image && history[0].digest === value.digest;
  const entry = { tag: value.tag, digest: value.digest, image, since: now.toISOString(), cause };
  return {
    canonicalImageName: value.canonicalName,
    latestTag: value.tag,
    latestImage: image,
    latestDigest: value.digest,
    history: isCurrent ? history : [entry, ...history].slice(0, HISTORY_LENGTH),
  };
}

type ConditionText = Omit<ConditionState, 'observedGeneration'>;

function scannedCondition(result: ScanResult): ConditionText {
  const type = 'ImageScanned';
  if (result.kind === 'failed')
    return { type, status: 'False', reason: result.reason, message: result.message };
  const { value, tagCount, warning } = result;
  const choice =
    tagCount === undefined
      ? `follows the digest of ${value.tag}`
      : `chose ${value.tag} among ${tagCount} tags`;
  const message = `${choice}${warning === undefined ? '' : `; ${warning}`}`;
  return { type, status: 'True', reason: 'Scanned', message };
}

function readyCondition(
  status: ImageScanStatus,
  image: string,
  result: ScanResult,
  namesakes: readonly string[],
): ConditionText {
  const type = 'Ready';
  if (namesakes.length > 0) {
    const message = `${namesakes.join(', ')} has the same tagName, so markers cannot tell them apart; rename one`;
    return { type, status: 'False', reason: 'DuplicateTagName', message };
  }
  const value = valueOf(status);
  if (value === undefined) {
    return { type, status: 'False', reason: 'NoValue', message: `no tag has been chosen yet for ${image}` };
  }
  if (status.canonicalImageName !== canonicalOf(image)) {
    const message = `${status.latestImage} is of the image that the spec named before; ${image} has no value yet`;
    return { type, status: 'False', reason: 'StaleValue', message };
  }
  const kept = result.kind === 'failed' ? '; the last scan failed, so it stays' : '';
  return {
    type,
    status: 'True',
    reason: 'InForce',
    message: `${value.tag} (${value.digest.slice(0, 19)}) is in force${kept}`,
  };
}

function canonicalOf(image: string): string | undefined {
  const reference = tryParseReference(image);
  return reference && canonicalName(reference);
}
