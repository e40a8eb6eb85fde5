import { GitError } from '../../git/errors.ts';
import type { PullRequests } from '../../git/hosts/host.ts';
import type { Job } from './job.ts';
import { branchesOf, type Target } from './target.ts';

const MOVED = 'Closed by Fleetscan: its GitRepo asks for the change in another way now.';

/**
 * Takes back an open request that another spec asked for: after spec.pullRequest was removed, or a branch renamed. Its branch is
 * deleted if it is as we left it, with which GitHub, Gitea and Forgejo close a request by themselves.
 *
 * @param requests undefined when the spec asks for none any more, so that there is no token to close one
 */
export async function takeBackFormer(
  { gitRepo, repository }: Job,
  target: Target,
  requests: PullRequests | undefined,
): Promise<void> {
  const { proposal, pullRequest } = gitRepo.status;
  if (proposal === undefined || pullRequest?.state !== 'Open') return;
  if (branchesOf(target).includes(proposal.branch)) return;
  if (target.kind === 'proposal') {
    const latest = await requests?.latest({ source: proposal.branch, target: target.target });
    // The number alone could be that of anybody's, in another repository.
    if (latest?.url === pullRequest.url) await requests?.close(latest.number, MOVED);
  }
  if (proposal.commit === undefined) return;
  try {
    await repository.deleteBranch(proposal.branch, proposal.commit);
  } catch (error) {
    // Somebody pushed to it, or protects it.
    if (!(error instanceof GitError && error.code === 'PushRejected')) throw error;
  }
}
