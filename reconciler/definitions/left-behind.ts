import { FLEET_GROUP } from '../../core/group.ts';
import { FLEET_COMMIT_LABEL, FLEET_REPO_LABEL } from '../../kube/kinds/fleet.ts';
import type { StoredGitRepo, StoredScan } from '../stores.ts';
import type { Defined } from './definition.ts';
import { isGoing, type Operation, tagNameOf } from './plan.ts';

type Owner = Pick<StoredGitRepo, 'group' | 'namespace' | 'name' | 'deployedCommit'>;
type Removal = Extract<Operation, { kind: 'remove' }>;

/**
 * Removes the ImageScans that `fleet apply` made of an entry of a GitRepo's `fleet.yaml` and left behind: of an older commit than the one
 * that Fleet deploys, and by now either no file defines their tagName, or another ImageScan has it. The latter are the last ones of a list
 * from which an entry went, since Fleet names them by their places. Whatever a mistake or an unread file may still define stays.
 *
 * @param commit the one whose files define `defined`
 * @param scans all ImageScans of the cluster, of both groups
 */
export function leftBehindOf(
  owner: Owner,
  defined: Defined,
  commit: string,
  scans: Iterable<StoredScan>,
): Removal[] {
  if (owner.group !== FLEET_GROUP || owner.deployedCommit !== commit) return [];
  const applied = Iterator.from(scans)
    .filter((scan) => isApplied(owner, scan))
    .toArray();
  const ofCommit = (scan: StoredScan): boolean => scan.metadata.labels[FLEET_COMMIT_LABEL] === commit;
  const borneAnew = new Set(applied.filter(ofCommit).map(tagNameOf));
  return applied
    .filter((scan) => !ofCommit(scan) && !isGoing(scan))
    .filter((scan) => borneAnew.has(tagNameOf(scan)) || !mayBeDefined(defined, tagNameOf(scan)))
    .map((scan) => ({ kind: 'remove', scan }));
}

function isApplied({ namespace, name }: Owner, { group, metadata, spec, ...scan }: StoredScan): boolean {
  return (
    group === FLEET_GROUP &&
    scan.namespace === namespace &&
    spec.gitrepoName === name &&
    metadata.labels[FLEET_REPO_LABEL] === name &&
    metadata.labels[FLEET_COMMIT_LABEL] !== undefined
  );
}

function mayBeDefined({ definitions, mistakes, unread }: Defined, tagName: string): boolean {
  const isHidden = mistakes.some((mistake) => mistake.tagName === undefined || mistake.tagName === tagName);
  return isHidden || unread.length > 0 || definitions.some((definition) => definition.tagName === tagName);
}
