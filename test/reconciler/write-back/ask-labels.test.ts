import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { parseReference } from '../../../core/reference.ts';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import type { Access } from '../../../registry/request.ts';
import type { ImageLabels } from '../../../registry/labels.ts';
import { labelAsker } from '../../../reconciler/write-back/ask-labels.ts';
import { DIGEST, imageScan } from '../samples.ts';

const REFERENCE = { ...parseReference('registry.example/web'), digest: DIGEST };

describe('labelAsker', () => {
  it('gives up on a registry that says nothing, and asks it no more in this run', async () => {
    let asked = 0;
    const silent = async (_: unknown, { signal }: Access): Promise<ImageLabels> => {
      asked += 1;
      await once(signal ?? assert.fail('without an end'), 'abort');
      throw signal?.reason;
    };
    const stored = imageScan();
    const asker = labelAsker(
      {
        registry: { labels: silent },
        pullAccess: async () => ({ credentials: [], notes: [] }),
        scans: { get: () => stored },
      },
      20,
    );
    const ask = asker(new AbortController().signal);
    for (const _ of [1, 2]) {
      await assert.rejects(ask(toScan(stored), REFERENCE), { name: 'TimeoutError' });
    }
    assert.equal(asked, 1);
  });
});
