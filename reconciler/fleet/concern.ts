import type { StoredGitRepo, StoredScan } from '../stores.ts';
import type { Outcome } from '../write-back/result.ts';
import { serves } from '../write-back/serves.ts';
import { acceptedAfter, type Told } from './git-repo-status.ts';

/**
 * Is there anything to tell a GitRepo of Fleet's of its write-back? Most of them only deploy. A file of it defines scans or fails to, an
 * ImageScan names it, or a scan that serves others too has a value for a marker in it.
 *
 * @param former what it was told of the run before, so that a run that found out nothing new may be told as well
 */
export function isConcerned(
  gitRepo: StoredGitRepo,
  scans: Iterable<StoredScan>,
  { result, brought }: Outcome,
  former: Told | undefined,
): boolean {
  if ('plan' in result && result.plan.current + result.plan.edits.length > 0) return true;
  const accepted = acceptedAfter(brought, former);
  if (accepted !== undefined && accepted !== 'None') return true;
  const mayServe = 'plan' in result || former === undefined ? isFor : serves;
  return Iterator.from(scans).some((scan) => mayServe(scan, gitRepo));
}

function isFor({ namespace, spec }: StoredScan, gitRepo: StoredGitRepo): boolean {
  return namespace === gitRepo.namespace && spec.gitrepoName === gitRepo.name;
}
