import type { Clock } from './clock.ts';
import { RegistryError } from './errors.ts';
import type { Answer, Send } from './request.ts';

const ATTEMPTS = 3;
/** Bound of the first pause; it doubles with each. */
const FIRST_PAUSE_MS = 300;

/**
 * Tries again after answers and failures that may pass: 408, 429, 5xx and a lost connection. The pauses are short and jittered: a longer one, that
 * the host wants, is part of its budget. What took until its timeout is not tried again, since it held a place all that time.
 */
export function withRetry(send: Send, clock: Clock): Send {
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await send(request).catch(passingFailure);
      const isFailure = outcome instanceof RegistryError;
      if (!isFailure && !mayPass(outcome)) return outcome;
      if (attempt === ATTEMPTS) {
        if (isFailure) throw outcome;
        return outcome;
      }
      await clock.sleep(clock.random() * FIRST_PAUSE_MS * 2 ** (attempt - 1), request.access.signal);
    }
  };
}

function mayPass({ status }: Answer): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** An error that comes with a time to try again was not the host's answer to this request: the budget has no room. */
function passingFailure(error: unknown): RegistryError {
  const mayPass =
    error instanceof RegistryError && error.code === 'Unreachable' && error.retryAfterMs === undefined;
  if (mayPass) return error;
  throw error;
}
