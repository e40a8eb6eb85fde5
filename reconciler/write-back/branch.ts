import { GitError } from '../../git/errors.ts';
import type { Job } from './job.ts';
import type { Synced } from './result.ts';
import { untilRaceWon } from './retry.ts';
import { stateOf } from './target.ts';

/** Makes a branch agree with the values in force: one commit on top of the branch as it is, or nothing. */
export function writeToBranch(job: Job, branch: string): Promise<Synced> {
  const { repository, signal } = job;
  return untilRaceWon(async () => {
    const head = await repository.fetch(branch);
    const plan = await job.plan(head);
    if (plan.changes.length === 0) return { kind: 'synced', head, at: stateOf(head), plan };
    const commit = await job.commit(head, plan);
    await landed(job, branch, commit, () => repository.push(commit, branch, head));
    return { kind: 'synced', head: commit, at: stateOf(commit), pushed: commit, plan };
  }, signal);
}

/**
 * Pushes, and asks again where the answer was lost: a server that was cut off in the middle may have taken the commit.
 *
 * @throws what the push threw, unless the commit is there all the same
 */
export async function landed(
  { repository }: Job,
  branch: string,
  commit: string,
  push: () => Promise<void>,
): Promise<void> {
  try {
    await push();
  } catch (error) {
    const isUnknown = error instanceof GitError && (error.code === 'Unreachable' || error.code === 'Timeout');
    if (!isUnknown) throw error;
    const heads = await repository.remoteHeads([branch]).catch(() => undefined);
    if (heads?.get(branch) !== commit) throw error;
  }
}
