import { createHash } from 'node:crypto';
import type { Branches, PullRequest, PullRequests, PullRequestText, Written } from '../../git/hosts/host.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import type { Job } from './job.ts';
import { bringBranch, hasProposed, removeBranch } from './own-branch.ts';
import type { Proposed, RequestStatus, Synced } from './result.ts';
import { untilRaceWon } from './retry.ts';
import { stateOf } from './target.ts';

/** What {@link propose} asks of a host. */
export interface Proposing {
  readonly requests: PullRequests;
  /** What the request of a plan says. */
  readonly textOf: (plan: EditPlan) => Promise<PullRequestText>;
}

const WITHDRAWN = 'Closed by Fleetscan: the branch says what it should, so there is nothing left to merge.';

/**
 * Keeps a branch of our own, and its pull request, at what the target branch should say: made when there is something to
 * merge, brought up to date, and taken back when there is nothing any more. A request that a person closed stays closed
 * until other values come into force; what a person pushed to the branch stays there.
 *
 * @param proposing undefined when only the branch is wanted
 */
export function propose(
  job: Job,
  branches: Branches,
  proposing: Proposing | undefined,
): Promise<Synced | Proposed> {
  return untilRaceWon(async () => {
    const had = (await job.repository.remoteHeads([branches.source])).get(branches.source);
    const head = await job.repository.fetch(branches.target);
    const plan = await job.plan(head);
    const latest = await proposing?.requests.latest(branches);
    const seen = { job, branches, had, head, plan, latest };
    if (plan.changes.length > 0) return bring(seen, proposing);
    return plan.isIncomplete ? leave(seen) : withdraw(seen, proposing);
  }, job.signal);
}

/** What there was when a run began. */
interface Seen {
  readonly job: Job;
  readonly branches: Branches;
  /** The head of our branch. */
  readonly had: string | undefined;
  /** The head of the target branch. */
  readonly head: string;
  readonly plan: EditPlan;
  readonly latest: PullRequest | undefined;
}

async function bring(seen: Seen, proposing: Proposing | undefined): Promise<Proposed> {
  const { job, branches, had, head, plan, latest } = seen;
  const { source: branch } = branches;
  const changes = changesOf(plan);
  const proposed = { kind: 'proposed' as const, head, plan, notes: [] };
  if (latest !== undefined && isDeclined(job, latest, changes)) {
    const proposal = { branch, changes };
    return { ...proposed, at: stateOf(head, had), proposal, request: requestStatus(latest) };
  }
  const own = await bringBranch(job, branch, had, { base: head, plan, isMerged: isMerged(seen) });
  const pushed = {
    ...proposed,
    at: stateOf(head, own.head),
    proposal: { branch, changes, head: own.head, ...(own.isOurs && { commit: own.head }) },
    ...(own.isPushed && { pushed: own.head }),
  };
  if (proposing === undefined) return pushed;
  const text = await proposing.textOf(plan);
  const { request, notes } = await bringRequest(proposing.requests, branches, latest, text);
  return { ...pushed, notes, request: requestStatus(request) };
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

/** What is proposed may still be wanted: that is not known before a registry has answered. */
function leave({ job, head, had, plan, latest }: Seen): Synced | Proposed {
  const { proposal } = job.gitRepo.status;
  const looked = { head, at: stateOf(head, had), plan, ...(latest && { request: requestStatus(latest) }) };
  return proposal === undefined
    ? { kind: 'synced', ...looked }
    : { kind: 'proposed', ...looked, proposal, notes: [] };
}

/** There is nothing to merge: closes the request, and removes our branch. */
async function withdraw(seen: Seen, proposing: Proposing | undefined): Promise<Synced> {
  const { job, branches, had, head, plan, latest } = seen;
  if (!hasProposed(job, branches)) return { kind: 'synced', head, at: stateOf(head, had), plan };
  if (latest?.state === 'Open') await proposing?.requests.close(latest.number, WITHDRAWN);
  const left = had && (await removeBranch(job, branches, had, { base: head, isMerged: isMerged(seen) }));
  const request = latest && requestStatus(latest);
  const closed = request?.state === 'Open' ? { ...request, state: 'Closed' as const } : request;
  return { kind: 'synced', head, at: stateOf(head, left), plan, ...(closed && { request: closed }) };
}

/** Was all that is on our branch merged, whoever made it? So it is where the request was open when we saw this head, and is merged now. */
function isMerged({ job, had, latest }: Seen): boolean {
  const { pullRequest, proposal } = job.gitRepo.status;
  const isKnown = latest?.number === pullRequest?.number && had === proposal?.head;
  return isKnown && pullRequest?.state === 'Open' && latest?.state === 'Merged';
}

/** Did a person close the request that proposed just this? */
function isDeclined({ gitRepo }: Job, latest: PullRequest, changes: string): boolean {
  const { pullRequest, proposal } = gitRepo.status;
  return latest.state === 'Closed' && pullRequest?.number === latest.number && proposal?.changes === changes;
}

/** Tells proposals apart: the same marked scalars in the same files, and the same values for them. */
function changesOf({ edits }: EditPlan): string {
  const lines = edits.map(({ file, marker, after }) => JSON.stringify([file, marker, after])).toSorted();
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}

function requestStatus({ number, url, state }: PullRequest): RequestStatus {
  return { number, url, state };
}
