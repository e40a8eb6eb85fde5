import { FLEET_GROUP, type Group, OWN_GROUP } from '../../core/group.ts';
import { GIT_REPOS } from '../../kube/resource.ts';
import { FleetGitRepoTeller, type TellerDependencies } from '../fleet/git-repo-teller.ts';
import { type Written, writeStatus } from '../status-writer.ts';
import { parseStoredGitRepo, type StoredGitRepo } from '../stores.ts';
import type { Outcome } from './result.ts';
import { statusAfter } from './status.ts';

/** Tells in the status of a group's GitRepos what came of their write-backs. */
export interface Teller {
  /**
   * Tells what came of a run.
   *
   * @returns undefined when the object is not as it was any more, see {@link writeStatus}
   * @throws {ApiError}
   */
  tell(
    gitRepo: StoredGitRepo,
    outcome: Outcome,
    signal: AbortSignal,
  ): Promise<Written<StoredGitRepo> | undefined>;
  /** Does what it has to do between runs, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** The tellers of both groups. */
export function tellers(dependencies: TellerDependencies): Readonly<Record<Group, Teller>> {
  const { client } = dependencies;
  const own: Teller = {
    tell: (gitRepo, { result, brought }, signal) =>
      writeStatus(
        client,
        { resource: GIT_REPOS, namespace: gitRepo.namespace, name: gitRepo.name },
        gitRepo,
        {
          parse: parseStoredGitRepo,
          next: (fresh) => statusAfter(fresh, result, new Date(), brought),
          signal,
        },
      ),
    run: async () => {},
  };
  return { [OWN_GROUP]: own, [FLEET_GROUP]: new FleetGitRepoTeller(dependencies) };
}
