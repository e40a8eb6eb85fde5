import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf, imageIndex, imageManifest } from '../fakes/registry.ts';
import { ANONYMOUS, startBench } from './harness.ts';

const childOf = (platform: string): string =>
  digestOf(Buffer.from(JSON.stringify(imageManifest(`app ${platform}`))));

describe('the linux/amd64 digest', () => {
  const { manifests } = imageIndex('app', ['linux/arm64']) as { manifests: { platform?: object }[] };
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
    [
      'is that of a child without a platform, which counts as such',
      { schemaVersion: 2, manifests: manifests.map(({ platform: _platform, ...child }) => child) },
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
