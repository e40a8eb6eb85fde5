import type { Branches, PullRequests } from '../../git/hosts/host.ts';
import type { Job } from './job.ts';
import type { Proposing } from './proposal.ts';
import type { Target } from './target.ts';

/** Whether the open request of a GitRepo is still open: people merge and close it where our branches do not tell. */
export async function isStillOpen(
  { gitRepo }: Job,
  branches: Branches,
  requests: PullRequests | undefined,
): Promise<boolean> {
  const known = gitRepo.status.pullRequest;
  if (requests === undefined || known?.state !== 'Open') return true;
  const latest = await requests.latest(branches);
  return latest?.number === known.number && latest.state === 'Open';
}
