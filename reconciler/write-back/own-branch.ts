import type { EditPlan } from '../../write-back/plan.ts';
import { landed } from './branch.ts';
import type { Job } from './job.ts';

/** How our branch is to be: one commit that carries `plan` on top of `base`. */
export interface Wanted {
  /** The head of the target branch. */
  readonly base: string;
  readonly plan: EditPlan;
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
    if (!(await isOurs(job, had, wanted.base))) return addTo(job, source, had);
    if (await carries(job, had, wanted.plan)) return { head: had, isPushed: false, isOurs: true };
  }
  const commit = await job.commit(wanted.base, wanted.plan);
  await landed(job, source, commit, () => repository.replace(commit, source, had));
  return { head: commit, isPushed: true, isOurs: true };
}

/** Removes our branch, unless a person pushed to it. @returns its head when it is left */
export async function removeBranch(
  job: Job,
  source: string,
  had: string,
  base: string,
): Promise<string | undefined> {
  await job.repository.fetch(source);
  if (!(await isOurs(job, had, base))) return had;
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
 * right on top of the target branch as it is.
 */
async function isOurs({ gitRepo, repository, author }: Job, head: string, base: string): Promise<boolean> {
  if (head === gitRepo.status.proposal?.commit) return true;
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
