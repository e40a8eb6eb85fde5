import { setTimeout as sleep } from 'node:timers/promises';
import { GitError } from '../../git/errors.ts';

// Of ten writers on one branch the last needs ten tries at worst.
const TRIES = 12;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/**
 * Does `attempt`, and does it anew from its beginning when somebody else moved the branch meanwhile, after a pause that
 * is drawn at random and grows, so that writers who met once do not meet again.
 *
 * @throws the error of the last attempt, and at once any that is no lost race
 */
export async function untilRaceWon<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const isLostRace = error instanceof GitError && error.rejection === 'Moved';
      if (!isLostRace || tries === TRIES) throw error;
      await sleep(pauseMs(tries), undefined, { signal });
    }
  }
}

function pauseMs(tries: number): number {
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
}
