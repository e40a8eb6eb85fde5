import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { listOf, nothingFound, toJson, toYaml, visibleFields } from '../../kubectl-plugin/output.ts';

const SCAN = {
  kind: 'ImageScan',
  apiVersion: 'fleetscan.io/v1alpha1',
  metadata: { name: 'web', managedFields: [{ manager: 'kubectl' }], annotations: { b: '<b>', a: 'on' } },
};
// What the API server sends: JSON, which has one zero. No field or annotation can be called __proto__.
const anything = fc
  .jsonValue({ stringUnit: 'binary' })
  .map((value) => JSON.stringify(value))
  .filter((text) => !text.includes('__proto__'))
  .map((text): unknown => JSON.parse(text));

describe('JSON', () => {
  it('has its keys in order and four spaces, as kubectl has it', () => {
    assert.equal(
      toJson(visibleFields(SCAN, {})),
      `{
    "apiVersion": "fleetscan.io/v1alpha1",
    "kind": "ImageScan",
    "metadata": {
        "annotations": {
            "a": "on",
            "b": "<b>"
        },
        "name": "web"
    }
}`,
    );
  });

  it('loses nothing', () => {
    fc.assert(fc.property(anything, (value) => assert.deepEqual(JSON.parse(toJson(value)), value)));
  });
});

describe('YAML', () => {
  it('puts items of a list below their key, and quotes what YAML 1.1 would not take for a string', () => {
    const object = {
      on: ['yes', '2026-01-02T03:04:05Z', '12:30:45', '0o17', '1_000', '~', 'plain text'],
      count: 1,
    };
    assert.equal(
      toYaml(object),
      `count: 1
"on":
- "yes"
- "2026-01-02T03:04:05Z"
- "12:30:45"
- "0o17"
- "1_000"
- "~"
- plain text`,
    );
  });

  it('is read back alike by the rules of YAML 1.1 and 1.2', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const text = toYaml(value);
        for (const version of ['1.1', '1.2'] as const)
          assert.deepEqual(parse(text, { version }), value, text);
      }),
    );
  });
});

it('managed fields are shown only to those who ask', () => {
  assert.deepEqual(visibleFields(SCAN, { showManagedFields: true }), SCAN);
  assert.ok(!toJson(visibleFields(SCAN, {})).includes('managedFields'));
});

it('a list is a v1.List', () => {
  assert.deepEqual(listOf([SCAN]), {
    apiVersion: 'v1',
    kind: 'List',
    metadata: { resourceVersion: '' },
    items: [SCAN],
  });
});

it('an empty list has the words of kubectl', () => {
  assert.equal(nothingFound({}, 'shop'), 'No resources found in shop namespace.');
  assert.equal(nothingFound({ allNamespaces: true }, 'shop'), 'No resources found');
});
