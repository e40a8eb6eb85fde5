import type { IncomingHttpHeaders } from 'node:http';
import { oneLine } from '../../core/one-line.ts';
import { wantedPause } from '../../registry/pause.ts';
import { HostError, type HostErrorCode } from './host.ts';

/** A complete answer of a host, whatever its status. */
export interface HostAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const MAX_WORDS = 300;
const MAX_DEPTH = 5;
const MAX_ITEMS = 20;

/**
 * What an answer that is no success means.
 *
 * @param what what was asked for, after "refuses": `to open a pull request in acme/app`
 * @param words the host's own, as {@link wordsOf} finds them
 */
export function failureOf(answer: HostAnswer, host: string, what: string, words: string): HostError {
  const { status } = answer;
  const said = words === '' ? '' : `: ${words}`;
  const retryAfterMs = isRateLimit(answer, words) ? (pauseOf(answer) ?? null) : undefined;
  if (retryAfterMs !== undefined) {
    const message = `${host} limits how often it is asked, and refuses ${what} for now (status ${status})${said}`;
    return new HostError('RateLimited', message, retryAfterMs === null ? {} : { retryAfterMs });
  }
  return new HostError(
    codeOf(status),
    `${host} refuses ${what} (status ${status})${said}${adviceOn(status)}`,
  );
}

/** GitHub answers 403 to both of its limits: nothing is left of the one, the other says `Retry-After` or is named. */
function isRateLimit({ status, headers }: HostAnswer, words: string): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  const isUsedUp = headers['x-ratelimit-remaining'] === '0';
  return isUsedUp || headers['retry-after'] !== undefined || /\brate limit\b/i.test(words);
}

function pauseOf(answer: HostAnswer): number | undefined {
  return wantedPause({ ...answer, status: 429 }, Date.now());
}

function codeOf(status: number): HostErrorCode {
  if (status < 400) return 'InvalidAnswer';
  if (status === 401 || status === 403 || status === 407) return 'Unauthorized';
  if (status === 404) return 'NotFound';
  return status === 408 || status >= 500 ? 'Unreachable' : 'Rejected';
}

function adviceOn(status: number): string {
  switch (status) {
    case 401:
      return '; the token is missing, wrong or expired';
    case 403:
      return '; the token may not do this: see what scopes it needs';
    case 404:
      return '; check the name, and whether the token may see the repository';
    default:
      return '';
  }
}

/**
 * What a host says of an error, on one bounded line. All have it in `message`, `error` or `errors`, as text, lists or
 * objects of them; what is no JSON is a page for people, of which nothing is repeated.
 */
export function wordsOf(body: unknown): string {
  return oneLine([...new Set(textsIn(body, 0))].join('; '), MAX_WORDS);
}

const SPEAKING = new Set([
  'message',
  'error',
  'error_description',
  'errors',
  'detail',
  'fields',
  'reviewerErrors',
]);

function textsIn(value: unknown, depth: number): string[] {
  if (typeof value === 'string' && depth > 0) return [value];
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).flatMap((item) => textsIn(item, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  const speaking = entries.filter(([key]) => SPEAKING.has(key));
  if (speaking.length > 0) return speaking.flatMap(([, inner]) => textsIn(inner, depth + 1));
  // Errors of single fields are named by them: {"title": ["is too long"]}.
  return entries.flatMap(([key, inner]) => textsIn(inner, depth + 1).map((text) => `${key} ${text}`));
}
