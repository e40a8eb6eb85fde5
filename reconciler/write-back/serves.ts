import { matchesGlob } from '../../core/glob.ts';
import { FLEET_GROUP, objectKey, OWN_GROUP } from '../../core/group.ts';
import type { Collection } from '../../kube/store.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';

/** May a marker in this GitRepo name that scan? By its namespace, or because it is exported to it. */
export function serves({ namespace, spec }: StoredScan, gitRepo: StoredGitRepo): boolean {
  const { exportTo = [], gitrepoName } = spec;
  if (namespace === gitRepo.namespace) return !gitrepoName || gitrepoName === gitRepo.name;
  return exportTo.some((pattern) => matchesGlob(pattern, gitRepo.namespace));
}

/** The GitRepos whose markers may name a scan. One that is for a GitRepo, as all of Fleet's are, is not compared with the others. */
export function servedBy(
  scan: StoredScan,
  gitRepos: Pick<Collection<StoredGitRepo>, 'get' | 'values'>,
): Iterable<StoredGitRepo> {
  const { exportTo = [], gitrepoName } = scan.spec;
  if (!gitrepoName || exportTo.length > 0)
    return Iterator.from(gitRepos.values()).filter((gitRepo) => serves(scan, gitRepo));
  const named = { namespace: scan.namespace, name: gitrepoName };
  const both = [OWN_GROUP, FLEET_GROUP].map((group) => gitRepos.get(objectKey({ group, ...named })));
  return both.filter((gitRepo) => gitRepo !== undefined);
}
