/** The API group of our own kinds. */
export const OWN_GROUP = 'fleetscan.io' as const;
/** Rancher Fleet's, whose ImageScans and GitRepos are served in place. */
export const FLEET_GROUP = 'fleet.cattle.io' as const;

/** The API groups whose ImageScans and GitRepos are served. */
export type Group = typeof OWN_GROUP | typeof FLEET_GROUP;

/** What an ImageScan or GitRepo of the cluster is found by. */
export interface ObjectName {
  readonly group: Group;
  readonly namespace: string;
  readonly name: string;
}

/** The key of an object everywhere: `namespace/name`, and for one of Fleet's `fleet.cattle.io/namespace/name`. */
export function objectKey({ group, namespace, name }: ObjectName): string {
  return group === OWN_GROUP ? `${namespace}/${name}` : `${group}/${namespace}/${name}`;
}
