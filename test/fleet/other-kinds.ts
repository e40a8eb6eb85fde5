import type { KubeClient } from '../../kube/client.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from '../../kube/resource.ts';

/** The kinds that Fleet's controller wants to find and image scan has nothing to do with. */
const OTHERS = [
  'Bundle',
  'BundleDeployment',
  'BundleNamespaceMapping',
  'Cluster',
  'ClusterGroup',
  'ClusterRegistration',
  'ClusterRegistrationToken',
  'GitRepoRestriction',
  'HelmOp',
  'Schedule',
] as const;

/** Installs the rest of Fleet's kinds, which take any fields. */
export async function installOtherFleetKinds(client: KubeClient): Promise<void> {
  const definitions = [
    ...OTHERS.map((kind) => definition(kind, 'Namespaced')),
    definition('Content', 'Cluster'),
  ];
  for (const each of [...definitions, definition('Policy', 'Namespaced', 'policies')])
    await client.create({ resource: CUSTOM_RESOURCE_DEFINITIONS }, each);
}

function definition(kind: string, scope: string, plural = `${kind.toLowerCase()}s`): object {
  const any = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.fleet.cattle.io` },
    spec: {
      group: 'fleet.cattle.io',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope,
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: any },
        },
      ],
    },
  };
}
