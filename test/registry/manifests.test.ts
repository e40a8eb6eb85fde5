import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  digestOf,
  imageIndex,
  imageManifest,
  inTurn,
  registryError,
  respondWith,
} from '../fakes/registry.ts';
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
  assert.deepEqual(await bench.resolve(), { digest });
  const [head, ...more] = bench.registry.requests;
  assert.deepEqual(more, []);
  assert.equal(head?.method, 'HEAD');
  assert.deepEqual(head.headers.accept?.split(', '), MEDIA_TYPES);
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
    assert.deepEqual(await bench.resolve(), { digest });
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

for (const status of [404, 405, 501]) {
  test(`a registry that says ${status} to every HEAD is asked by GET`, async () => {
    await using bench = await startBench();
    bench.registry.fail({ method: 'HEAD', respond: registryError(status, 'UNSUPPORTED') });
    const digest = bench.registry.push('acme/app', '1.0');
    assert.equal((await bench.resolve()).digest, digest);
  });
}

test('a tag whose digest flips is told as it is each time', async () => {
  await using bench = await startBench();
  const [a, b] = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`) as [string, string];
  const head = (digest: string) => respondWith(200, { 'docker-content-digest': digest });
  bench.registry.fail({ respond: inTurn(head(a), head(b)) });
  const digests = [];
  for (let time = 0; time < 3; time++) digests.push((await bench.resolve()).digest);
  assert.deepEqual(digests, [a, b, a]);
});

test('the status counts before the headers: a digest on a 404 is no digest', async () => {
  await using bench = await startBench();
  const headers = { 'content-type': MANIFEST, 'docker-content-digest': `sha256:${'a'.repeat(64)}` };
  bench.registry.fail({ respond: respondWith(404, headers) });
  await failure(bench.resolve(), 'NotFound', /acme\/app:1\.0/);
});

test('a page of HTML in place of a manifest is InvalidAnswer', async () => {
  await using bench = await startBench();
  bench.registry.fail({ respond: respondWith(200, {}, '<html></html>') });
  await failure(bench.resolve(), 'InvalidAnswer', /form that a registry must/);
});

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
