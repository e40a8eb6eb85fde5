import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FleetGitRepoTeller } from '../../../reconciler/fleet/git-repo-teller.ts';
import { createStores, type StoredGitRepo } from '../../../reconciler/stores.ts';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import { FakeApiServer } from '../../fakes/apiserver.ts';
import { waitFor } from '../../wait.ts';
import {
  FLEET_GIT_REPOS_PATH,
  FLEET_IMAGE_SCANS_PATH,
  GIT_REPOS_PATH,
  rawFleetGitRepo,
  rawFleetScan,
  rawGitRepo,
  recordedLog,
} from '../samples.ts';

const HEAD = 'c'.repeat(40);
const KEY = 'fleet.cattle.io/team/apps';
const left = { file: 'a.yaml', line: 3, reason: 'UnknownScan', message: 'no scan x' };
const plan = { changes: [], edits: [], leftAlone: [left], markers: 1, current: 1 };
const inPart: WriteBackResult = { kind: 'synced', head: HEAD, at: HEAD, plan };
const unmarked: WriteBackResult = { ...inPart, plan: { ...plan, leftAlone: [], markers: 0, current: 0 } };
const unchanged: WriteBackResult = { kind: 'unchanged', head: HEAD, at: HEAD };
const failed: WriteBackResult = { kind: 'failed', reason: 'Unreachable', message: 'no connection' };

/** A teller at work, and a GitRepo of Fleet's that an ImageScan names, or none. */
async function setUp(t: TestContext, { isScanned = true } = {}) {
  const server = await new FakeApiServer().start();
  const client = server.client();
  const { log, lines } = recordedLog();
  const stores = createStores(client, log, 'serve');
  const teller = new FleetGitRepoTeller({ client, scans: stores.scans, gitRepos: stores.gitRepos, log });
  const abort = new AbortController();
  const overwrite = (status?: object, metadata?: object): object =>
    server.put(
      FLEET_GIT_REPOS_PATH,
      rawFleetGitRepo({ ...(status && { status }), ...(metadata && { metadata }) }),
    );
  if (isScanned) server.put(FLEET_IMAGE_SCANS_PATH, rawFleetScan({ spec: { gitrepoName: 'apps' } }));
  overwrite();
  const running = Promise.all([stores.run(abort.signal), teller.run(abort.signal)]);
  t.after(async () => {
    abort.abort();
    await running;
    await client.close();
    await server.stop();
  });
  await Promise.all([stores.scans.synced, stores.gitRepos.synced]);
  const stored = (): StoredGitRepo => {
    const found = stores.gitRepos.get(KEY);
    assert.ok(found);
    return found;
  };
  const tell = (result: WriteBackResult, gitRepo = stored()) =>
    teller.tell(gitRepo, { result }, abort.signal);
  const until = (what: string, isSo: (repo: StoredGitRepo) => boolean) =>
    waitFor(what, () => (isSo(stored()) ? true : undefined));
  const patches = (): string[] =>
    server.requests
      .filter(({ method, path }) => method === 'PATCH' && path.endsWith('/apps/status'))
      .map(({ body }) => body);
  return { server, stores, lines, overwrite, stored, tell, until, patches };
}

const syncedOf = ({ status }: StoredGitRepo): string | undefined => {
  const condition = status.conditions?.find(({ type }) => type === 'ImageSynced');
  return condition && [condition.status, condition.reason].filter(Boolean).join(' ');
};

describe('FleetGitRepoTeller', () => {
  it('has a run that found nothing new tell the condition of the last look again', async (t) => {
    const { overwrite, tell, until } = await setUp(t);
    await tell(inPart);
    await until('the condition', (repo) => syncedOf(repo) === 'True SyncedInPart');
    overwrite({ commit: HEAD });
    await until('the overwrite', (repo) => syncedOf(repo) === undefined);
    const written = await tell(unchanged);
    assert.equal(written && syncedOf(written.after), 'True SyncedInPart');
  });

  it('mends what was overwritten, once in five seconds at most, however often that happens', async (t) => {
    const { overwrite, tell, until, patches } = await setUp(t);
    await tell(inPart);
    await until('the condition', (repo) => syncedOf(repo) === 'True SyncedInPart');
    const told = Date.now();
    for (let readyClusters = 0; readyClusters < 50; readyClusters++) overwrite({ readyClusters });
    await until('the overwrite', (repo) => syncedOf(repo) === undefined);
    await until('the condition again', (repo) => syncedOf(repo) === 'True SyncedInPart');
    assert.ok(Date.now() - told >= 4900, `after ${Date.now() - told} ms`);
    assert.equal(patches().length, 2);
  });

  it('tells a GitRepo that only deploys nothing, and logs a failure as a detail', async (t) => {
    const { tell, patches, lines, stored } = await setUp(t, { isScanned: false });
    for (const result of [failed, unmarked, unchanged]) {
      assert.deepEqual(await tell(result), { before: stored(), after: stored() });
    }
    assert.deepEqual(patches(), []);
    assert.match(JSON.stringify(lines.filter(({ level }) => level === 20)), /Unreachable: no connection/);
    assert.deepEqual(
      lines.filter(({ level }) => level > 30),
      [],
    );
  });

  it('tells one of which no ImageScan is when a marker in it names a scan all the same', async (t) => {
    const { tell, until } = await setUp(t, { isScanned: false });
    await tell(inPart);
    await until('the condition', (repo) => syncedOf(repo) === 'True SyncedInPart');
  });

  it('takes a failure back when the last ImageScan goes, or when one of ours takes over', async (t) => {
    const { server, stores, tell, until } = await setUp(t);
    await tell(failed);
    await until('the failure', (repo) => syncedOf(repo) === 'False Error');
    server.put(GIT_REPOS_PATH, rawGitRepo());
    await until('the end of it', (repo) => syncedOf(repo) === 'True TakenOver');

    await tell(failed);
    await until('the failure', (repo) => syncedOf(repo) === 'False Error');
    server.remove(FLEET_IMAGE_SCANS_PATH, 'team', 'web');
    await waitFor('it to go', () => (stores.scans.size === 0 ? true : undefined));
    await tell(failed);
    await until('the end of it', (repo) => syncedOf(repo) === 'True NoImageScan');
  });

  it('tells one that was made anew nothing of the former', async (t) => {
    const { overwrite, stored, tell, until, patches } = await setUp(t);
    const former = stored();
    overwrite({}, { uid: 'another' });
    await until('the new one', ({ metadata }) => metadata.uid === 'another');
    assert.equal(await tell(failed, former), undefined);
    assert.deepEqual(patches(), []);
  });
});
