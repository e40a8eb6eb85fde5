import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { only, type Release, type Rendered, render } from './chart.ts';
import { ANY_SECRET, AT_HOME, EVERYWHERE, FLEET, type Rule, ruleLines } from './rules.ts';

const rulesOf = (role: Rendered): string[] => ruleLines(role['rules'] as Rule[]);

describe('the rights of the programs', () => {
  it('are these in all namespaces', async () => {
    const role = only(await render(), 'ClusterRole');
    assert.deepEqual(rulesOf(role).sort(), [...EVERYWHERE, ...FLEET.off, ANY_SECRET].sort());
  });

  for (const [takeover, more] of [
    ['serve', []],
    ['take-over', FLEET.takenOver],
  ] as const) {
    it(`reach Fleet's kinds with fleet.takeover=${takeover}`, async () => {
      const role = only(await render({ set: { 'fleet.takeover': takeover } }), 'ClusterRole');
      assert.deepEqual(rulesOf(role).sort(), [...EVERYWHERE, ...FLEET.served, ...more, ANY_SECRET].sort());
    });
  }

  it('are these in their own namespace', async () => {
    const role = only(await render(), 'Role');
    assert.equal(role.metadata.namespace, 'fleetscan-system');
    assert.deepEqual(rulesOf(role), AT_HOME);
  });

  it('reach the Secrets of some namespaces only, when those are named', async () => {
    const objects = await render({ set: { 'rbac.secretNamespaces': ['team-a', 'team-b'] } });
    assert.deepEqual(rulesOf(only(objects, 'ClusterRole')).sort(), [...EVERYWHERE, ...FLEET.off].sort());
    const narrow = objects.filter(
      ({ kind, metadata }) => kind === 'Role' && metadata.name === 'fleetscan-secrets',
    );
    assert.deepEqual(
      narrow.map((role) => [role.metadata.namespace, ...rulesOf(role)]),
      [
        ['team-a', ANY_SECRET],
        ['team-b', ANY_SECRET],
      ],
    );
  });

  it('reach the one ConfigMap with known hosts, when it is named', async () => {
    const objects = await render({ set: { knownHosts: 'git-system/hosts.of-git' } });
    const role = only(objects, 'Role', 'fleetscan-known-hosts');
    assert.equal(role.metadata.namespace, 'git-system');
    assert.deepEqual(rulesOf(role), ['get configmaps of "" named hosts.of-git']);
    const binding = only(objects, 'RoleBinding', 'fleetscan-known-hosts');
    assert.equal(binding.metadata.namespace, 'git-system');
    assert.deepEqual(binding['subjects'], subject);
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
