import { CodedError } from './errors.ts';

/** Thrown by {@link parseDuration}. */
export class DurationError extends CodedError<'InvalidDuration'> {}

const MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h))+$/;
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g;

/**
 * Reads a non-negative Go duration (`1h30m`, `250ms`, or a bare `0`; there is no unit for days).
 *
 * @returns milliseconds
 * @throws {DurationError} when the text is not one
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!WHOLE.test(text)) {
    throw new DurationError(
      'InvalidDuration',
      `"${text}" is not a duration; write it like 30s, 15m or 1h30m`,
    );
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART))
    total += Number(amount) * (MILLISECONDS[unit ?? ''] ?? 0);
  return total;
}
