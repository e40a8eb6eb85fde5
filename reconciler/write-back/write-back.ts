import type { CodedError } from '../../core/errors.ts';
import { PathError } from '../../core/paths.ts';
import type { ScanIndex } from '../../core/scan.ts';
import { AddressError, GitError } from '../../git/errors.ts';
import { HostError } from '../../git/hosts/host.ts';
import { openRepository, type Repository } from '../../git/repository.ts';
import { SecretError } from '../../kube/secret.ts';
import { IntervalError, parseInterval } from '../../scan/interval.ts';
import { checkTemplate, TemplateError } from '../../write-back/commit-message.ts';
import type { FleetValues } from '../../write-back/fleet-values.ts';
import type { AskLabels } from '../../write-back/image-labels.ts';
import type { EditPlan } from '../../write-back/plan.ts';
import { checkTitle } from '../../write-back/pull-request-text.ts';
import type { GitRepoSpec } from '../../kube/kinds/git-repo.ts';
import type { KnownBlobs } from '../../write-back/known-blobs.ts';
import type { StoredGitRepo } from '../stores.ts';
import { writeToBranch } from './branch.ts';
import { repositoryDirectory } from './copies.ts';
import { takeBackFormer } from './former.ts';
import { type AccessDependencies, AccessError, gitAccess } from './git-access.ts';
import { jobFor } from './job.ts';
import { propose } from './proposal.ts';
import { isAsKnown, pullRequestsOf, textOf } from './pull-request.ts';
import type { Failed, WriteBackFailure, WriteBackResult } from './result.ts';
import { branchesOf, stateOf, targetOf } from './target.ts';

/** What {@link writeBack} works with. */
export interface WriteBackDependencies extends AccessDependencies {
  readonly index: ScanIndex;
  /** The state of the branches at which Git agreed with the values that are still in force now: met again, there is nothing to do. */
  readonly agreedAt?: string;
  /** Tells where images come from; see {@link import('./ask-labels.ts').labelAsker}. */
  readonly askLabels?: (signal: AbortSignal) => AskLabels;
  /** `spec.compatibility` of a GitRepo that has none. */
  readonly compatibility: NonNullable<GitRepoSpec['compatibility']>;
  /** For those of which it is `Fleet`. */
  readonly fleetValues: FleetValues;
  /** What earlier runs know of the repository's blobs. */
  readonly known?: KnownBlobs;
  /** Makes the scans that the files of a commit define, before its markers are looked at. */
  readonly define?: (source: Repository, commit: string) => Promise<void>;
}

/**
 * Makes Git agree with the values in force: one commit with the marked scalars of a GitRepo that differ, pushed on top of the
 * branch as it is or to a branch of our own with a pull request; or nothing.
 *
 * @throws only the signal's reason, or a mistake of ours
 */
export async function writeBack(
  gitRepo: StoredGitRepo,
  dependencies: WriteBackDependencies,
): Promise<WriteBackResult> {
  const { cacheDirectory, environment, signal, index, agreedAt, known, fleetValues, define } = dependencies;
  try {
    checkSpec(gitRepo.spec);
    const access = await gitAccess(gitRepo, dependencies);
    const directory = repositoryDirectory(cacheDirectory, gitRepo);
    const repository = await openRepository({ directory, ...access, environment, signal });
    const target = targetOf(gitRepo);
    const branches = branchesOf(target);
    const heads = await repository.remoteHeads(branches);
    const [head = ''] = branches.map((branch) => heads.get(branch));
    const at = stateOf(...branches.map((branch) => heads.get(branch)));
    const job = jobFor({
      gitRepo,
      repository,
      index,
      signal,
      ...(known && { known }),
      ...(isCompatible(gitRepo, dependencies) && { fleetValues }),
      ...(define && { define }),
    });
    if (target.kind === 'branch') {
      if (at === agreedAt) return { kind: 'unchanged', head, at };
      await takeBackFormer(job, target, undefined);
      return await writeToBranch(job, target.branch);
    }
    const { pullRequest } = target;
    const proposing = pullRequest && {
      requests: await pullRequestsOf(job, pullRequest, access, dependencies),
      textOf: (plan: EditPlan) => textOf(job, pullRequest, plan, dependencies.askLabels?.(signal)),
    };
    const isKnown = at === agreedAt && (await isAsKnown(job, target, proposing?.requests));
    if (isKnown) return { kind: 'unchanged', head, at };
    await takeBackFormer(job, target, proposing?.requests);
    return await propose(job, target, proposing);
  } catch (error) {
    signal.throwIfAborted();
    return failed(error);
  }
}

/** Is what is written to be what Fleet writes? */
function isCompatible({ spec }: StoredGitRepo, { compatibility }: WriteBackDependencies): boolean {
  return (spec.compatibility ?? compatibility) === 'Fleet';
}

/** Finds what is wrong in a spec before anything is asked of a server. */
function checkSpec({ imageScanInterval, imageScanCommit, pullRequest }: GitRepoSpec): void {
  parseInterval(imageScanInterval);
  checkTemplate(imageScanCommit?.messageTemplate);
  checkTitle(pullRequest?.title);
}

const OWN_ERRORS = [
  GitError,
  PathError,
  AddressError,
  AccessError,
  SecretError,
  IntervalError,
  TemplateError,
];

function failed(error: unknown): Failed {
  if (error instanceof HostError) {
    const { code, message, retryAfterMs } = error;
    const reason = `PullRequest${code}` as const;
    return { kind: 'failed', reason, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  if (!OWN_ERRORS.some((kind) => error instanceof kind)) throw error;
  const { code, message } = error as CodedError<WriteBackFailure>;
  return { kind: 'failed', reason: code, message };
}
