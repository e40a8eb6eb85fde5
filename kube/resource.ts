import { FLEET_GROUP } from '../core/group.ts';
import { GROUP, VERSION } from './kinds/common.ts';

/** A kind of object as the API server's paths name it; the core group is the empty string. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export const IMAGE_SCANS: Resource = { group: GROUP, version: VERSION, plural: 'imagescans' };
export const GIT_REPOS: Resource = { group: GROUP, version: VERSION, plural: 'gitrepos' };
export const FLEET_IMAGE_SCANS: Resource = { ...IMAGE_SCANS, group: FLEET_GROUP };
export const FLEET_GIT_REPOS: Resource = { ...GIT_REPOS, group: FLEET_GROUP };
export const NAMESPACES: Resource = { group: '', version: 'v1', plural: 'namespaces' };
export const PODS: Resource = { group: '', version: 'v1', plural: 'pods' };
export const SERVICE_ACCOUNTS: Resource = { group: '', version: 'v1', plural: 'serviceaccounts' };
export const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets' };
export const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps' };
export const DEPLOYMENTS: Resource = { group: 'apps', version: 'v1', plural: 'deployments' };
export const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
export const EVENTS: Resource = { group: 'events.k8s.io', version: 'v1', plural: 'events' };
export const CUSTOM_RESOURCE_DEFINITIONS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
};
export const MUTATING_WEBHOOKS: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'mutatingwebhookconfigurations',
};

/** One object, or with no name a collection; with no namespace all namespaces, or what lives in none. */
export interface ObjectPath {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** `group/version`, as an object's `apiVersion` has it. */
export function apiVersion({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The path under which the API server serves an object or collection. */
export function urlPath({ resource, namespace, name, subresource }: ObjectPath): string {
  const root = resource.group === '' ? ['api'] : ['apis', resource.group];
  const inNamespace = namespace === undefined ? [] : ['namespaces', namespace];
  const rest = [name, subresource].filter((part) => part !== undefined);
  const parts = [...root, resource.version, ...inNamespace, resource.plural, ...rest];
  return `/${parts.map(encodeURIComponent).join('/')}`;
}
