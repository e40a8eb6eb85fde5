import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, imageIndex, imageManifest, registryError, respondWith } from '../fakes/registry.ts';
import { failure, startBench } from './harness.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const MEDIA_TYPES = [
  INDEX,
  MANIFEST,
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

test('one HEAD that takes all four media types gives the digest of the index', async () => {
  await using bench = await startBench();
  const digest = bench.registry.push('acme/app', '1.0', imageIndex('app', ['linux/amd64', 'linux/arm64']));
  assert.deepEqual(await bench.resolve(), { digest, mediaType: INDEX });
  const [head, ...more] = bench.registry.requests;
  assert.deepEqual(more, []);
  assert.equal(head?.method, 'HEAD');
  assert.deepEqual(head.headers.accept?.split(', '), MEDIA_TYPES);
});

test('a Content-Type with parameters is read without them', async () => {
  await using bench = await startBench();
  const digest = `sha256:${'a'.repeat(64)}`;
  const headers = { 'content-type': `${MANIFEST}; charset=utf-8`, 'docker-content-digest': digest };
  bench.registry.fail({ method: 'HEAD', respond: respondWith(200, headers) });
  assert.deepEqual(await bench.resolve(), { digest, mediaType: MANIFEST });
});

const NO_USE: Record<string, string | undefined> = {
  'no digest header': undefined,
  'a digest header that is none': 'nonsense',
  'a digest header of the wrong length': 'sha256:abc',
  'a digest header in another algorithm': `sha512:${'a'.repeat(128)}`,
};
for (const [name, header] of Object.entries(NO_USE)) {
  test(`a HEAD with ${name} is followed by a GET, whose bytes are hashed`, async () => {
    await using bench = await startBench({ digestHeader: () => header });
    const digest = bench.registry.push('acme/app', '1.0');
    assert.deepEqual(await bench.resolve(), { digest, mediaType: MANIFEST });
    assert.deepEqual(
      bench.registry.requests.map(({ method }) => method),
      ['HEAD', 'GET'],
    );
  });
}

test('where a GET is needed the hash of its bytes counts, not a wrong header', async () => {
  await using bench = await startBench({ head: false, digestHeader: () => `sha256:${'b'.repeat(64)}` });
  const digest = bench.registry.push('acme/app', '1.0');
  assert.equal((await bench.resolve()).digest, digest);
});

for (const status of [404, 405]) {
  test(`a registry that says ${status} to every HEAD is asked by GET`, async () => {
    await using bench = await startBench();
    bench.registry.fail({ method: 'HEAD', respond: registryError(status, 'UNSUPPORTED') });
    const digest = bench.registry.push('acme/app', '1.0');
    assert.equal((await bench.resolve()).digest, digest);
  });
}

test('the status counts before the headers: a digest on a 404 is no digest', async () => {
  await using bench = await startBench();
  const headers = { 'content-type': MANIFEST, 'docker-content-digest': `sha256:${'a'.repeat(64)}` };
  bench.registry.fail({ respond: respondWith(404, headers) });
  await failure(bench.resolve(), 'NotFound', /acme\/app:1\.0/);
});

for (const [name, manifest, want] of [
  ['manifests', { schemaVersion: 2, manifests: [] }, INDEX],
  ['config', { schemaVersion: 2, config: {}, layers: [] }, MANIFEST],
] as const) {
  test(`a manifest without mediaType is known by its ${name}`, async () => {
    await using bench = await startBench();
    const digest = bench.registry.push('acme/app', '1.0', manifest);
    assert.deepEqual(await bench.resolve(), { digest, mediaType: want });
  });
}

const UNUSABLE: [name: string, body: string, message: RegExp][] = [
  ['of schema 1', '{"schemaVersion":1,"name":"a","config":{}}', /old schema 1/],
  ['that is a page of HTML', '<html></html>', /form that a registry must/],
  ['of an unknown media type', '{"schemaVersion":2,"mediaType":"text/plain"}', /not an image/],
  ['of nothing', '{"schemaVersion":2}', /not an image/],
];
for (const [name, body, message] of UNUSABLE) {
  test(`a manifest ${name} is InvalidAnswer`, async () => {
    await using bench = await startBench();
    bench.registry.fail({ respond: respondWith(200, {}, body) });
    await failure(bench.resolve(), 'InvalidAnswer', message);
  });
}

test('a manifest above 4 MiB is refused', async () => {
  await using bench = await startBench({ head: false });
  const manifest = { ...imageManifest('a'), annotations: { big: 'x'.repeat(4 * 1024 * 1024) } };
  bench.registry.push('acme/app', '1.0', manifest);
  await failure(bench.resolve(), 'InvalidAnswer', /4194304 bytes/);
});

test('the raw bytes are hashed, whatever their spacing', async () => {
  await using bench = await startBench({ head: false });
  const body = `\n {"schemaVersion":2, "mediaType":"${MANIFEST}"} `;
  bench.registry.fail({ method: 'GET', respond: respondWith(200, {}, body) });
  assert.equal((await bench.resolve()).digest, digestOf(Buffer.from(body)));
});
