import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf, imageIndex, imageManifest } from '../fakes/registry.ts';
import { ANONYMOUS, startBench } from './harness.ts';

const childOf = (platform: string): string =>
  digestOf(Buffer.from(JSON.stringify(imageManifest(`app ${platform}`))));

describe('the linux/amd64 digest', () => {
  const manifest = imageManifest('app linux/arm64');
  /** An index of one child, with a platform as it is written or with none. */
  const indexOf = (more: object): object => {
    const content = Buffer.from(JSON.stringify(manifest));
    return { schemaVersion: 2, manifests: [{ digest: digestOf(content), size: content.length, ...more }] };
  };
  const rows: [what: string, manifest: object, expected: string | undefined][] = [
    ['of an image is its own', imageManifest('app'), 'its own'],
    [
      'of an index is the child of this platform',
      imageIndex('app', ['linux/arm64', 'linux/amd64']),
      childOf('linux/amd64'),
    ],
    [
      'of an index without such a child is none',
      imageIndex('app', ['linux/arm64', 'windows/amd64']),
      undefined,
    ],
    ['is that of a child without a platform, which counts as such', indexOf({}), childOf('linux/arm64')],
    [
      'is that of a child whose platform is null, as Go writes none',
      indexOf({ platform: null }),
      childOf('linux/arm64'),
    ],
    ['is not that of a child with an empty platform', indexOf({ platform: {} }), undefined],
    ['is not that of a child that names half of it', indexOf({ platform: { os: 'linux' } }), undefined],
    [
      'is the first of several, whatever their variants',
      indexOf({ platform: { os: 'linux', architecture: 'amd64', variant: 'v3', 'os.version': '1' } }),
      childOf('linux/arm64'),
    ],
  ];
  for (const [what, manifest, expected] of rows) {
    it(what, async () => {
      await using bench = await startBench();
      const digest = bench.registry.push('acme/app', '1.0', manifest);
      const reference = { ...bench.image(), digest };
      const wanted = expected === 'its own' ? digest : expected;
      assert.equal(await bench.client.amd64Digest(reference, ANONYMOUS), wanted);
      assert.equal(await bench.client.amd64Digest(reference, ANONYMOUS), wanted);
      assert.equal(bench.registry.requests.length, 1, 'and asked for once');
    });
  }
});
