import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../core/decision.ts';
import { imageOperations, type Operation, recordOperations } from '../../core/patch.ts';
import { type Pod, podImages } from '../../core/pod.ts';
import { RESOLVED_ANNOTATION } from '../../core/resolution.ts';
import type { Scan } from '../../core/scan.ts';
import { indexOf, scanOf } from './samples.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const RECORD = '/metadata/annotations/fleetscan.io~1resolved';
const MARKED = { 'imagescan.fleetscan.io/app': 'app' };
const record = (image: string): string =>
  JSON.stringify({
    app: { from: image, to: 'nginx:1.3', scan: 'team/app', generation: 1, time: NOW.toISOString() },
  });

function operations(pod: Pod, ...scans: Scan[]): Operation[] {
  const decisions = decide({
    pod,
    namespace: 'team',
    images: podImages(pod),
    scans: indexOf(...scans),
    now: NOW,
  });
  return [...imageOperations(decisions), ...recordOperations(pod, decisions)];
}

function podOf(
  annotations: Record<string, string>,
  container: { image?: string | null } = { image: 'nginx:1' },
): Pod {
  return { metadata: { annotations }, spec: { containers: [{ name: 'app', ...container }] } };
}

describe('the operations', () => {
  it('replace the image and add the record', () => {
    assert.deepEqual(operations(podOf(MARKED), scanOf()), [
      { op: 'replace', path: '/spec/containers/0/image', value: 'nginx:1.3' },
      { op: 'add', path: RECORD, value: record('nginx:1') },
    ]);
  });

  for (const image of [undefined, null, '']) {
    it(`add the image where it is ${JSON.stringify(image)}: a replace of what is not there rejects the pod`, () => {
      const [first] = operations(podOf(MARKED, image === undefined ? {} : { image }), scanOf());
      assert.deepEqual(first, { op: 'add', path: '/spec/containers/0/image', value: 'nginx:1.3' });
    });
  }

  it('add the reference of an image volume that has none', () => {
    const pod: Pod = {
      metadata: { annotations: MARKED },
      spec: { volumes: [{ name: 'tmp' }, { name: 'app', image: {} }] },
    };
    assert.equal(operations(pod, scanOf())[0]?.path, '/spec/volumes/1/image/reference');
  });

  it('leave an image alone that is right, but record that it is', () => {
    assert.deepEqual(operations(podOf(MARKED, { image: 'nginx:1.3' }), scanOf()), [
      { op: 'add', path: RECORD, value: record('nginx:1.3') },
    ]);
  });

  it('are none on the pod that they made', () => {
    const pod = podOf({ ...MARKED, [RESOLVED_ANNOTATION]: record('nginx:1') }, { image: 'nginx:1.3' });
    assert.deepEqual(operations(pod, scanOf()), []);
  });

  it('are none where nothing can be resolved', () => {
    assert.deepEqual(operations(podOf(MARKED)), []);
    assert.deepEqual(operations(podOf({})), []);
    assert.deepEqual(operations({}), []);
  });

  it('remove a record where nothing was resolved', () => {
    const pod = podOf({ ...MARKED, [RESOLVED_ANNOTATION]: record('nginx:1') });
    assert.deepEqual(operations(pod), [{ op: 'remove', path: RECORD }]);
  });

  const foreign: [text: string, why: string][] = [
    [
      JSON.stringify({ ...JSON.parse(record('nginx:1')), web: JSON.parse(record('x')).app }),
      'another container',
    ],
    [record('nginx:1').replace('"from"', '"note":"x","from"'), 'a field that we do not write'],
    [` ${record('nginx:1')}`, 'space'],
    ['', 'nothing in it'],
  ];
  for (const [text, why] of foreign) {
    it(`write the record anew when a user put in ${why}`, () => {
      const pod = podOf({ ...MARKED, [RESOLVED_ANNOTATION]: text }, { image: 'nginx:1.3' });
      const [operation, ...more] = operations(pod, scanOf());
      assert.deepEqual(more, []);
      assert.ok(operation?.op === 'add');
      assert.equal(operation.path, RECORD);
      assert.deepEqual(Object.keys(JSON.parse(String(operation.value))), ['app']);
      assert.equal(String(operation.value).includes('note'), false);
    });
  }

  it('record a container by any name', () => {
    const pod: Pod = {
      metadata: { annotations: { 'imagescan.fleetscan.io/__proto__': 'app' } },
      spec: { containers: [{ name: '__proto__', image: 'nginx' }] },
    };
    const value = operations(pod, scanOf()).at(-1);
    assert.match(JSON.stringify(value), /__proto__/);
  });
});
