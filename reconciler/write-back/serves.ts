import { matchesGlob } from '../../core/glob.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';

/** May a marker in this GitRepo name that scan? By its namespace, or because it is exported to it. */
export function serves({ namespace, spec }: StoredScan, gitRepo: StoredGitRepo): boolean {
  const { exportTo = [], gitrepoName } = spec;
  if (namespace === gitRepo.namespace) return !gitrepoName || gitrepoName === gitRepo.name;
  return exportTo.some((pattern) => matchesGlob(pattern, gitRepo.namespace));
}
