import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describe as describeManifest } from '../../registry/description.ts';
import { platformText } from '../../registry/platform.ts';
import { parseReference } from '../../core/reference.ts';
import {
  digestOf,
  imageIndex,
  imageManifest,
  manifestOf,
  respondWith,
  startFakeRegistry,
} from '../fakes/registry.ts';
import { ANONYMOUS, failure, startBench } from './harness.ts';

const IMAGE = 'application/vnd.oci.image.config.v1+json';
const BLOB = { digest: digestOf(Buffer.from('x')), size: 1 };
const EMPTY = 'application/vnd.oci.empty.v1+json';

/** As cosign and BuildKit push what they know about images: like an image, but for its layers. */
function layered(...types: readonly string[]): object {
  return manifestOf(IMAGE, BLOB, { layers: types.map((mediaType) => ({ mediaType, ...BLOB })) });
}

function indexOf(platform: object): object {
  return { schemaVersion: 2, manifests: [{ ...BLOB, platform }] };
}

const OTHERS: [what: string, manifest: object][] = [
  ['a Helm chart', manifestOf('application/vnd.cncf.helm.config.v1+json', BLOB)],
  ['a Flux artifact', manifestOf('application/vnd.cncf.flux.config.v1+json', BLOB)],
  ['a dev container', manifestOf('application/vnd.devcontainers', BLOB)],
  ['a WebAssembly module', manifestOf('application/vnd.wasm.config.v0+json', BLOB)],
  ['an artifact without a type', manifestOf(EMPTY, BLOB)],
  ['an SBOM', manifestOf(EMPTY, BLOB, { artifactType: 'application/spdx+json' })],
  ['an SBOM', manifestOf(IMAGE, BLOB, { artifactType: 'application/vnd.cyclonedx+json' })],
  ['an in-toto attestation', manifestOf(EMPTY, BLOB, { artifactType: 'application/vnd.in-toto+json' })],
  [
    'a Sigstore bundle',
    manifestOf(EMPTY, BLOB, { artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }),
  ],
  ['a cosign signature', layered('application/vnd.dev.cosign.simplesigning.v1+json')],
  ['an attestation', layered('application/vnd.dsse.envelope.v1+json')],
  ['an in-toto attestation', layered('application/vnd.in-toto+json', 'application/vnd.in-toto+json')],
  ['an SBOM', layered('text/spdx+json')],
  ['something that refers to an image', manifestOf(IMAGE, BLOB, { subject: BLOB })],
  [
    'a manifest and an index in one, which nothing pulls',
    { ...imageIndex('x', ['linux/amd64']), config: BLOB },
  ],
  ['an artifact of type text/x mine', manifestOf('text/x\u001b\nmine', BLOB)],
  ['an index of no platform', indexOf({ os: '', architecture: '' })],
  ['an index of no platform', indexOf({ os: 'linux', architecture: '\u001b[31mamd64' })],
  ['an index of no platform', indexOf({ os: 'linux/amd64', architecture: 'x' })],
  ['an index of no platform', indexOf({ os: 'linux', architecture: 'a'.repeat(65) })],
  ['an index of no platform', indexOf({ os: 'linux', architecture: 'arm', variant: 'v 7' })],
  ['an artifact of type text/x-mine', manifestOf('text/x-mine', BLOB)],
  ['a manifest without a config', { schemaVersion: 2, layers: [] }],
  ['of the old schema 1, which nothing pulls any more: push it again', { schemaVersion: 1, fsLayers: [] }],
  ['an index of no platform', imageIndex('x', [])],
  ['an index of no platform', imageIndex('x', ['unknown/unknown'])],
  ['an index of no platform', { schemaVersion: 2, manifests: [{ mediaType: IMAGE, ...BLOB }] }],
  ['an SBOM', { ...imageIndex('x', ['linux/amd64']), artifactType: 'application/spdx+json' }],
  ['something that refers to an image', { ...imageIndex('x', ['linux/amd64']), subject: BLOB }],
];

