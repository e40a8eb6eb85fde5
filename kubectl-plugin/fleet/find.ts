import { FLEET_GROUP, type Group, OWN_GROUP } from '../../core/group.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { GIT_REPO_KINDS, IMAGE_SCAN_KINDS, type ServedKind } from '../../kube/kinds/served.ts';
import { listAll } from '../../kube/list.ts';
import { tolerant } from '../objects.ts';
import type { Found } from './plan.ts';

/**
 * Reads the objects of both groups, in one namespace or (undefined) in all. Of a kind of Fleet's that is not served there are none.
 *
 * @param onError told of an object that has not the form of its kind; it is left out
 * @throws {ApiError}
 */
export async function find(
  client: KubeClient,
  namespace: string | undefined,
  onError: (error: Error) => void,
): Promise<Found> {
  const where = namespace === undefined ? {} : { namespace };
  const list = async <T>(kinds: Readonly<Record<Group, ServedKind<T>>>, group: Group): Promise<T[]> => {
    const { resource, parse } = kinds[group];
    try {
      return (await listAll(client, { resource, ...where }, { project: tolerant(parse, onError) })).items;
    } catch (error) {
      if (group === FLEET_GROUP && error instanceof ApiError && error.code === 'NotFound') return [];
      throw error;
    }
  };
  const [fleetScans, fleetGitRepos, ownScans, ownGitRepos] = await Promise.all([
    list(IMAGE_SCAN_KINDS, FLEET_GROUP),
    list(GIT_REPO_KINDS, FLEET_GROUP),
    list(IMAGE_SCAN_KINDS, OWN_GROUP),
    list(GIT_REPO_KINDS, OWN_GROUP),
  ]);
  return {
    fleet: { scans: fleetScans, gitRepos: fleetGitRepos },
    own: { scans: ownScans, gitRepos: ownGitRepos },
  };
}
