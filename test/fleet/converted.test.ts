import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { connect, type KubeClient } from '../../kube/client.ts';
import { crdFiles } from '../../kube/kinds/crd.ts';
import { parseFleetGitRepo, parseFleetImageScan } from '../../kube/kinds/fleet.ts';
import { GIT_REPOS, IMAGE_SCANS } from '../../kube/resource.ts';
import { type OwnObject, convertGitRepo, convertScan } from '../../kubectl-plugin/fleet/convert.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { waitFor } from '../wait.ts';

// Whatever Fleet's CRDs let through, also those of before v0.16, becomes an object that ours take, or is refused with a word.

let cluster: Cluster;
let client: KubeClient;

before(async () => {
  cluster = await startCluster();
  client = await connect({ kubeconfig: cluster.kubeconfig });
  const manifests = crdFiles().map(({ manifest }) => manifest);
  const { code, stderr } = await cluster.kubectlWith({ stdin: manifests.join('---\n') }, 'apply', '-f', '-');
  assert.equal(code, 0, stderr);
  for (const resource of [IMAGE_SCANS, GIT_REPOS])
    await waitFor(`${resource.plural} to be served`, () => client.list({ resource }));
});

after(async () => {
  await client?.close();
  await cluster?.stop();
});

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof(maybe(arbitrary), fc.constant(null));
/** Any text that JSON can carry. */
const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constant(''));
const long = (length: number) =>
  fc.constantFrom('x'.repeat(length), 'x'.repeat(length + 1), 'ü'.repeat(length));
const interval = fc.oneof(
  fc.constantFrom(
    '0',
    '0s',
    '5m',
    '1h30m',
    '1.5h',
    '-5m',
    '1d',
    '2562047h',
    '2562048h',
    `${'9'.repeat(31)}h`,
    '.5s',
  ),
  text,
);
const image = fc.oneof(
  fc.constantFrom(
    'nginx',
    'ghcr.io/acme/app:1',
    'https://ghcr.io/acme/app',
    'oci://x/y',
    'a b',
    '',
    'UPPER/case',
  ),
  long(512),
  text,
);
const name = fc.constantFrom('web', 'imagescan-apps-0', 'a.b-c', 'x'.repeat(253));
const secretName = fc.constantFrom('pull', '', 'x'.repeat(253), 'x'.repeat(254));

const fleetScan = fc.record({
  metadata: fc.record({
    name,
    namespace: fc.constant('default'),
    labels: fc.constantFrom({}, { 'fleet.cattle.io/repo-name': 'apps' }),
  }),
  spec: fc.record({
    image: nullable(image),
    interval: nullable(interval),
    tagName: nullable(fc.oneof(fc.constantFrom('web', 'Web', 'a/b', 'x'.repeat(253)), text)),
    gitrepoName: nullable(fc.oneof(fc.constant('apps'), text)),
    secretRef: nullable(fc.record({ name: maybe(secretName) })),
    suspend: maybe(fc.boolean()),
    policy: maybe(
      fc.record({
        semver: nullable(fc.record({ range: nullable(fc.oneof(fc.constant('*'), long(512), text)) })),
        alphabetical: nullable(fc.record({ order: nullable(fc.oneof(fc.constant('asc'), text)) })),
      }),
    ),
  }),
});

const fleetGitRepo = fc.record({
  metadata: fc.record({
    name,
    namespace: fc.constant('default'),
    annotations: fc.constantFrom(
      {},
      { 'fleetscan.io/compatibility': 'Fleet' },
      { 'fleetscan.io/compatibility': 'x' },
    ),
  }),
  spec: fc.record({
    repo: nullable(fc.oneof(fc.constant('https://git.example/apps'), long(2048), text)),
    branch: nullable(text),
    paths: nullable(
      fc.oneof(
        fc.array(text),
        fc.constant(Array.from({ length: 257 }, () => 'a')),
        long(1024).map((path) => [path]),
      ),
    ),
    clientSecretName: nullable(text),
    imageScanInterval: nullable(interval),
    imageScanCommit: nullable(
      fc.record({ authorName: nullable(text), authorEmail: nullable(text), messageTemplate: nullable(text) }),
    ),
    caBundle: nullable(fc.constantFrom('', 'LS0t')),
    insecureSkipTLSVerify: maybe(fc.boolean()),
  }),
});

/** Asks the API server, strictly: a field that it does not know is an error too. */
async function assertTaken(object: OwnObject, names: readonly string[]): Promise<void> {
  const plural = object.kind === 'ImageScan' ? 'imagescans' : 'gitrepos';
  for (const name of names) {
    const named = { ...object, metadata: { ...object.metadata, name } };
    const { status, body } = await client.raw(
      'POST',
      `/apis/fleetscan.io/v1alpha1/namespaces/default/${plural}?dryRun=All&fieldValidation=Strict`,
      { headers: { 'content-type': 'application/json' }, body: JSON.stringify(named) },
    );
    assert.equal(status, 201, body);
  }
}

describe('what an object of Fleet becomes', () => {
  it('is an ImageScan that our CRD takes, under each of its names, or a refusal with a word', async () => {
    await fc.assert(
      fc.asyncProperty(fleetScan, async (raw) => {
        const converted = convertScan(parseFleetImageScan(JSON.parse(JSON.stringify(raw))));
        if (converted.kind === 'refused') return assert.match(converted.message, /^spec\.image /);
        await assertTaken(converted.object, converted.names);
      }),
      { numRuns: 300 },
    );
  });

  it('is a GitRepo that our CRD takes, or a refusal with a word', async () => {
    await fc.assert(
      fc.asyncProperty(fleetGitRepo, async (raw) => {
        const converted = convertGitRepo(parseFleetGitRepo(JSON.parse(JSON.stringify(raw))));
        if (converted.kind === 'refused') return assert.match(converted.message, /^spec\.(?:repo|paths) /);
        await assertTaken(converted.object, converted.names);
      }),
      { numRuns: 300 },
    );
  });

  it('has lost nothing that the CRD could have taken', async () => {
    const spec = { image: 'nginx', interval: '1d', secretRef: { name: 'pull' }, suspend: true };
    const converted = convertScan(parseFleetImageScan({ metadata: { name: 'web', namespace: 'a' }, spec }));
    assert.ok(converted.kind === 'converted');
    assert.deepEqual(converted.object.spec, {
      image: 'nginx',
      tagName: 'web',
      secretRef: { name: 'pull' },
      suspend: true,
    });
    assert.equal(converted.notes.length, 1);
  });
});
