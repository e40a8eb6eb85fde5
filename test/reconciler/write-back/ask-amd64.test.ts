import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import { amd64Asker, type DigestSources } from '../../../reconciler/write-back/ask-amd64.ts';
import { imageIndex } from '../../fakes/registry.ts';
import { startBench } from '../../registry/harness.ts';
import { imageScan } from '../samples.ts';

const SIGNAL = new AbortController().signal;
const CREDENTIAL = { username: 'alice', password: 'correct-horse' };

describe('amd64Asker', () => {
  it('asks for one manifest by its digest, with what the ImageScan has to show', async () => {
    await using bench = await startBench({ auth: 'Basic', users: { alice: 'correct-horse' } });
    const digest = bench.registry.push(
      'acme/app',
      '1.0',
      imageIndex('acme/app', ['linux/arm64', 'linux/amd64']),
    );
    const canonicalImageName = `${bench.registry.host}/acme/app`;
    const status = { canonicalImageName, latestTag: '1.0', latestDigest: digest };
    const stored = imageScan({ spec: { image: canonicalImageName, secretRef: { name: 'pull' } }, status });
    const asked: string[] = [];
    const pullAccess: DigestSources['pullAccess'] = async ({ spec }, { digest }) => {
      asked.push(`${spec.secretRef?.name} for ${digest}`);
      return { credentials: [CREDENTIAL], notes: [] };
    };
    const ask = amd64Asker({ registry: bench.client, pullAccess, scans: { get: () => stored } });
    const scan = toScan(stored);
    const { manifests } = imageIndex('acme/app', ['linux/amd64']) as { manifests: { digest: string }[] };
    assert.equal(await ask(scan, scan.inForce ?? assert.fail('no value'), SIGNAL), manifests[0]?.digest);
    assert.deepEqual(asked, [`pull for ${digest}`]);
    const paths = new Set(bench.registry.requests.map(({ method, path }) => `${method} ${path}`));
    assert.deepEqual(paths, new Set([`GET /v2/acme/app/manifests/${digest}`]));
  });

  it('asks nothing for a scan that went meanwhile, and takes that for no answer', async () => {
    const gone = { get: () => undefined };
    const registry = { amd64Digest: () => assert.fail('asked') };
    const ask = amd64Asker({ registry, pullAccess: () => assert.fail('read'), scans: gone });
    const status = { canonicalImageName: 'registry.example/web', latestTag: '1', latestDigest: 'sha256:x' };
    const scan = toScan(imageScan({ status }));
    await assert.rejects(ask(scan, scan.inForce ?? assert.fail('no value'), SIGNAL), { code: 'ScanDeleted' });
  });
});
