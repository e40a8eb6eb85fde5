import { createHash } from 'node:crypto';
import type { Branches, PullRequest, PullRequests, PullRequestText, Written } from '../../git/hosts/host.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import { landed } from './branch.ts';
import type { Job } from './job.ts';
import type { Proposed, RequestStatus, Synced } from './result.ts';
import { untilRaceWon } from './retry.ts';
import { stateOf } from './target.ts';

/** What {@link propose} asks of a host, beside the pull requests themselves. */
export interface Proposing {
  /** Undefined when only the branch is wanted. */
  readonly requests: PullRequests | undefined;
  /** What the request of a plan says. */
  readonly textOf: (plan: EditPlan) => Promise<PullRequestText>;
}

const WITHDRAWN = 'Closed by Fleetscan: the branch says what it should, so there is nothing left to merge.';

/**
 * Keeps a branch of our own, and its pull request, at what the target branch should say: made when there is something to
 * merge, brought up to date, and taken back when there is nothing any more. A request that a person closed stays closed until other values
 * come into force; what a person pushed to the branch stays there.
 */
export function propose(
  job: Job,
  branches: Branches,
  { requests, textOf }: Proposing,
): Promise<Synced | Proposed> {
  const { source, target } = branches;
  return untilRaceWon(async () => {
    const had = (await job.repository.remoteHeads([source])).get(source);
    const head = await job.repository.fetch(target);
    const plan = await job.plan(head);
    const latest = await requests?.latest(branches);
    if (plan.changes.length === 0) {
      const request = latest && (await withdraw(requests, latest));
      const left = had && (await removeBranch(job, source, had));
      const status = request && { request: requestStatus(request, source, {}) };
      return { kind: 'synced', head, at: stateOf(head, left), plan, ...status };
    }
    const proposal = proposalOf(plan);
    const proposed = { kind: 'proposed' as const, head, branch: source, plan, notes: [] };
    if (latest !== undefined && isDeclined(job, latest, proposal)) {
      const request = requestStatus(latest, source, { proposal });
      return { ...proposed, at: stateOf(head, had), request };
    }
    const commit = await bringBranch(job, source, { base: head, had, plan });
    const pushed = { ...proposed, at: stateOf(head, commit), ...(commit !== had && { pushed: commit }) };
    if (requests === undefined) return pushed;
    const { request, notes } = await bringRequest(requests, branches, latest, await textOf(plan));
    return { ...pushed, notes, request: requestStatus(request, source, { commit, proposal }) };
  }, job.signal);
}

interface BranchState {
  /** The head of the target branch. */
  readonly base: string;
  /** The head of our branch, when there is one. */
  readonly had: string | undefined;
  readonly plan: EditPlan;
}

/** Makes our branch carry the plan. @returns its head */
async function bringBranch(job: Job, source: string, { base, had, plan }: BranchState): Promise<string> {
  const { repository } = job;
  if (had !== undefined) {
    await repository.fetch(source, 2);
    if (!(await isOurs(job, had))) return addTo(job, source, had);
    if (await carries(job, had, plan)) return had;
  }
  const commit = await job.commit(base, plan);
  await landed(job, source, commit, () => repository.replace(commit, source, had));
  return commit;
}

/** On top of what a person pushed to our branch. */
async function addTo(job: Job, source: string, head: string): Promise<string> {
  const plan = await job.plan(head);
  if (plan.changes.length === 0) return head;
  const commit = await job.commit(head, plan);
  await landed(job, source, commit, () => job.repository.push(commit, source, head));
  return commit;
}

/**
 * Whether a commit is one that we pushed, and so may be replaced: the status knows it or, where the status was lost, it is a
 * plain commit by our author.
 */
async function isOurs({ gitRepo, repository, author }: Job, head: string): Promise<boolean> {
  const { pullRequest, lastPushCommit } = gitRepo.status;
  if (head === pullRequest?.commit || head === lastPushCommit) return true;
  const { parents, committer } = await repository.describe(head);
  return parents.length === 1 && committer === `${author.name} <${author.email}>`;
}

/** Whether a commit changes just what the plan does: then it still merges cleanly, wherever the target branch went. */
async function carries({ repository }: Job, commit: string, { changes }: EditPlan): Promise<boolean> {
  const { parents } = await repository.describe(commit);
  if (parents[0] === undefined) return false;
  const changed = await repository.changedFiles(parents[0], commit);
  return (
    changed.size === changes.length &&
    changes.every(({ path, content }) => changed.get(path) === repository.blobId(content))
  );
}

/** Opens a request, or makes the open one say what the plan does now. */
function bringRequest(
  requests: PullRequests,
  branches: Branches,
  latest: PullRequest | undefined,
  text: PullRequestText,
): Promise<Written> {
  return latest?.state === 'Open' ? requests.update(latest.number, text) : requests.open(branches, text);
}

async function withdraw(requests: PullRequests | undefined, latest: PullRequest): Promise<PullRequest> {
  if (latest.state !== 'Open') return latest;
  await requests?.close(latest.number, WITHDRAWN);
  return { ...latest, state: 'Closed' };
}

/** Removes our branch, unless a person pushed to it. @returns its head when it is left */
async function removeBranch(job: Job, source: string, head: string): Promise<string | undefined> {
  await job.repository.fetch(source);
  if (!(await isOurs(job, head))) return head;
  await job.repository.deleteBranch(source, head);
  return undefined;
}

/** Did a person close the request that proposed just this? */
function isDeclined({ gitRepo }: Job, latest: PullRequest, proposal: string): boolean {
  const known = gitRepo.status.pullRequest;
  return latest.state === 'Closed' && known?.number === latest.number && known.proposal === proposal;
}

/** Tells proposals apart: the same marked scalars in the same files, and the same values for them. */
function proposalOf({ edits }: EditPlan): string {
  const lines = edits.map(({ file, marker, after }) => JSON.stringify([file, marker, after])).toSorted();
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}

function requestStatus(
  { number, url, state }: PullRequest,
  branch: string,
  more: Pick<RequestStatus, 'commit' | 'proposal'>,
): RequestStatus {
  return { number, url, state, branch, ...more };
}
