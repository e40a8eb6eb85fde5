import { DurationError, parseDuration } from '../core/duration.ts';
import { UsageError } from './failure.ts';

/** The longest that a timer of Node takes: 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * A duration given on the command line: a Go duration, or a whole number of seconds. As in kubectl, 0 is no end.
 *
 * @returns milliseconds, as many as a timer takes at most
 * @throws {UsageError}
 */
export function durationFlag(flag: string, text: string): number {
  try {
    const milliseconds = parseDuration(/^\d+$/.test(text) ? `${text}s` : text);
    return milliseconds === 0 ? LONGEST_MS : Math.min(Math.max(1, Math.ceil(milliseconds)), LONGEST_MS);
  } catch (error) {
    if (error instanceof DurationError) throw new UsageError('Usage', `${flag}: ${error.message}`);
    throw error;
  }
}
