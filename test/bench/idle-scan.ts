import { around } from '../../core/policy/explain.ts';
import { parseReference } from '../../core/reference.ts';
import { createRegistryClient } from '../../registry/client.ts';
import { scanImage } from '../../scan/scan.ts';
import { ScanMemory } from '../../scan/memory.ts';
import { parseImageScan, SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { type FakeRegistry, imageIndex, startFakeRegistry } from '../fakes/registry.ts';
import type { Row } from './row.ts';

const USER = { username: 'robot', password: 'correct-horse' };

/**
 * How many requests a registry with tokens gets for one more scan when nothing is new: a count, so the rival is the least that is
 * possible, one HEAD, and a list where there is something to choose.
 */
export async function idleScan(): Promise<Row[]> {
  return [
    await requests('requests for an idle scan, by semver', { semver: { range: '*' } }, 2),
    await requests('requests for an idle scan, one tag by digest', { digest: { tag: '1.0.0' } }, 1),
  ];
}

async function requests(name: string, policy: object, least: number): Promise<Row> {
  await using registry = await startFakeRegistry({
    auth: 'Bearer',
    users: { [USER.username]: USER.password },
  });
  const digest = registry.push('app', '1.0.0', imageIndex('app', ['linux/amd64', 'linux/arm64']));
  const image = `${registry.host}/app`;
  const client = createRegistryClient({ insecureHosts: [registry.host] });
  const memory = new ScanMemory();
  const scan = async (status: object): Promise<void> => {
    // Asked for, so that no answer of the scan before is good enough.
    const annotations = { [SCAN_REQUEST_ANNOTATION]: 'again' };
    const metadata = { name: 'app', generation: 1, annotations };
    const object = parseImageScan({ metadata, spec: { image, policy }, status });
    const result = await scanImage(object, {
      registry: client,
      pullAccess: async () => ({ credentials: [USER], notes: [] }),
      memory,
      explain: around,
      signal: new AbortController().signal,
    });
    if (result.kind === 'failed') throw new Error(result.message);
  };
  try {
    await scan({});
    const before = count(registry);
    const canonicalImageName = `${parseReference(image).registry}/app`;
    await scan({ observedGeneration: 1, canonicalImageName, latestTag: '1.0.0', latestDigest: digest });
    const after = count(registry);
    const total = after.all - before.all;
    return {
      name,
      ratio: total / least,
      target: `${least}, and no request for a token while it lives`,
      met: total === least && after.tokens === before.tokens,
      details: { requests: total, 'of them for tokens': after.tokens - before.tokens },
    };
  } finally {
    await client.close();
  }
}

function count({ requests }: FakeRegistry): { all: number; tokens: number } {
  return { all: requests.length, tokens: requests.filter(({ path }) => path === '/token').length };
}
