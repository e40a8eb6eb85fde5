import type { ScanIndex } from '../../core/scan.ts';
import type { Repository } from '../../git/repository.ts';
import { type CommitData, commitMessage } from '../../write-back/commit-message.ts';
import type { FleetValues, Find } from '../../write-back/fleet-values.ts';
import type { KnownBlobs } from '../../write-back/known-blobs.ts';
import { type EditPlan, planEdits } from '../../write-back/plan.ts';
import type { StoredGitRepo } from '../stores.ts';

/** One write-back at work: a GitRepo, its repository, and how values in force become a commit there. */
export interface Job {
  readonly gitRepo: StoredGitRepo;
  readonly repository: Repository;
  readonly author: { readonly name: string; readonly email: string };
  readonly signal: AbortSignal;
  /** What has to change in a commit that was fetched. */
  plan(commit: string): Promise<EditPlan>;
  /** Makes the commit that carries a plan out, on top of `parent` and in the local copy only. @returns its id */
  commit(parent: string, plan: EditPlan): Promise<string>;
}

/** What {@link jobFor} works with. */
export interface JobParts extends Pick<Job, 'gitRepo' | 'repository' | 'signal'> {
  readonly index: ScanIndex;
  readonly known?: KnownBlobs;
  /** Set where values are to be written as Fleet writes them. */
  readonly fleetValues?: FleetValues;
  /** Done for each commit before it is planned for. */
  readonly define?: (source: Repository, commit: string) => Promise<void>;
}

const DEFAULT_AUTHOR = { name: 'Fleetscan', email: 'noreply@fleetscan.io' };

/** Makes the job of a GitRepo. */
export function jobFor(parts: JobParts): Job {
  const { gitRepo, repository, index, signal, known, fleetValues, define } = parts;
  const { namespace, name, spec } = gitRepo;
  const { authorName, authorEmail, messageTemplate, signOff } = spec.imageScanCommit ?? {};
  const author = { name: authorName || DEFAULT_AUTHOR.name, email: authorEmail || DEFAULT_AUTHOR.email };
  return {
    gitRepo,
    repository,
    author,
    signal,
    plan: async (commit) => {
      await define?.(repository, commit);
      const find: Find = (marker) => index.find(marker, { namespace, gitrepo: name });
      const planWith = (find: Find): Promise<EditPlan> =>
        planEdits(repository, commit, spec.paths ?? [], find, known);
      if (fleetValues === undefined) return planWith(find);
      const { result: plan, failures } = await fleetValues.during(find, planWith, signal);
      return failures.length === 0 ? plan : { ...plan, isIncomplete: true };
    },
    commit: (parent, plan) =>
      repository.commit({
        parent,
        changes: plan.changes,
        author,
        message: commitMessage(messageTemplate, dataOf(gitRepo, plan), signOff ? { signOff: author } : {}),
      }),
  };
}

/** What messages and titles speak of. */
export function dataOf({ namespace, name }: StoredGitRepo, { edits }: EditPlan): CommitData {
  return { gitRepo: { namespace, name }, edits };
}
