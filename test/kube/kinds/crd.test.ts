import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { crdFiles } from '../../../kube/kinds/crd.ts';

const manifests = path.join(import.meta.dirname, '../../../manifests');

describe('crdFiles', () => {
  it('is what lies in manifests/', async () => {
    for (const { fileName, manifest, chartTemplate } of crdFiles()) {
      assert.equal(
        await readFile(path.join(manifests, 'crds', fileName), 'utf8'),
        manifest,
        'run: npm run generate',
      );
      assert.equal(
        await readFile(path.join(manifests, 'chart/templates/crds', fileName), 'utf8'),
        chartTemplate,
        'run: npm run generate',
      );
    }
  });

  it('names the kinds, with status subresources and a bound on every text that a rule reads', () => {
    const crds = crdFiles().map(({ manifest }) => parse(manifest));
    assert.deepEqual(
      crds.map(({ metadata }) => metadata.name),
      ['imagescans.fleetscan.io', 'gitrepos.fleetscan.io'],
    );
    for (const { spec } of crds) {
      const [version] = spec.versions;
      assert.deepEqual(version.subresources, { status: {} });
      for (const schema of schemasIn(version.schema.openAPIV3Schema)) {
        if (schema['x-kubernetes-validations'] && schema.type === 'string')
          assert.ok(schema.maxLength, JSON.stringify(schema));
        assert.equal(
          schema.type !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true,
          true,
          JSON.stringify(schema),
        );
      }
    }
  });

  it('wraps the chart template in its switches, and in nothing else that helm would read', () => {
    for (const { manifest, chartTemplate } of crdFiles()) {
      const actions = chartTemplate.match(/\{\{.*?\}\}/g);
      assert.deepEqual(actions, [
        '{{- if .Values.crds.enabled }}',
        '{{- if .Values.crds.keep }}',
        '{{- end }}',
        '{{- end }}',
      ]);
      const rendered = chartTemplate.replace(/^.*\{\{.*\n/gm, '');
      const { annotations, ...metadata } = parse(rendered).metadata;
      assert.deepEqual(annotations, { 'helm.sh/resource-policy': 'keep' });
      assert.deepEqual({ ...parse(rendered), metadata }, parse(manifest));
    }
  });
});

const schemaObject = z.looseObject({
  type: z.string().optional(),
  maxLength: z.int().optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
  items: z.unknown().optional(),
});

function* schemasIn(value: unknown): Generator<z.infer<typeof schemaObject>> {
  const schema = schemaObject.parse(value);
  yield schema;
  for (const property of Object.values(schema.properties)) yield* schemasIn(property);
  if (schema.items !== undefined) yield* schemasIn(schema.items);
}
