import { parseDuration } from '../core/duration.ts';
import { type Answer, headerOf } from './request.ts';

type Reply = Pick<Answer, 'status' | 'headers' | 'body'>;

const LONGEST_MS = 6 * 3_600_000;
// Seconds from now on, or since the epoch where they are too many for that, as some registries have it.
const EPOCH_SECONDS = 1_000_000_000;

/**
 * The pause that an answer asks for: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3); GHCR's words in the body, `retry-after: 1.16ms,
 * allowed: 44000/minute`; with nothing left of a limit, the time of its reset; and for a 429 that says no more than `ratelimit-limit: 100;w=21600`,
 * as Docker Hub's, the time in which one request of the limit comes back.
 *
 * @returns milliseconds, six hours at most, or undefined when it asks for none
 */
export function wantedPause(answer: Reply, now: number): number | undefined {
  const isRefused = answer.status === 429 || answer.status === 503;
  const pause =
    (isRefused ? (retryAfter(answer, now) ?? pauseInText(answer)) : undefined) ??
    untilReset(answer, now) ??
    (answer.status === 429 ? untilOneMore(answer) : undefined);
  return pause === undefined ? undefined : Math.min(pause, LONGEST_MS);
}

function retryAfter(answer: Reply, now: number): number | undefined {
  const header = headerOf(answer, 'retry-after')?.trim();
  if (header === undefined) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function pauseInText({ body }: Reply): number | undefined {
  const [, pause] = /retry-after: ?(\d[\d.]*(?:ms|s|m|h))\b/i.exec(body.toString('latin1', 0, 4096)) ?? [];
  try {
    return pause === undefined ? undefined : parseDuration(pause);
  } catch {
    return undefined;
  }
}

/** That nothing is left says nothing by itself: Docker Hub goes on to answer what does not count. */
function untilReset(answer: Reply, now: number): number | undefined {
  const left = numberIn(headerOf(answer, 'ratelimit-remaining') ?? headerOf(answer, 'x-ratelimit-remaining'));
  const reset = numberIn(headerOf(answer, 'ratelimit-reset') ?? headerOf(answer, 'x-ratelimit-reset'));
  if (reset === undefined || (left !== 0 && answer.status !== 429)) return undefined;
  return reset > EPOCH_SECONDS ? Math.max(0, reset * 1000 - now) : reset * 1000;
}

function untilOneMore(answer: Reply): number | undefined {
  const limit = headerOf(answer, 'ratelimit-limit') ?? '';
  const window = Number(/;\s*w=(\d+)/.exec(limit)?.[1]);
  const count = numberIn(limit);
  return window > 0 && count !== undefined && count > 0 ? (window * 1000) / count : undefined;
}

function numberIn(header: string | undefined): number | undefined {
  const digits = /^\s*(\d+)/.exec(header ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
