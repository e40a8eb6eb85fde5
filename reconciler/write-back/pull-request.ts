import { connectPullRequests } from '../../git/hosts/connect.ts';
import type { Branches, PullRequests, PullRequestText } from '../../git/hosts/host.ts';
import type { Environment } from '../../git/environment.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import type { GitAccess } from './git-access.ts';
import type { Job } from './job.ts';
import type { Target } from './target.ts';

type PullRequestSpec = NonNullable<Extract<Target, { kind: 'proposal' }>['pullRequest']>;

const TIMEOUT_MS = 30_000;

/** The pull requests of a GitRepo's repository. */
export function pullRequestsOf(
  { gitRepo, signal }: Job,
  { provider, apiURL }: PullRequestSpec,
  { credential, caFile, insecureSkipTLSVerify }: GitAccess,
  environment: Environment,
): PullRequests {
  return connectPullRequests({
    provider,
    repositoryUrl: gitRepo.spec.repo,
    ...(apiURL && { apiURL }),
    ...(credential && { credential }),
    ...(caFile && { caFile }),
    insecureSkipTLSVerify,
    environment,
    timeoutMs: TIMEOUT_MS,
    signal,
  });
}

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

/** What the request of a plan says. */
export async function textOf(
  _job: Job,
  { pullRequest }: Pick<Target & { kind: 'proposal' }, 'pullRequest'>,
  plan: EditPlan,
): Promise<PullRequestText> {
  const { title, labels = [], assignees = [] } = pullRequest ?? {};
  return {
    title: title ?? 'Update images',
    body: plan.edits.map(({ file }) => file).join(),
    labels,
    assignees,
  };
}
