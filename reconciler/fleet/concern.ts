import type { StoredGitRepo, StoredScan } from '../stores.ts';
import type { WriteBackResult } from '../write-back/result.ts';
import { serves } from '../write-back/serves.ts';

/**
 * Is there anything to tell a GitRepo of Fleet's of its write-back? Most of them only deploy. An ImageScan names it, or a scan that
 * serves others too has a value for a marker in it.
 *
 * @param wasTold whether it was told of a run before, so that a run that found out nothing new may be told as well
 */
export function isConcerned(
  gitRepo: StoredGitRepo,
  scans: Iterable<StoredScan>,
  result: WriteBackResult,
  wasTold: boolean,
): boolean {
  if ('plan' in result && result.plan.current + result.plan.edits.length > 0) return true;
  const mayServe = 'plan' in result || !wasTold ? isFor : serves;
  return Iterator.from(scans).some((scan) => mayServe(scan, gitRepo));
}

function isFor({ namespace, spec }: StoredScan, gitRepo: StoredGitRepo): boolean {
  return namespace === gitRepo.namespace && spec.gitrepoName === gitRepo.name;
}
