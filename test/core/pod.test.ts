import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addedEphemeralContainers, type Pod, podImages } from '../../core/pod.ts';

const shown = (pod: Pod): string[] =>
  podImages(pod).map(({ kind, name, image, path }) => `${kind} ${name} ${image} ${path}`);

describe('podImages', () => {
  it('finds the images of all kinds, and where they stand', () => {
    const pod: Pod = {
      spec: {
        volumes: [{ name: 'tmp' }, { name: 'model', image: { reference: 'model:1' } }],
        ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
        initContainers: [{ name: 'init', image: 'init:1' }],
        containers: [
          { name: 'app', image: 'app:1' },
          { name: 'web', image: 'web:1' },
        ],
      },
    };
    assert.deepEqual(shown(pod), [
      'container app app:1 /spec/containers/0/image',
      'container web web:1 /spec/containers/1/image',
      'init container init init:1 /spec/initContainers/0/image',
      'ephemeral container debug debug:1 /spec/ephemeralContainers/0/image',
      'image volume model model:1 /spec/volumes/1/image/reference',
    ]);
  });

  it('gives those without an image as well: a marker may bring it', () => {
    const pod: Pod = {
      spec: {
        containers: [{ name: 'app' }, { name: 'web', image: null }],
        volumes: [{ name: 'model', image: {} }],
      },
    };
    assert.deepEqual(shown(pod), [
      'container app  /spec/containers/0/image',
      'container web  /spec/containers/1/image',
      'image volume model  /spec/volumes/0/image/reference',
    ]);
  });

  const empty: [pod: Pod, why: string][] = [
    [{}, 'nothing'],
    [{ spec: null, metadata: null }, 'null for all'],
    [{ spec: {} }, 'an empty spec'],
    [
      { spec: { containers: null, initContainers: null, ephemeralContainers: null, volumes: null } },
      'null lists, as Go writes them',
    ],
    [{ spec: { volumes: [{ name: 'x', image: null }] } }, 'a null image volume'],
  ];
  for (const [pod, why] of empty)
    it(`of a pod with ${why} are none`, () => assert.deepEqual(podImages(pod), []));
});

describe('addedEphemeralContainers', () => {
  const withDebug = (...names: string[]): Pod => ({
    spec: {
      containers: [{ name: 'app', image: 'app:1' }],
      ephemeralContainers: names.map((name) => ({ name, image: `${name}:1` })),
    },
  });
  const added = (pod: Pod, before: Pod): string[] =>
    addedEphemeralContainers(pod, before).map(({ name, path }) => `${name} ${path}`);

  it('are the new ones and no other image', () => {
    assert.deepEqual(added(withDebug('old', 'new'), withDebug('old')), [
      'new /spec/ephemeralContainers/1/image',
    ]);
  });

  it('are all, when there was none before', () => {
    assert.deepEqual(added(withDebug('a', 'b'), { spec: { ephemeralContainers: null } }), [
      'a /spec/ephemeralContainers/0/image',
      'b /spec/ephemeralContainers/1/image',
    ]);
  });

  it('are none, when nothing was added', () => {
    assert.deepEqual(added(withDebug('a'), withDebug('a')), []);
  });
});
