import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { GitHubAppTokens } from '../../../git/github-app-tokens.ts';
import { EventRecorder } from '../../../kube/events.ts';
import type { FleetTakeover } from '../../../program/fleet-takeover.ts';
import { Metrics } from '../../../reconciler/metrics.ts';
import { createStores } from '../../../reconciler/stores.ts';
import { WriteBackLoop, type WriteBackLoopDependencies } from '../../../reconciler/write-back/loop.ts';
import { FleetValues } from '../../../write-back/fleet-values.ts';
import { startGitServer } from '../../control-plane/git-server.ts';
import { FakeApiServer } from '../../fakes/apiserver.ts';
import {
  DIGEST,
  FLEET_GIT_REPOS_PATH,
  GIT_REPOS_PATH,
  rawFleetGitRepo,
  rawGitRepo,
  recordedLog,
} from '../samples.ts';

/** The status of a scan that has a tag in force. */
export const inForce = (latestTag: string) => ({
  canonicalImageName: 'registry.example/web',
  latestTag,
  latestDigest: DIGEST,
});

/** A loop that can be started against an API server that can be meddled with and a repository with one stale marker. */
export async function setUp(
  t: TestContext,
  { takeover = 'off', ...more }: Partial<WriteBackLoopDependencies> & { takeover?: FleetTakeover } = {},
) {
  const git = await startGitServer();
  const { url } = await git.createRepository('apps', {
    'a.yaml': 'image: registry.example/web:1.0.0 # {"$imagescan": "web"}\n',
  });
  const server = await new FakeApiServer().start();
  const client = server.client();
  const { log, lines } = recordedLog();
  const stores = createStores(client, log, takeover);
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'fleetscan-loop-'));
  const loop = new WriteBackLoop({
    client,
    scans: stores.scans,
    index: stores.index,
    gitRepos: stores.gitRepos,
    cacheDirectory,
    environment: { PATH: process.env['PATH'] },
    appTokens: new GitHubAppTokens(),
    compatibility: 'None',
    fleetTakeover: takeover,
    fleetValues: new FleetValues(async () => assert.fail('nothing is to be as Fleet has it')),
    events: new EventRecorder(client, { component: 'test', instance: 'test' }),
    metrics: new Metrics(),
    log,
    ...more,
  });
  const abort = new AbortController();
  const start = (): void => {
    const running = Promise.all([stores.run(abort.signal), loop.run(abort.signal)]);
    t.after(async () => {
      abort.abort();
      await running;
      await client.close();
      await server.stop();
      await git.stop();
      await rm(cacheDirectory, { recursive: true, force: true });
    });
  };
  const putRepo = (parts: Parameters<typeof rawGitRepo>[0] = {}): object =>
    server.put(GIT_REPOS_PATH, rawGitRepo({ ...parts, spec: { repo: url, branch: 'main', ...parts.spec } }));
  const putFleetRepo = (parts: Parameters<typeof rawGitRepo>[0] = {}): object =>
    server.put(
      FLEET_GIT_REPOS_PATH,
      rawFleetGitRepo({ ...parts, spec: { repo: url, branch: 'main', ...parts.spec } }),
    );
  const writtenStatuses = (): string[] =>
    server.requests
      .filter(({ method, path }) => method === 'PATCH' && path.endsWith('/gitrepos/apps/status'))
      .map(({ body }) => body);
  return {
    server,
    client,
    git,
    stores,
    lines,
    cacheDirectory,
    start,
    putRepo,
    putFleetRepo,
    writtenStatuses,
  };
}
