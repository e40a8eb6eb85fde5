import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { GitHubAppTokens } from '../../../git/github-app-tokens.ts';
import { ScanIndex } from '../../../core/scan.ts';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import { parseStoredGitRepo, type StoredGitRepo } from '../../../reconciler/stores.ts';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import { type WriteBackDependencies, writeBack } from '../../../reconciler/write-back/write-back.ts';
import { FleetValues } from '../../../write-back/fleet-values.ts';
import { mergePatch } from '../../fakes/merge-patch.ts';
import { DIGEST, imageScan } from '../samples.ts';

/** A file with one marker of the scan `web`, at a tag. */
export const marked = (tag: string): string => `image: registry.example/web:${tag} # {"$imagescan": "web"}\n`;

/** Runs a write-back of a GitRepo, with a tag of the scan `web` in force. */
export type Run = (
  repo: StoredGitRepo,
  tag?: string,
  more?: Partial<WriteBackDependencies>,
) => Promise<WriteBackResult>;

/** A runner whose local copies are removed at the end of the test. */
export async function runner(t: TestContext): Promise<Run> {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'fleetscan-write-back-'));
  t.after(() => rm(cacheDirectory, { recursive: true, force: true }));
  return (repo, tag = '2.0.0', more = {}) =>
    writeBack(repo, {
      client: { get: () => assert.fail('no Secret is named') },
      index: indexOf(tag),
      cacheDirectory,
      environment: { PATH: process.env['PATH'] },
      appTokens: new GitHubAppTokens(),
      compatibility: 'None',
      fleetValues: new FleetValues(async () => assert.fail('nothing is to be as Fleet has it')),
      signal: new AbortController().signal,
      ...more,
    });
}

function indexOf(latestTag: string): ScanIndex {
  const index = new ScanIndex();
  const status = { canonicalImageName: 'registry.example/web', latestTag, latestDigest: DIGEST };
  index.put(toScan(imageScan({ status })));
  return index;
}

/** A GitRepo with a new status, as the API server makes it of a patch. */
export function patched(repo: StoredGitRepo, status: object): StoredGitRepo {
  return parseStoredGitRepo(mergePatch(repo, { status }));
}
