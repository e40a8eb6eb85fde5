import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import { listAll } from '../kube/list.ts';
import type { Resource } from '../kube/resource.ts';
import { isKindAbsent } from './failure.ts';

/** A namespace, or all of them. */
export interface Place {
  readonly namespace?: string;
}

/** Where the objects of a kind are. */
interface Listed {
  readonly group: Group;
  readonly resource: Resource;
}

/**
 * Lists the objects of a kind. Of one of Fleet's that the cluster does not have, or that the user may not see, there are none:
 * who named no object did not ask for it.
 *
 * @param project undefined: the object is of no interest
 * @throws {ApiError} and what `project` throws
 */
export async function list<T>(
  client: KubeClient,
  { group, resource }: Listed,
  place: Place,
  project: (raw: unknown) => T | undefined,
): Promise<T[]> {
  try {
    return (await listAll(client, { resource, ...place }, { project })).items;
  } catch (error) {
    if (group === FLEET_GROUP && isWithheld(error)) return [];
    throw error;
  }
}

const GROUPS = [OWN_GROUP, FLEET_GROUP] as const;

/**
 * Reads objects of both groups at the same time; ours come first.
 *
 * @throws what `read` throws; an AggregateError when it throws for both
 */
export async function ofBothGroups<T>(read: (group: Group) => Promise<T[]>): Promise<T[]> {
  const results = await Promise.allSettled(GROUPS.map(read));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length > 1) throw new AggregateError(failures, 'neither group could be read');
  if (failures.length === 1) throw failures[0];
  return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

/** Is the kind not there, or not for this user? */
export function isWithheld(error: unknown): boolean {
  return isKindAbsent(error) || (error instanceof ApiError && error.code === 'Forbidden');
}
