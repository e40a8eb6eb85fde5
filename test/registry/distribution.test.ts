import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { choose } from '../../core/policy/choose.ts';
import { parseSelection } from '../../core/policy/selection.ts';
import { parseReference, type Reference } from '../../core/reference.ts';
import { createRegistryClient, type RegistryClient } from '../../registry/client.ts';
import type { Access } from '../../registry/request.ts';
import { createAuthority } from '../control-plane/certificates.ts';
import { binaries } from '../control-plane/binaries.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { pushArtifact, pushImage } from '../control-plane/push-image.ts';
import { HTPASSWD_USER, type Registry, startRegistry } from '../control-plane/registry.ts';
import { openSession } from '../control-plane/registry-session.ts';
import { run } from '../control-plane/run.ts';
import { startTlsProxy } from '../control-plane/tls-proxy.ts';
import { ANONYMOUS, failure } from './harness.ts';

const EMPTY = 'application/vnd.oci.empty.v1+json';

let registry: Registry;
let client: RegistryClient;

before(async () => {
  registry = await startRegistry();
  client = createRegistryClient();
});

after(async () => {
  await client.close();
  await registry?.stop();
});

const image = (host: string, repository = 'acme/app'): Reference => parseReference(`${host}/${repository}`);

async function tagsOf(
  host: string,
  access: Access = ANONYMOUS,
  repository?: string,
): Promise<readonly string[]> {
  return (await client.listTags(image(host, repository), access)).tags;
}

