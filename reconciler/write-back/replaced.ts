import { FLEET_GROUP, objectKey, type ObjectName, OWN_GROUP } from '../../core/group.ts';
import type { Collection } from '../../kube/store.ts';
import type { StoredGitRepo } from '../stores.ts';

/** Is it a GitRepo of Fleet's in whose place one of ours of its name writes back? */
export function isReplaced(
  { group, namespace, name }: ObjectName,
  gitRepos: Pick<Collection<StoredGitRepo>, 'get'>,
): boolean {
  return (
    group === FLEET_GROUP && gitRepos.get(objectKey({ group: OWN_GROUP, namespace, name })) !== undefined
  );
}
