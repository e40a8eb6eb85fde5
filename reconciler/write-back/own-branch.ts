import type { Branches } from '../../git/hosts/host.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import { landed } from './branch.ts';
import type { Job } from './job.ts';
import { ownBranchOf } from './target.ts';

/** How our branch is to be: one commit that carries `plan` on top of `base`. */
export interface Wanted {
  /** The head of the target branch. */
  readonly base: string;
  readonly plan: EditPlan;
  /** Whether all that is on our branch is in the target branch: by a squash, too, which leaves the commits that it was made of. */
  readonly isMerged: boolean;
}

/** Our branch, as it was left. */
export interface OwnBranch {
  readonly head: string;
  readonly isPushed: boolean;
  /** Whether it holds one commit of ours and nothing else, so that it may be replaced. */
  readonly isOurs: boolean;
}

/**
 * Makes our branch carry the plan.
 *
 * @param had its head, when there is one
 */
export async function bringBranch(
  job: Job,
  source: string,
  had: string | undefined,
  wanted: Wanted,
): Promise<OwnBranch> {
  const { repository } = job;
  if (had !== undefined) {
    await repository.fetch(source, 2);
    if (!(await mayReplace(job, had, wanted))) return addTo(job, source, had);
    if (!wanted.isMerged && (await carries(job, had, wanted.plan)))
      return { head: had, isPushed: false, isOurs: true };
  }
  const commit = await job.commit(wanted.base, wanted.plan);
  await landed(job, source, commit, () => repository.replace(commit, source, had));
  return { head: commit, isPushed: true, isOurs: true };
}

/**
 * Whether what is on a branch, and its request, may be of our making: a branch that the spec names can be another's as well,
 * so only what the status says we proposed there counts.
 */
export function hasProposed({ gitRepo }: Job, { source, target }: Branches): boolean {
  return source === ownBranchOf(gitRepo, target) || source === gitRepo.status.proposal?.branch;
}

/** Removes our branch, unless a person pushed to it. @returns its head when it is left */
export async function removeBranch(
  job: Job,
  branches: Branches,
  had: string,
  { base, isMerged }: Omit<Wanted, 'plan'>,
): Promise<string | undefined> {
  const { source, target } = branches;
  await job.repository.fetch(source);
  const isLost = source === ownBranchOf(job.gitRepo, target) && (await isByUs(job, had, base));
  if (!isMerged && had !== job.gitRepo.status.proposal?.commit && !isLost) return had;
  await job.repository.deleteBranch(source, had);
  return undefined;
}

/** On top of what a person pushed to our branch. */
async function addTo(job: Job, source: string, head: string): Promise<OwnBranch> {
  const plan = await job.plan(head);
  if (plan.changes.length === 0) return { head, isPushed: false, isOurs: false };
  const commit = await job.commit(head, plan);
  await landed(job, source, commit, () => job.repository.push(commit, source, head));
  return { head: commit, isPushed: true, isOurs: false };
}

/**
 * Whether our branch holds a commit of ours and nothing else: the status says so or, where that was lost, our author made it
 * right on top of the target branch as it is, of files that we would change.
 */
async function mayReplace(job: Job, head: string, { base, plan, isMerged }: Wanted): Promise<boolean> {
  if (isMerged || head === job.gitRepo.status.proposal?.commit) return true;
  if (!(await isByUs(job, head, base))) return false;
  const files = new Set(plan.changes.map(({ path }) => path));
  return files.isSupersetOf(await job.repository.changedFiles(base, head));
}

/** Did our author make it, and right on top of the target branch as it is? */
async function isByUs({ repository, author }: Job, head: string, base: string): Promise<boolean> {
  const { parents, committer } = await repository.describe(head);
  const isPlain = parents.length === 1 && parents[0] === base;
  return isPlain && committer === `${author.name} <${author.email}>`;
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
