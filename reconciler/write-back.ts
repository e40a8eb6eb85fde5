import { createHash } from 'node:crypto';
import path from 'node:path';
import { type CodedError, messageOf } from '../core/errors.ts';
import { PathError } from '../core/paths.ts';
import type { ScanIndex } from '../core/scan.ts';
import { AddressError, GitError, type GitErrorCode } from '../git/errors.ts';
import { openRepository, type Repository } from '../git/repository.ts';
import { commitMessage, TemplateError } from '../write-back/commit-message.ts';
import { type EditPlan, planEdits } from '../write-back/plan.ts';
import { type AccessDependencies, AccessError, gitAccess } from './git-access.ts';
import { IntervalError, parseInterval } from '../scan/interval.ts';
import { SecretError } from '../kube/secret.ts';
import type { StoredGitRepo } from './stores.ts';

/** Fleet's defaults. */
const DEFAULT_BRANCH = 'master';
const DEFAULT_AUTHOR = { name: 'Fleetscan', email: 'noreply@fleetscan.io' };
/** How often a commit is made anew on top of somebody else's that came first. */
const PUSH_TRIES = 5;

export type WriteBackFailure =
  | GitErrorCode
  | PathError['code']
  | AddressError['code']
  | AccessError['code']
  | SecretError['code']
  | IntervalError['code']
  | TemplateError['code'];

/** What a write-back did. */
export type WriteBackResult =
  | {
      readonly kind: 'synced';
      /** The branch's head now. */
      readonly head: string;
      /** The same, when we pushed it. */
      readonly pushed?: string;
      readonly plan: EditPlan;
    }
  | { readonly kind: 'unchanged'; readonly head: string }
  | { readonly kind: 'failed'; readonly reason: WriteBackFailure; readonly message: string };

/** What {@link writeBack} works with. */
export interface WriteBackDependencies extends AccessDependencies {
  readonly index: ScanIndex;
  /** The head at which Git agreed with the values that are still in force now: met again, there is nothing to do. */
  readonly agreedAt?: string;
}

/**
 * Makes a GitRepo's branch agree with the values in force: one commit with the marked scalars that differ, pushed on top
 * of the branch as it is, or nothing.
 *
 * @throws only the signal's reason, or a mistake of ours
 */
export async function writeBack(
  gitRepo: StoredGitRepo,
  dependencies: WriteBackDependencies,
): Promise<WriteBackResult> {
  const { cacheDirectory, environment, signal } = dependencies;
  try {
    parseInterval(gitRepo.spec.imageScanInterval);
    const access = await gitAccess(gitRepo, dependencies);
    const directory = repositoryDirectory(cacheDirectory, gitRepo);
    const repository = await openRepository({ directory, ...access, environment, signal });
    const branch = gitRepo.spec.branch || DEFAULT_BRANCH;
    const head = await repository.remoteHead(branch);
    if (head === dependencies.agreedAt) return { kind: 'unchanged', head };
    return await commitAndPush(gitRepo, repository, branch, dependencies.index);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'failed', reason: failureReason(error), message: messageOf(error) };
  }
}

/** What a local copy is kept by. */
type GitRepoPlace = Pick<StoredGitRepo, 'namespace' | 'name'> & {
  readonly spec: Pick<StoredGitRepo['spec'], 'repo'>;
};

/** The folder in which a GitRepo's repository is kept between runs. */
export function repositoryDirectory(cacheDirectory: string, { namespace, name, spec }: GitRepoPlace): string {
  const key = createHash('sha256').update(`${namespace}/${name} ${spec.repo}`).digest('hex').slice(0, 32);
  return path.join(cacheDirectory, 'git', key);
}

async function commitAndPush(
  { namespace, name, spec }: StoredGitRepo,
  repository: Repository,
  branch: string,
  index: ScanIndex,
): Promise<WriteBackResult> {
  for (let attempt = 1; ; attempt++) {
    const head = await repository.fetch(branch);
    const plan = await planEdits(repository, head, spec.paths ?? [], (marker) =>
      index.find(marker, { namespace, gitrepo: name }),
    );
    if (plan.changes.length === 0) return { kind: 'synced', head, plan };
    const { authorName, authorEmail, messageTemplate } = spec.imageScanCommit ?? {};
    const commit = await repository.commit({
      parent: head,
      changes: plan.changes,
      author: { name: authorName || DEFAULT_AUTHOR.name, email: authorEmail || DEFAULT_AUTHOR.email },
      message: commitMessage(messageTemplate, { gitRepo: { namespace, name }, edits: plan.edits }),
    });
    try {
      await repository.push(commit, branch, head);
      return { kind: 'synced', head: commit, pushed: commit, plan };
    } catch (error) {
      const isLostRace = error instanceof GitError && error.rejection === 'Moved';
      if (!isLostRace || attempt === PUSH_TRIES) throw error;
    }
  }
}

function failureReason(error: unknown): WriteBackFailure {
  const known = [GitError, PathError, AddressError, AccessError, SecretError, IntervalError, TemplateError];
  if (known.some((kind) => error instanceof kind)) return (error as CodedError<WriteBackFailure>).code;
  throw error;
}