describe('a Distribution registry', () => {
  it('with htpasswd lets in who it knows', async () => {
    const closed = await startRegistry({ htpasswd: true });
    try {
      await pushImage(closed.host, 'acme/app', '1.0.0', { credential: HTPASSWD_USER });
      assert.deepEqual(await tagsOf(closed.host, { credentials: [HTPASSWD_USER] }), ['1.0.0']);
      const wrong = { credentials: [{ ...HTPASSWD_USER, password: 'wrong-battery' }] };
      for (const access of [ANONYMOUS, wrong])
        await failure(client.listTags(image(closed.host), access), 'Unauthorized', /status 401/);
    } finally {
      await closed.stop();
    }
  });

  it('behind a TLS proxy is trusted by the CA of who asks, and by nobody else', async () => {
    const authority = await createAuthority('company');
    const proxy = await startTlsProxy(registry.host, await authority.issueServer([], ['127.0.0.1']));
    try {
      const { digest } = await pushImage(registry.host, 'acme/tls', '1.0.0');
      const access = { ...ANONYMOUS, ca: authority.certificate };
      assert.deepEqual(await tagsOf(proxy.host, access, 'acme/tls'), ['1.0.0']);
      const tagged = { ...image(proxy.host, 'acme/tls'), tag: '1.0.0' };
      assert.equal((await client.resolve(tagged, access)).digest, digest);
      const { certificate: ca } = await createAuthority('other');
      await failure(client.listTags(image(proxy.host, 'acme/tls'), { ...ANONYMOUS, ca }), 'TLS');
    } finally {
      await proxy.stop();
    }
  });

  it('that is a pull-through mirror has the tags and digests of the other', async () => {
    const { digest } = await pushImage(registry.host, 'acme/mirrored', '1.0.0');
    const mirror = await startRegistry({ mirrorOf: `http://${registry.host}` });
    try {
      assert.deepEqual(await tagsOf(mirror.host, ANONYMOUS, 'acme/mirrored'), ['1.0.0']);
      const tagged = { ...image(mirror.host, 'acme/mirrored'), tag: '1.0.0' };
      assert.deepEqual(await client.resolve(tagged, ANONYMOUS), { digest });
      assert.deepEqual(await client.describe({ ...tagged, digest }, ANONYMOUS), {
        kind: 'index',
        platforms: ['linux/amd64', 'linux/arm64'],
      });
    } finally {
      await mirror.stop();
    }
  });

  it('gives 50,000 tags in pages, of which the highest is chosen', async () => {
    const { digest } = await pushImage(registry.host, 'acme/many', '0.0.1');
    const tags = Array.from({ length: 50_000 }, (_, index) => `1.${Math.floor(index / 250)}.${index % 250}`);
    await registry.addTags('acme/many', digest, tags);
    const patient = createRegistryClient({
      settings: {
        for: () => ({
          insecureSkipTLSVerify: false,
          requestsPerSecond: 1000,
          concurrency: 4,
          trustedHosts: [],
        }),
      },
    });
    try {
      const list = await patient.listTags(image(registry.host, 'acme/many'), ANONYMOUS);
      assert.equal(list.tags.length, 50_001);
      assert.deepEqual(choose(parseSelection({ policy: { semver: { range: '*' } } }), list.tags), {
        kind: 'chosen',
        tag: '1.199.249',
      });
      const pages = registry.requests().filter(({ url }) => url.startsWith('/v2/acme/many/tags/list'));
      assert.ok(pages.length >= 50, `${pages.length} pages`);
      const again = await patient.listTags(image(registry.host, 'acme/many'), ANONYMOUS);
      assert.equal(again.revision, list.revision);
    } finally {
      await patient.close();
    }
  });

  it('tells images, charts, signatures, SBOMs and attestations of one repository apart', async () => {
    const repository = 'acme/mixed';
    const { digest } = await pushImage(registry.host, repository, '1.0.0', {
      attestation: true,
      created: '2026-01-02T03:04:05Z',
    });
    await pushChart(registry.host, 'acme', 'mixed', '2.0.0');
    const cosign = `${digest.replace(':', '-')}.sig`;
    const signature = await pushArtifact(registry.host, repository, cosign, {
      configType: 'application/vnd.oci.image.config.v1+json',
      layerType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    });
    const sbom = { configType: EMPTY, artifactType: 'application/spdx+json', subject: digest };
    const refers = await pushArtifact(registry.host, repository, '3.0.0', sbom);
    const reference = image(registry.host, repository);
    const described = async (of: string): Promise<unknown> =>
      client.describe({ ...reference, digest: of }, ANONYMOUS);
    assert.deepEqual(await described(digest), { kind: 'index', platforms: ['linux/amd64', 'linux/arm64'] });
    assert.deepEqual(await described(signature.digest), { kind: 'other', what: 'a cosign signature' });
    assert.deepEqual(await described(await attestationOf(repository, digest)), {
      kind: 'other',
      what: 'an in-toto attestation',
    });
    assert.deepEqual(await described(refers.digest), { kind: 'other', what: 'an SBOM' });
    const chart = await client.resolve({ ...reference, tag: '2.0.0' }, ANONYMOUS);
    assert.deepEqual(await described(chart.digest), { kind: 'other', what: 'a Helm chart' });
    assert.equal(
      await client.created({ ...reference, digest }, ANONYMOUS),
      Date.parse('2026-01-02T03:04:05Z'),
    );
    assert.deepEqual((await tagsOf(registry.host, ANONYMOUS, repository)).toSorted(), [
      '1.0.0',
      '2.0.0',
      '3.0.0',
      cosign,
    ]);
  });
});

/** The digest of the last child of an index, which is its attestation. */
async function attestationOf(repository: string, index: string): Promise<string> {
  const session = openSession(registry.host, repository);
  try {
    const { body } = await session.send('GET', `manifests/${index}`, {}, [200]);
    const { manifests } = JSON.parse(body) as { manifests: { digest: string }[] };
    return manifests.at(-1)?.digest ?? assert.fail('no children');
  } finally {
    await session.close();
  }
}

/** Pushes a chart by the real helm, as `<namespace>/<name>:<version>`. */
async function pushChart(host: string, namespace: string, name: string, version: string): Promise<void> {
  const { helm } = await binaries(['helm']);
  const folder = temporaryFolder('chart');
  const env = {
    HELM_CACHE_HOME: `${folder}/cache`,
    HELM_CONFIG_HOME: `${folder}/config`,
    HELM_DATA_HOME: `${folder}/data`,
  };
  const succeed = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run(helm, args, { env });
    assert.equal(code, 0, stderr);
  };
  await succeed('create', `${folder}/${name}`);
  await writeFile(`${folder}/${name}/Chart.yaml`, `apiVersion: v2\nname: ${name}\nversion: ${version}\n`);
  await succeed('package', `${folder}/${name}`, '--destination', folder);
  await succeed('push', `${folder}/${name}-${version}.tgz`, `oci://${host}/${namespace}`, '--plain-http');
}
