import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { CHART, type Release, readYaml, tryRender } from './chart.ts';
import { documentedValues, valuesTable } from './values-table.ts';

const documented = documentedValues(readFileSync(path.join(CHART, 'values.yaml'), 'utf8'));

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
}

describe('the values of the chart', () => {
  it('stand in the README as values.yaml describes them', () => {
    const readme = readFileSync(path.join(CHART, 'README.md'), 'utf8');
    assert.equal(readme.slice(readme.indexOf('| Value |')).trim(), valuesTable(documented));
  });

  it('are those that the schema knows', () => {
    const schema = readYaml('manifests/chart/values.schema.json') as Schema;
    const known = [...leaves(schema)].sort();
    assert.deepEqual(known, documented.map((value) => value.path).sort());
  });

  it('are all set in ci/everything-values.yaml', () => {
    const everything = readYaml('manifests/chart/ci/everything-values.yaml');
    const missing = documented.filter((value) => at(everything, value.path) === undefined);
    assert.deepEqual(missing, []);
  });

  const mistakes: [string, Release['set'], RegExp][] = [
    [
      'a value that is not there',
      { 'webhook.timeout': 3 },
      /at '\/webhook': additional properties 'timeout' not allowed/,
    ],
    ['a misspelt value', { replica: 3 }, /at '': additional properties 'replica' not allowed/],
    ['a number as text', { replicas: '3' }, /at '\/replicas': got string, want integer/],
    ['a value taken away', { replicas: null }, /missing property 'replicas'/],
    [
      'a URL without TLS',
      { 'webhook.url': 'http://10.0.0.1/mutate' },
      /at '\/webhook\/url': .* does not match pattern/,
    ],
    [
      'a URL without a path',
      { 'webhook.url': 'https://10.0.0.1' },
      /at '\/webhook\/url': .* does not match pattern/,
    ],
    [
      'a digest that is none',
      { 'image.digest': 'latest' },
      /at '\/image\/digest': .* does not match pattern/,
    ],
    ['a registry with a scheme', { insecureRegistries: ['http://a:5000'] }, /at '\/insecureRegistries\/0'/],
    [
      'a log level that is not there',
      { logLevel: 'loud' },
      /at '\/logLevel': value must be one of 'trace', 'debug'/,
    ],
    [
      'a namespace that cannot be',
      { 'rbac.secretNamespaces': ['Team A'] },
      /at '\/rbac\/secretNamespaces\/0'/,
    ],
    [
      'no ServiceAccount at all',
      { 'serviceAccount.create': false },
      /serviceAccount\.name must name an existing ServiceAccount/,
    ],
  ];
  for (const [what, set, message] of mistakes) {
    it(`are refused with a clear message: ${what}`, async () => {
      const { code, stderr } = await tryRender({ set: set ?? {} });
      assert.equal(code, 1);
      assert.match(stderr, message);
    });
  }
});

/** The paths of the values that a schema describes, down to those whose inside it leaves to Kubernetes. */
function* leaves(schema: Schema, parents: string[] = []): Generator<string> {
  const name = parents.join('.');
  if (schema.properties === undefined || documented.some((value) => value.path === name)) {
    yield name;
    return;
  }
  if (name !== 'global')
    assert.equal(schema.additionalProperties, false, `${name || 'the schema'} lets a typo pass`);
  for (const [key, inner] of Object.entries(schema.properties)) yield* leaves(inner, [...parents, key]);
}

function at(values: unknown, dotted: string): unknown {
  return dotted
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], values);
}
