import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flood, imageConfig, manifestOf, startFakeRegistry } from '../fakes/registry.ts';
import { ALICE, ANONYMOUS, type Bench, failure, startBench } from './harness.ts';

const CREATED = 'org.opencontainers.image.created';
const [EARLY, LATE, LATEST] = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00.5Z'];

interface Parts {
  readonly created?: string;
  readonly label?: string;
  readonly legacy?: string;
  readonly annotation?: string;
}

/** Stores an image that says so when it was created, and gives its digest. */
function pushImage(bench: Bench, { created, label, legacy, annotation }: Parts): string {
  const labels = {
    ...(label && { [CREATED]: label }),
    ...(legacy && { 'org.label-schema.build-date': legacy }),
  };
  const config = bench.registry.pushBlob('acme/app', imageConfig(created, labels));
  const annotations = annotation === undefined ? {} : { annotations: { [CREATED]: annotation } };
  return bench.registry.push(
    'acme/app',
    undefined,
    manifestOf('application/vnd.oci.image.config.v1+json', config, annotations),
  );
}

function pushIndex(bench: Bench, children: readonly string[], more: object = {}): string {
  const platform = { os: 'linux', architecture: 'amd64' };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifests = children.map((digest) => ({ mediaType, digest, size: 1, platform }));
  const index = 'application/vnd.oci.image.index.v1+json';
  return bench.registry.push('acme/app', '1.0', { schemaVersion: 2, mediaType: index, manifests, ...more });
}

async function timeOf(bench: Bench, digest: string): Promise<string | undefined> {
  const time = await bench.client.created({ ...bench.image(), digest }, ANONYMOUS);
  return time === undefined ? undefined : new Date(time).toISOString();
}

const iso = (text: string): string => new Date(text).toISOString();

describe('the time at which an image was created', () => {
  for (const [what, parts, want] of [
    ['is that of its config', { created: EARLY }, EARLY],
    ['is the later of config and label', { created: EARLY, label: LATE }, LATE],
    ['is not that of a label of the base image, which is older', { created: LATE, label: EARLY }, LATE],
    [
      'is that of its annotation, whatever the others say',
      { created: LATEST, label: LATE, annotation: EARLY },
      EARLY,
    ],
    ['is that of the old label, when there is no other', { legacy: EARLY }, EARLY],
    [
      'is that of the label when the config is of the year 1',
      { created: '0001-01-01T00:00:00Z', label: LATE },
      LATE,
    ],
    ['may be 1970', { created: '1970-01-01T00:00:00Z' }, '1970-01-01T00:00:00Z'],
    [
      'may have fractions and a zone',
      { created: '2026-03-01T02:00:00.123456789+02:00' },
      '2026-03-01T00:00:00.123Z',
    ],
    ['is unknown when nothing says it', {}, undefined],
    ['is unknown when it is no time', { created: 'yesterday', label: 'today', annotation: 'now' }, undefined],
    ['is unknown when there is no such day', { created: '2026-02-30T00:00:00Z' }, undefined],
    ['is unknown when it may be that of any zone', { created: '2026-01-01T00:00:00' }, undefined],
    ['is unknown when it is a day alone, as in old labels', { legacy: '20201204' }, undefined],
  ] as const) {
    it(what, async () => {
      await using bench = await startBench();
      assert.equal(await timeOf(bench, pushImage(bench, parts)), want === undefined ? undefined : iso(want));
    });
  }

  it('is of an index its annotation, else that of the newest of its images', async () => {
    await using bench = await startBench();
    const children = [EARLY, LATEST, LATE].map((created) => pushImage(bench, { created }));
    assert.equal(await timeOf(bench, pushIndex(bench, children)), iso(LATEST));
    assert.equal(
      await timeOf(bench, pushIndex(bench, children, { annotations: { [CREATED]: EARLY } })),
      iso(EARLY),
    );
    assert.equal(await timeOf(bench, pushIndex(bench, [])), undefined);
  });

  it('is of an index that was copied in part that of the images that are there', async () => {
    await using bench = await startBench();
    const gone = `sha256:${'e'.repeat(64)}`;
    assert.equal(
      await timeOf(bench, pushIndex(bench, [gone, pushImage(bench, { created: EARLY })])),
      iso(EARLY),
    );
    assert.equal(await timeOf(bench, pushIndex(bench, [gone])), undefined);
  });

  it('is not that of an attestation, which may come later', async () => {
    await using bench = await startBench();
    const image = pushImage(bench, { created: EARLY });
    const unknown = { os: 'unknown', architecture: 'unknown' };
    const attestation = { digest: pushImage(bench, { created: LATE }), platform: unknown };
    const platform = { os: 'linux', architecture: 'amd64' };
    const manifests = [{ digest: image, platform }, attestation];
    assert.equal(await timeOf(bench, pushIndex(bench, [], { manifests })), iso(EARLY));
  });

  it('is not looked for in indexes of indexes, which grow with each', async () => {
    await using bench = await startBench();
    let digest = pushImage(bench, { created: EARLY });
    // Of an index the names of 32 more indexes, whatever they pass themselves off for: 32 to the power of 10 in all.
    for (let depth = 0; depth < 10; depth++)
      digest = pushIndex(
        bench,
        Array.from({ length: 32 }, () => digest),
      );
    assert.equal(await timeOf(bench, digest), undefined);
    assert.equal(bench.registry.requests.length, 2);
  });

  it('is asked for once', async () => {
    await using bench = await startBench();
    const digest = pushIndex(bench, [pushImage(bench, { created: EARLY })]);
    await timeOf(bench, digest);
    const asked = bench.registry.requests.length;
    assert.equal(asked, 3);
    await timeOf(bench, digest);
    assert.equal(bench.registry.requests.length, asked);
  });

  it('is had from where blobs are, which gets no credentials', async () => {
    await using cdn = await startFakeRegistry();
    await using bench = await startBench({ auth: 'Basic', users: { [ALICE.username]: ALICE.password } });
    const content = imageConfig(EARLY, {});
    const digest = pushImage(bench, { created: EARLY });
    cdn.pushBlob('acme/app', content);
    bench.registry.dialect.blobLocation = (blob) => `${cdn.origin}/v2/acme/app/blobs/${blob}`;
    const access = { credentials: [ALICE] };
    const time = await bench.client.created({ ...bench.image(), digest }, access);
    assert.equal(time, Date.parse(EARLY));
    assert.deepEqual(
      cdn.requests.map(({ headers }) => headers.authorization),
      [undefined],
    );
  });

  it('is not looked for in a config without an end', async () => {
    await using bench = await startBench();
    const digest = pushImage(bench, { created: EARLY });
    bench.registry.fail({ path: /blobs/, respond: flood(100 * 1024 * 1024) });
    await failure(
      bench.client.created({ ...bench.image(), digest }, ANONYMOUS),
      'InvalidAnswer',
      /more than the 4194304 bytes/,
    );
  });

  it('is not taken from a config with another digest', async () => {
    await using bench = await startBench();
    const digest = pushImage(bench, { created: EARLY });
    bench.registry.fail({ path: /blobs/, respond: (_request, response) => response.end(imageConfig(LATE)) });
    await failure(
      bench.client.created({ ...bench.image(), digest }, ANONYMOUS),
      'InvalidAnswer',
      /the config sha256:\w+ of acme\/app something with another digest/,
    );
  });
});
