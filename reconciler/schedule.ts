import { createHash } from 'node:crypto';
import { parseDuration } from '../core/duration.ts';
import { CodedError, messageOf } from '../core/errors.ts';
import { type ImageScan, SCAN_REQUEST_ANNOTATION } from '../kube/kinds/image-scan.ts';

/** Fleet's default. */
const DEFAULT_INTERVAL_MS = 15 * 60_000;
/** Nobody's interval is shorter, so that no spec can make us ask without a pause. */
const SHORTEST_INTERVAL_MS = 1000;
/** The share of an interval by which scans that began together drift apart. */
const JITTER = 0.1;
/** Overdue work, such as after hours of downtime, is spread over this long. */
const CATCH_UP_MS = 60_000;
const FIRST_RETRY_MS = 10_000;
/** The longest that the other side's wish is followed; Docker Hub counts its limits over six hours. */
const LONGEST_RETRY_AFTER_MS = 6 * 3_600_000;

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

/**
 * When an ImageScan is to be scanned (milliseconds since the epoch): at once when it is new, changed or asked for; else
 * an interval after the last scan, give or take a little that depends on its name alone. So after a restart every scan
 * keeps its place, and those that became overdue meanwhile do not all start at once.
 */
export function scanDue(scan: ImageScan, now: number): number {
  const { metadata, spec, status } = scan;
  if (status.observedGeneration !== metadata.generation || isScanRequested(scan)) return now;
  return periodicDue(
    `${metadata.namespace}/${metadata.name}`,
    status.lastScanTime,
    intervalMs(spec.interval),
    now,
  );
}

/** The next time of something done every `interval` ms and last done at `last`; see {@link scanDue}. */
export function periodicDue(key: string, last: string | undefined, interval: number, now: number): number {
  const place = fraction(key);
  // A time in the future is of a clock that was ahead of ours.
  const lastTime = last === undefined ? Number.NaN : Math.min(Date.parse(last), now);
  const due = lastTime + interval * (1 + JITTER * (place - 0.5));
  return due > now ? due : now + place * Math.min(CATCH_UP_MS, interval);
}

/**
 * When to try again after `failures` failures in a row: 10 s doubled each time, at most the interval, or when the other
 * side says, if that is within six hours.
 */
export function retryDue(failures: number, interval: number, now: number, retryAfterMs = 0): number {
  const backoff = Math.min(interval, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20));
  const wish = Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS);
  return now + Math.max(backoff * (1 + JITTER * (Math.random() - 0.5)), wish);
}

/** A number in [0, 1) that a key always gives. */
function fraction(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) / 2 ** 32;
}
