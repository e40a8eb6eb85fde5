import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { only, type Rendered, type Release, render } from './chart.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** The rules of a role, one line each, so that a widening shows as a line. */
function rulesOf(role: Rendered): string[] {
  return (role['rules'] as Rule[]).map(({ apiGroups, resources, resourceNames, verbs }) => {
    const names = resourceNames === undefined ? '' : ` named ${resourceNames.join(',')}`;
    return `${verbs.join(',')} ${resources.join(',')} of "${apiGroups.join(',')}"${names}`;
  });
}

const EVERYWHERE = [
  'get,list,watch imagescans,gitrepos of "fleetscan.io"',
  'patch imagescans/status,gitrepos/status of "fleetscan.io"',
  'create,patch events of "events.k8s.io"',
  'get,list,watch,patch mutatingwebhookconfigurations of "admissionregistration.k8s.io" named fleetscan',
];

describe('the rights of the programs', () => {
  it('are these in all namespaces', async () => {
    const role = only(await render(), 'ClusterRole');
    assert.deepEqual(rulesOf(role), [...EVERYWHERE, 'get secrets of ""']);
  });

  it('are these in their own namespace', async () => {
    const role = only(await render(), 'Role');
    assert.equal(role.metadata.namespace, 'fleetscan-system');
    assert.deepEqual(rulesOf(role), [
      'create secrets of ""',
      'get,list,watch,patch secrets of "" named fleetscan-webhook-cert',
      'create leases of "coordination.k8s.io"',
      'get,patch leases of "coordination.k8s.io" named fleetscan-reconciler',
    ]);
  });

  it('reach the Secrets of some namespaces only, when those are named', async () => {
    const objects = await render({ set: { 'rbac.secretNamespaces': ['team-a', 'team-b'] } });
    assert.deepEqual(rulesOf(only(objects, 'ClusterRole')), EVERYWHERE);
    const narrow = objects.filter(
      ({ kind, metadata }) => kind === 'Role' && metadata.name === 'fleetscan-secrets',
    );
    assert.deepEqual(
      narrow.map((role) => [role.metadata.namespace, ...rulesOf(role)]),
      [
        ['team-a', 'get secrets of ""'],
        ['team-b', 'get secrets of ""'],
      ],
    );
  });

  const subject = [{ kind: 'ServiceAccount', name: 'fleetscan', namespace: 'fleetscan-system' }];
  const releases: Release[] = [{}, { values: 'narrow-values.yaml' }];
  it('are bound to the one ServiceAccount and to nobody else', async () => {
    for (const release of releases) {
      const bindings = (await render(release)).filter(({ kind }) => kind.endsWith('Binding'));
      assert.ok(bindings.length >= 2);
      for (const binding of bindings) assert.deepEqual(binding['subjects'], subject);
    }
  });

  it('are not given out when rbac.create is false', async () => {
    const objects = await render({ set: { 'rbac.create': false, 'rbac.aggregate': false } });
    assert.deepEqual(
      objects.filter(({ apiVersion }) => apiVersion.startsWith('rbac.')),
      [],
    );
  });
});

describe('the rights of people', () => {
  it('grow by the kinds, in the roles that a cluster has already', async () => {
    const objects = await render();
    const aggregated = (name: string): string[] =>
      Object.keys(only(objects, 'ClusterRole', name).metadata.labels).filter((label) =>
        label.startsWith('rbac.'),
      );
    const label = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;
    assert.deepEqual(aggregated('fleetscan-view'), ['view', 'edit', 'admin'].map(label));
    assert.deepEqual(aggregated('fleetscan-edit'), ['edit', 'admin'].map(label));
    assert.deepEqual(rulesOf(only(objects, 'ClusterRole', 'fleetscan-view')), [
      'get,list,watch imagescans,gitrepos of "fleetscan.io"',
    ]);
    assert.deepEqual(rulesOf(only(objects, 'ClusterRole', 'fleetscan-edit')), [
      'create,update,patch,delete,deletecollection imagescans,gitrepos of "fleetscan.io"',
    ]);
  });
});
