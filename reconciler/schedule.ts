import { createHash } from 'node:crypto';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { intervalMs, isScanRequested } from '../scan/interval.ts';

/** The share of an interval by which scans that began together drift apart. */
const JITTER = 0.1;
/** Overdue work, such as after hours of downtime, is spread over this long. */
const CATCH_UP_MS = 60_000;
const FIRST_RETRY_MS = 10_000;
/** The longest that the other side's wish is followed; Docker Hub counts its limits over six hours. */
const LONGEST_RETRY_AFTER_MS = 6 * 3_600_000;

/**
 * When an ImageScan is to be scanned (milliseconds since the epoch): at once when it is new, changed or asked for; else
 * an interval after the last scan, give or take a little that depends on its name alone. So after a restart every scan
 * keeps its place, and those that became overdue meanwhile do not all start at once.
 *
 * @param planned when it is due by what was known before, see {@link periodicDue}
 */
export function scanDue(scan: ImageScan, now: number, planned?: number): number {
  const { metadata, spec, status } = scan;
  if (status.observedGeneration !== metadata.generation || isScanRequested(scan)) return now;
  return periodicDue(
    `${metadata.namespace}/${metadata.name}`,
    status.lastScanTime,
    intervalMs(spec.interval),
    now,
    planned,
  );
}

/**
 * The next time of something done every `interval` ms and last done at `last`; see {@link scanDue}.
 *
 * @param planned when it is due by what was known before: what is overdue is never put off, however often we look
 */
export function periodicDue(
  key: string,
  last: string | undefined,
  interval: number,
  now: number,
  planned = Number.POSITIVE_INFINITY,
): number {
  const place = fraction(key);
  // A time in the future is of a clock that was ahead of ours.
  const lastTime = last === undefined ? Number.NaN : Math.min(Date.parse(last), now);
  const due = lastTime + interval * (1 + JITTER * (place - 0.5));
  return due > now ? due : Math.min(planned, now + place * Math.min(CATCH_UP_MS, interval));
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