describe('a digest', () => {
  for (const [what, manifest] of OTHERS) {
    it(`is no image when it is ${what}`, async () => {
      await using bench = await startBench();
      const digest = bench.registry.push('acme/app', '1.0', manifest);
      assert.deepEqual(await bench.client.describe({ ...bench.image(), digest }, ANONYMOUS), {
        kind: 'other',
        what,
      });
    });
  }

  for (const [what, manifest] of [
    ['of OCI', imageManifest('app')],
    ['of Docker', manifestOf('application/vnd.docker.container.image.v1+json', BLOB)],
    ['that names its config as its artifact type', manifestOf(IMAGE, BLOB, { artifactType: IMAGE })],
    ['whose config is named by SHA-512', manifestOf(IMAGE, { digest: `sha512:${'a'.repeat(128)}`, size: 1 })],
    [
      'that writes null for what it has not',
      manifestOf(IMAGE, BLOB, { subject: null, manifests: null, artifactType: '' }),
    ],
    ['with layers', layered('application/vnd.oci.image.layer.v1.tar+gzip', 'application/vnd.in-toto+json')],
    ['with layers of its own kind', layered('application/vnd.bytecodealliance.wasm.component.layer.v0+wasm')],
    ['without mediaType', { ...imageManifest('app'), mediaType: undefined }],
  ] as const) {
    it(`is an image when it is a manifest ${what}`, async () => {
      await using bench = await startBench();
      const digest = bench.registry.push('acme/app', '1.0', manifest);
      const reference = { ...bench.image(), digest };
      assert.deepEqual(await bench.client.describe(reference, ANONYMOUS), { kind: 'image' });
      assert.deepEqual(await bench.client.describe(reference, ANONYMOUS), { kind: 'image' });
      assert.equal(bench.registry.requests.length, 1, 'and asked for once');
    });
  }

  it('is an image for the platforms of its index, attestations left out', async () => {
    await using bench = await startBench();
    const { manifests, ...index } = imageIndex('app', ['linux/amd64', 'linux/arm64', 'unknown/unknown']) as {
      manifests: object[];
    };
    const attestation = {
      ...manifests[0],
      platform: { os: 'linux', architecture: 's390x' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const digest = bench.registry.push('acme/app', '1.0', {
      ...index,
      manifests: [...manifests, attestation],
    });
    assert.deepEqual(await bench.client.describe({ ...bench.image(), digest }, ANONYMOUS), {
      kind: 'index',
      platforms: ['linux/amd64', 'linux/arm64'],
    });
  });

  it('that the registry answers with something else is InvalidAnswer', async () => {
    await using bench = await startBench();
    const digest = digestOf(Buffer.from('what was asked for'));
    bench.registry.push('acme/app', '1.0');
    bench.registry.fail({
      respond: (_request, response) => response.end(JSON.stringify(imageManifest('something else'))),
    });
    await failure(
      bench.client.describe({ ...bench.image(), digest }, ANONYMOUS),
      'InvalidAnswer',
      /something with another digest/,
    );
  });

  it('that came as something else once, as from a proxy that wanted a login, is asked for again', async () => {
    await using bench = await startBench();
    const digest = bench.registry.push('acme/app', '1.0');
    bench.registry.fail({
      times: 1,
      respond: (_request, response) => response.end(JSON.stringify(imageManifest('something else'))),
    });
    const describeIt = () => bench.client.describe({ ...bench.image(), digest }, ANONYMOUS);
    await failure(describeIt(), 'InvalidAnswer', /another digest/);
    assert.deepEqual(await describeIt(), { kind: 'image' });
  });

  it('is what its own registry says: another cannot pass it off for something of the old schema', async () => {
    await using other = await startFakeRegistry();
    await using bench = await startBench();
    const digest = bench.registry.push('acme/app', '1.0');
    const old = {
      schemaVersion: 1,
      annotations: { 'org.opencontainers.image.created': '2099-01-01T00:00:00Z' },
    };
    other.fail({ respond: respondWith(200, {}, JSON.stringify(old)) });
    const elsewhere = { ...parseReference(`${other.host}/acme/app`), digest };
    assert.equal((await bench.client.describe(elsewhere, ANONYMOUS)).kind, 'other');
    assert.equal(await bench.client.created(elsewhere, ANONYMOUS), undefined);
    assert.deepEqual(await bench.client.describe({ ...bench.image(), digest }, ANONYMOUS), { kind: 'image' });
  });

  it('that is not there is NotFound, and asked for again', async () => {
    await using bench = await startBench();
    const manifest = imageManifest('app');
    const digest = digestOf(Buffer.from(JSON.stringify(manifest)));
    bench.registry.makeEmpty('acme/app');
    await failure(bench.client.describe({ ...bench.image(), digest }, ANONYMOUS), 'NotFound');
    bench.registry.push('acme/app', undefined, manifest);
    assert.equal((await bench.client.describe({ ...bench.image(), digest }, ANONYMOUS)).kind, 'image');
  });

  it('with more platforms than there are is told with a hundred of them', async () => {
    await using bench = await startBench();
    const platforms = Array.from({ length: 1000 }, (_, index) => `linux/cpu${index}`);
    const digest = bench.registry.push('acme/app', '1.0', imageIndex('app', platforms));
    const description = await bench.client.describe({ ...bench.image(), digest }, ANONYMOUS);
    assert.ok(description.kind === 'index' && description.platforms.length === 100);
  });

  it('with a type as long as a book is told in a line', () => {
    const manifest = manifestOf(`text/${'x'.repeat(10_000)}`, BLOB) as Parameters<typeof describeManifest>[0];
    const description = describeManifest(manifest);
    assert.ok(description.kind === 'other' && description.what.length < 150);
  });
});

describe('a platform', () => {
  for (const [platform, text] of [
    [{ os: 'linux', architecture: 'amd64' }, 'linux/amd64'],
    [{ os: 'linux', architecture: 'arm64', variant: 'v8' }, 'linux/arm64'],
    [{ os: 'linux', architecture: 'aarch64' }, 'linux/arm64'],
    [{ os: 'linux', architecture: 'x86_64' }, 'linux/amd64'],
    [{ os: 'linux', architecture: 'amd64', variant: 'v3' }, 'linux/amd64/v3'],
    [{ os: 'linux', architecture: 'arm' }, 'linux/arm/v7'],
    [{ os: 'Linux', architecture: 'ARM', variant: 'V6' }, 'linux/arm/v6'],
    [{ os: 'linux', architecture: 'arm', variant: '7' }, 'linux/arm/v7'],
    [{ os: 'linux', architecture: 'arm', variant: 'v8' }, 'linux/arm/v8'],
    [{ os: 'linux', architecture: 'armhf' }, 'linux/arm/v7'],
    [{ os: 'linux', architecture: 'armel', variant: 'v6' }, 'linux/arm/v6'],
    [{ os: 'linux', architecture: 'arm64', variant: '8' }, 'linux/arm64'],
    [{ os: 'linux', architecture: 'amd64', variant: 'v1' }, 'linux/amd64'],
    [{ os: 'linux', architecture: 'i386' }, 'linux/386'],
    [{ os: 'linux', architecture: 'constructor' }, 'linux/constructor'],
    [{ os: 'macOS', architecture: 'arm64' }, 'darwin/arm64'],
    [{ os: 'windows', architecture: 'amd64' }, 'windows/amd64'],
  ] as const) {
    it(`${JSON.stringify(platform)} is ${text}`, () => assert.equal(platformText(platform), text));
  }
});
