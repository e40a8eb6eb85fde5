/** A rule of RBAC, as roles hold it and as the API server reviews it. */
export interface Rule {
  readonly apiGroups: string[];
  readonly resources: string[];
  readonly resourceNames?: string[];
  readonly verbs: string[];
}

/** Rules, one line each, so that a widening shows as a line. */
export function ruleLines(rules: readonly Rule[]): string[] {
  return rules.map(({ apiGroups, resources, resourceNames, verbs }) => {
    const names = resourceNames === undefined ? '' : ` named ${resourceNames.join(',')}`;
    return `${verbs.join(',')} ${resources.join(',')} of "${apiGroups.join(',')}"${names}`;
  });
}

/** What the programs may do in every namespace. */
export const EVERYWHERE = [
  'get,list,watch imagescans,gitrepos of "fleetscan.io"',
  'patch imagescans/status,gitrepos/status of "fleetscan.io"',
  'create,patch,delete imagescans of "fleetscan.io"',
  'create,patch events of "events.k8s.io"',
  'get,list,watch,patch mutatingwebhookconfigurations of "admissionregistration.k8s.io" named fleetscan',
];
/** The same for Fleet's kinds, by what is done with them: see values.yaml. */
export const FLEET = {
  off: ['list,patch imagescans of "fleet.cattle.io"'],
  served: [
    'get,list,watch imagescans,gitrepos of "fleet.cattle.io"',
    'patch imagescans,imagescans/status,gitrepos/status of "fleet.cattle.io"',
    'get customresourcedefinitions of "apiextensions.k8s.io" named imagescans.fleet.cattle.io,gitrepos.fleet.cattle.io',
  ],
  takenOver: ['delete imagescans of "fleet.cattle.io"'],
} as const;
/** The same for what holds credentials, unless it is narrowed. */
export const ANY_SECRET = 'get secrets,serviceaccounts of ""';
/** What they may do besides in the namespace of the release. */
export const AT_HOME = [
  'create secrets of ""',
  'get,list,watch,patch secrets of "" named fleetscan-webhook-cert',
  'create leases of "coordination.k8s.io"',
  'get,patch leases of "coordination.k8s.io" named fleetscan-reconciler',
];
