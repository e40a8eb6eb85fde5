import type { Branches } from '../../git/hosts/host.ts';
import type { GitRepoSpec } from '../../kube/kinds/git-repo.ts';
import type { StoredGitRepo } from '../stores.ts';

/** Fleet's. */
const DEFAULT_BRANCH = 'master';

/** Where a GitRepo's commits go: on top of the branch that is read, or to a branch of our own that people merge. */
export type Target =
  | { readonly kind: 'branch'; readonly branch: string }
  | (Branches & { readonly kind: 'proposal'; readonly pullRequest: GitRepoSpec['pullRequest'] });

/** Reads a GitRepo's target from its spec. A branch of our own has a name that no other GitRepo and no other target has. */
export function targetOf({ namespace, name, spec }: StoredGitRepo): Target {
  const target = spec.branch || DEFAULT_BRANCH;
  const { pullRequest } = spec;
  const named = spec.push?.branch === target ? undefined : spec.push?.branch;
  const ownBranch = pullRequest && ownBranchOf({ namespace, name }, target);
  // Who asks for a pull request never gets a push to the branch that it is for.
  const source = named || ownBranch || target;
  return source === target
    ? { kind: 'branch', branch: target }
    : { kind: 'proposal', source, target, pullRequest };
}

/** A branch that no other GitRepo has, and no other target of this one. */
export function ownBranchOf(
  { namespace, name }: Pick<StoredGitRepo, 'namespace' | 'name'>,
  target: string,
): string {
  return `fleetscan/${namespace}/${name}/${target}`;
}

/** The branches whose heads tell whether anything happened since the last run. */
export function branchesOf(target: Target): string[] {
  return target.kind === 'branch' ? [target.branch] : [target.target, target.source];
}

/** The heads of {@link branchesOf} in one text, to be compared with those of a later run. */
export function stateOf(...heads: readonly (string | undefined)[]): string {
  return heads.map((head) => head ?? '').join(' ');
}
