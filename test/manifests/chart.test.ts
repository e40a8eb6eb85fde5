import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { binaries } from '../control-plane/binaries.ts';
import { mustRun } from '../control-plane/run.ts';
import { CHART, CI_VALUES, namesOf, ROOT, readYaml, type Rendered, render, valueArguments } from './chart.ts';

const CLUSTER_SCOPED = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'MutatingWebhookConfiguration',
]);

const withoutCrds = (objects: Rendered[]): Rendered[] =>
  objects.filter(({ kind }) => kind !== 'CustomResourceDefinition');

describe('the chart', () => {
  for (const values of CI_VALUES) {
    it(`passes "helm lint --strict" with ${values}`, async () => {
      const { helm } = await binaries(['helm']);
      await mustRun(helm, [
        'lint',
        '--strict',
        CHART,
        '--kube-version=1.36.0',
        ...valueArguments({ values }),
      ]);
    });

    it(`renders each object once, labelled and in its namespace, with ${values}`, async () => {
      const objects = withoutCrds(await render({ values }));
      const names = objects.map(
        ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
      );
      assert.deepEqual(names, [...new Set(names)]);
      for (const { kind, metadata } of objects) {
        assert.equal(metadata.namespace === undefined, CLUSTER_SCOPED.has(kind), `${kind} ${metadata.name}`);
        assert.equal(metadata.labels['app.kubernetes.io/instance'], 'fleetscan');
        assert.equal(metadata.labels['app.kubernetes.io/managed-by'], 'Helm');
      }
    });
  }

  it('renders these objects and no others by default', async () => {
    assert.deepEqual(namesOf(withoutCrds(await render())), [
      'ClusterRole fleetscan',
      'ClusterRole fleetscan-edit',
      'ClusterRole fleetscan-view',
      'ClusterRoleBinding fleetscan',
      'Deployment fleetscan',
      'MutatingWebhookConfiguration fleetscan',
      'PodDisruptionBudget fleetscan',
      'Role fleetscan',
      'RoleBinding fleetscan',
      'Service fleetscan',
      'ServiceAccount fleetscan',
    ]);
  });

  it('renders the CRDs unless told not to, and keeps them unless told not to', async () => {
    const crds = async (set: Record<string, unknown>): Promise<Rendered[]> =>
      (await render({ set })).filter(({ kind }) => kind === 'CustomResourceDefinition');
    const kept = await crds({});
    assert.deepEqual(namesOf(kept), [
      'CustomResourceDefinition gitrepos.fleetscan.io',
      'CustomResourceDefinition imagescans.fleetscan.io',
    ]);
    const policies = (objects: Rendered[]) =>
      objects.map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']);
    assert.deepEqual(policies(kept), ['keep', 'keep']);
    assert.deepEqual(policies(await crds({ 'crds.keep': false })), [undefined, undefined]);
    assert.deepEqual(await crds({ 'crds.enabled': false }), []);
  });

  it('has the version of package.json, as have the program that it installs and the image', () => {
    const { version } = readYaml('package.json') as { version: string };
    const chart = readYaml('manifests/chart/Chart.yaml') as { version: string; appVersion: string };
    assert.deepEqual([chart.version, chart.appVersion], [version, version]);
    assert.match(
      readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8'),
      new RegExp(`^ARG VERSION=${version}$`, 'm'),
    );
  });

  it('keeps names short enough for a suffix within the 63 characters of a Service', async () => {
    const [deployment] = (await render({ set: { fullnameOverride: `x${'y'.repeat(80)}` } })).filter(
      ({ kind }) => kind === 'Deployment',
    );
    assert.equal(deployment?.metadata.name.length, 52);
  });
});
