import { parseDuration } from '../core/duration.ts';
import type { Clock } from './clock.ts';
import { RegistryError } from './errors.ts';
import { type Answer, headerOf, type Send } from './request.ts';

/** How hard to try; times in milliseconds. */
export interface RetryOptions {
  readonly attempts: number;
  /** Bound of the first pause; it doubles with each. */
  readonly firstPauseMs: number;
  /** A registry that wants a longer pause than this is not waited for. */
  readonly longestPauseMs: number;
}

export const DEFAULT_RETRY: RetryOptions = { attempts: 3, firstPauseMs: 300, longestPauseMs: 10_000 };

/**
 * Tries again after answers and failures that may pass: 408, 429, 5xx and a lost connection. The pause is what the
 * registry asks for, else exponential, and jittered either way so that scans do not return in step.
 */
export function withRetry(send: Send, clock: Clock, options: RetryOptions = DEFAULT_RETRY): Send {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await send(request).catch(passingFailure);
      const isAnswer = !(outcome instanceof RegistryError);
      if (isAnswer && !mayPass(outcome.status)) return outcome;
      const retryAfterMs = isAnswer ? retryAfter(outcome, clock.now()) : undefined;
      const jitter = clock.random() * options.firstPauseMs * 2 ** (attempt - 1);
      const pause = (retryAfterMs ?? 0) + jitter;
      if (attempt >= options.attempts || pause > options.longestPauseMs) {
        if (isAnswer) return { ...outcome, retryAfterMs };
        throw outcome;
      }
      await clock.sleep(pause, request.access.signal);
    }
  };
}

function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function passingFailure(error: unknown): RegistryError {
  if (error instanceof RegistryError && error.code === 'Unreachable') return error;
  throw error;
}

/**
 * The pause that an answer asks for: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), or GHCR's words in the body,
 * `retry-after: 1.16ms, allowed: 44000/minute`.
 *
 * @returns milliseconds, or undefined when it asks for none
 */
export function retryAfter(answer: Pick<Answer, 'headers' | 'body'>, now: number): number | undefined {
  const header = headerOf(answer, 'retry-after')?.trim();
  if (header === undefined) return pauseInText(answer.body.toString('latin1', 0, 4096));
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function pauseInText(text: string): number | undefined {
  const [, pause] = /retry-after: ?(\d[\d.]*(?:ms|s|m|h))\b/i.exec(text) ?? [];
  try {
    return pause === undefined ? undefined : parseDuration(pause);
  } catch {
    return undefined;
  }
}
