import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImageLabels } from '../../registry/labels.ts';
import { imageConfig, manifestOf } from '../fakes/registry.ts';
import { ANONYMOUS, type Bench, failure, startBench } from './harness.ts';

const OCI = 'org.opencontainers.image.';
const SOURCE = 'https://github.com/acme/app';

function pushImage(
  bench: Bench,
  labels: Record<string, string>,
  annotations?: Record<string, string>,
): string {
  const config = bench.registry.pushBlob('acme/app', imageConfig(undefined, labels));
  const more = annotations === undefined ? {} : { annotations };
  return bench.registry.push(
    'acme/app',
    undefined,
    manifestOf('application/vnd.oci.image.config.v1+json', config, more),
  );
}

function pushIndex(
  bench: Bench,
  children: readonly (readonly [digest: string, platform: string])[],
  more = {},
): string {
  const manifests = children.map(([digest, platform]) => {
    const [os, architecture] = platform.split('/');
    return {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest,
      size: 1,
      platform: { os, architecture },
    };
  });
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  return bench.registry.push('acme/app', '1.0', { schemaVersion: 2, mediaType, manifests, ...more });
}

function labelsOf(bench: Bench, digest: string): Promise<ImageLabels> {
  return bench.client.labels({ ...bench.image(), digest }, ANONYMOUS);
}

describe('the labels of an image', () => {
  it('are those of its config', async () => {
    await using bench = await startBench();
    const labels = {
      [`${OCI}source`]: SOURCE,
      [`${OCI}revision`]: 'abc',
      [`${OCI}version`]: '1.0',
      maintainer: 'x',
    };
    assert.deepEqual(await labelsOf(bench, pushImage(bench, labels)), {
      source: SOURCE,
      revision: 'abc',
      version: '1.0',
    });
  });

  it('are the annotations of its manifest where those name a source, and are not mixed', async () => {
    await using bench = await startBench();
    const labels = { [`${OCI}source`]: 'https://github.com/base/image', [`${OCI}revision`]: 'abc' };
    const annotated = { [`${OCI}source`]: SOURCE };
    assert.deepEqual(await labelsOf(bench, pushImage(bench, labels, annotated)), { source: SOURCE });
    assert.equal((await labelsOf(bench, pushImage(bench, labels, { other: 'x' }))).revision, 'abc');
  });

  it('are of an index its annotations, else those of its image for linux/amd64, else of its first', async () => {
    await using bench = await startBench();
    const [arm, amd, unknown] = ['arm', 'amd', 'attestation'].map((version) =>
      pushImage(bench, { [`${OCI}version`]: version }),
    ) as [string, string, string];
    const children = [
      [unknown, 'unknown/unknown'],
      [arm, 'linux/arm64'],
      [amd, 'linux/amd64'],
    ] as const;
    assert.deepEqual(await labelsOf(bench, pushIndex(bench, children)), { version: 'amd' });
    assert.deepEqual(await labelsOf(bench, pushIndex(bench, children.slice(0, 2))), { version: 'arm' });
    assert.deepEqual(await labelsOf(bench, pushIndex(bench, children.slice(0, 1))), {});
    const annotations = { [`${OCI}source`]: SOURCE };
    assert.deepEqual(await labelsOf(bench, pushIndex(bench, children, { annotations })), { source: SOURCE });
  });

  it('are none where there are none, or where they are no use', async () => {
    await using bench = await startBench();
    assert.deepEqual(await labelsOf(bench, pushImage(bench, {})), {});
    const labels = { [`${OCI}source`]: `https://${'a'.repeat(600)}`, [`${OCI}revision`]: '' };
    assert.deepEqual(await labelsOf(bench, pushImage(bench, labels)), {});
  });

  it('are asked for once', async () => {
    await using bench = await startBench();
    const digest = pushIndex(bench, [[pushImage(bench, { [`${OCI}version`]: '1' }), 'linux/amd64']]);
    await labelsOf(bench, digest);
    await labelsOf(bench, digest);
    assert.equal(bench.registry.requests.length, 3);
  });

  it('are asked for again after a failure', async () => {
    await using bench = await startBench();
    const gone = pushIndex(bench, [[`sha256:${'e'.repeat(64)}`, 'linux/amd64']]);
    await failure(labelsOf(bench, gone), 'NotFound');
    const asked = bench.registry.requests.length;
    await failure(labelsOf(bench, gone), 'NotFound');
    assert.ok(bench.registry.requests.length > asked);
  });
});
