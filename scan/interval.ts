import { parseDuration } from '../core/duration.ts';
import { CodedError, messageOf } from '../core/errors.ts';
import { type ImageScan, SCAN_REQUEST_ANNOTATION } from '../kube/kinds/image-scan.ts';

/** Fleet's default. */
const DEFAULT_INTERVAL_MS = 15 * 60_000;
/** Nobody's interval is shorter, so that no spec can make us ask without a pause. */
const SHORTEST_INTERVAL_MS = 1000;

/** Thrown by {@link parseInterval}. */
export class IntervalError extends CodedError<'InvalidInterval'> {}

/**
 * A spec's interval in milliseconds, at least a second; absent, null and zero mean 15 minutes.
 *
 * @throws {IntervalError} when it is no duration: the CRD refuses that, but an object may be older than the CRD
 */
export function parseInterval(interval: string | null | undefined): number {
  try {
    const parsed = interval === null || interval === undefined ? 0 : parseDuration(interval);
    return parsed > 0 ? Math.max(parsed, SHORTEST_INTERVAL_MS) : DEFAULT_INTERVAL_MS;
  } catch (error) {
    throw new IntervalError('InvalidInterval', `the interval ${messageOf(error)}`, { cause: error });
  }
}

/** {@link parseInterval} for a schedule, which must go on: 15 minutes where that throws. */
export function intervalMs(interval: string | null | undefined): number {
  try {
    return parseInterval(interval);
  } catch {
    return DEFAULT_INTERVAL_MS;
  }
}

/** Has someone asked for a scan that was not answered yet? */
export function isScanRequested({ metadata, status }: ImageScan): boolean {
  const request = metadata.annotations[SCAN_REQUEST_ANNOTATION];
  return request !== undefined && request !== status.lastHandledScanRequest;
}
