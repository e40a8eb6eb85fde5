import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SECRETS } from '../../../kube/resource.ts';
import type { Brought } from '../../../reconciler/definitions/definitions.ts';
import { FleetGitRepoTeller } from '../../../reconciler/fleet/git-repo-teller.ts';
import { createStores, type StoredGitRepo } from '../../../reconciler/stores.ts';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import { FakeApiServer, sendStatus } from '../../fakes/apiserver.ts';
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

/** What a file defines, and what is wrong in it. */
const defines = (definitions: number, ...mistakes: readonly string[]): Brought => ({
  definitions,
  mistakes: mistakes.map((message) => ({ file: 'fleet.yaml', line: 3, message })),
  created: [],
  changed: [],
  removed: [],
  failures: [],
});

interface Telling {
  readonly gitRepo?: StoredGitRepo;
  readonly brought?: Brought;
}

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
  const tell = (result: WriteBackResult, { gitRepo = stored(), brought }: Telling = {}) =>
    teller.tell(gitRepo, { result, ...(brought && { brought }) }, abort.signal);
  const until = (what: string, isSo: (repo: StoredGitRepo) => boolean) =>
    waitFor(what, () => (isSo(stored()) ? true : undefined));
  const patches = (): string[] =>
    server.requests
      .filter(({ method, path }) => method === 'PATCH' && path.endsWith('/apps/status'))
      .map(({ body }) => body);
  return { server, client, stores, lines, overwrite, stored, tell, until, patches };
}

const acceptedCondition = (status: 'True' | 'False', reason: string, message: string) => ({
  type: 'ImageScansAccepted',
  status,
  reason,
  message,
});

const acceptedOf = ({ status }: StoredGitRepo): string | undefined => {
  const condition = status.conditions?.find(({ type }) => type === 'ImageScansAccepted');
  return condition && `${condition.status} ${condition.reason}`;
};

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

  it('takes a failure back when one of ours takes over, and tells no more while that is there', async (t) => {
    const { server, stores, stored, tell, until, patches } = await setUp(t);
    await tell(failed);
    await until('the failure', (repo) => syncedOf(repo) === 'False Error');
    server.put(GIT_REPOS_PATH, rawGitRepo());
    await until('the end of it', (repo) => syncedOf(repo) === 'True TakenOver');
    const told = patches().length;
    // A run that was under way when it came.
    assert.deepEqual(await tell(failed), { before: stored(), after: stored() });
    assert.equal(patches().length, told);

    server.remove(GIT_REPOS_PATH, 'team', 'apps');
    await waitFor('ours to go', () => (stores.gitRepos.size === 1 ? true : undefined));
    await tell(failed);
    await until('the failure', (repo) => syncedOf(repo) === 'False Error');
  });

  it('takes a failure back when the last ImageScan goes', async (t) => {
    const { server, stores, tell, until, patches, overwrite } = await setUp(t);
    await tell(failed);
    await until('the failure', (repo) => syncedOf(repo) === 'False Error');
    server.remove(FLEET_IMAGE_SCANS_PATH, 'team', 'web');
    await waitFor('it to go', () => (stores.scans.size === 0 ? true : undefined));
    await tell(failed);
    await until('the end of it', (repo) => syncedOf(repo) === 'True NoImageScan');
    const told = patches().length;
    overwrite({ readyClusters: 1 });
    await until('the overwrite', (repo) => syncedOf(repo) === undefined);
    await tell(failed);
    assert.equal(patches().length, told, 'it only deploys from now on');
  });

  it('leaves a success as it stands when the last ImageScan goes', async (t) => {
    const { server, stores, tell, until, patches } = await setUp(t);
    await tell(unmarked);
    await until('the success', (repo) => syncedOf(repo) === 'True NothingMarked');
    server.remove(FLEET_IMAGE_SCANS_PATH, 'team', 'web');
    await waitFor('it to go', () => (stores.scans.size === 0 ? true : undefined));
    await tell(unmarked);
    assert.equal(patches().length, 1);
  });

  it('takes back what another leader told, whose memory it has not', async (t) => {
    const { server, stored, tell, until, overwrite } = await setUp(t, { isScanned: false });
    const trouble = {
      conditions: [
        { type: 'ImageSynced', status: 'False', reason: 'Error', message: 'BranchMissing: no branch x' },
        { type: 'Stalled', status: 'True', reason: 'Stalled', message: 'BranchMissing: no branch x' },
        acceptedCondition('False', 'InvalidDefinition', 'fleet.yaml:3: no'),
      ],
    };
    overwrite(trouble);
    await until('the trouble', (repo) => syncedOf(repo) === 'False Error');
    await tell(unmarked, { brought: defines(0) });
    await until('the end of it', (repo) => syncedOf(repo) === 'True NoImageScan');
    assert.deepEqual(
      stored().status.conditions?.map(({ type, status }) => [type, status]),
      [
        ['ImageSynced', 'True'],
        ['Stalled', 'False'],
      ],
    );

    overwrite({ ...trouble, readyClusters: 2 }, { uid: 'another' });
    await until('the trouble', (repo) => syncedOf(repo) === 'False Error');
    server.put(GIT_REPOS_PATH, rawGitRepo());
    await until('the end of it', (repo) => syncedOf(repo) === 'True TakenOver');
    assert.equal(acceptedOf(stored()), undefined);
  });

  it('leaves an error of Fleet alone on one of which no ImageScan is', async (t) => {
    const { tell, until, overwrite, patches } = await setUp(t, { isScanned: false });
    const condition = {
      type: 'ImageSynced',
      status: 'False',
      reason: 'Error',
      message: 'requires git secret',
    };
    overwrite({ conditions: [condition] });
    await until('the error', (repo) => syncedOf(repo) === 'False Error');
    await tell(failed);
    await tell(unmarked);
    assert.deepEqual(patches(), []);
  });

  it('tries again what the API server refuses, after a pause that no write of Fleet shortens', async (t) => {
    const { server, overwrite, tell, until, lines } = await setUp(t);
    await tell(inPart);
    await until('the condition', (repo) => syncedOf(repo) === 'True SyncedInPart');
    let refusedAt = 0;
    server.plan(
      ({ method, path }) => method === 'PATCH' && path.endsWith('/apps/status'),
      (_request, response) => {
        refusedAt = performance.now();
        sendStatus(response, 403, 'Forbidden', 'not you');
      },
    );
    overwrite({ readyClusters: 1 });
    await waitFor('a refusal', () => (refusedAt > 0 ? true : undefined));
    const line = await waitFor('the line', () =>
      lines.find(({ msg }) => msg.includes('could not be mended')),
    );
    for (let readyClusters = 2; readyClusters < 20; readyClusters++) overwrite({ readyClusters });
    await until('the condition again', (repo) => syncedOf(repo) === 'True SyncedInPart');
    const delayMs = Number('delayMs' in line && line.delayMs);
    assert.ok(delayMs >= 5000 && delayMs <= 10_000, `${delayMs} ms`);
    assert.ok(performance.now() - refusedAt >= delayMs - 100);
  });

  it('tells of definitions, also again, until no file has any', async (t) => {
    const { overwrite, stored, tell, until } = await setUp(t, { isScanned: false });
    await tell(unmarked, { brought: defines(1, 'a mistake') });
    await until('the mistake', (repo) => acceptedOf(repo) === 'False InvalidDefinition');
    await tell(unchanged);
    assert.equal(acceptedOf(stored()), 'False InvalidDefinition', 'a run that did not look knows no better');
    await tell(failed);
    await until('both', (repo) => syncedOf(repo) === 'False Error');
    assert.equal(acceptedOf(stored()), 'False InvalidDefinition');

    await tell(unmarked, { brought: defines(1) });
    await until('the end of it', (repo) => acceptedOf(repo) === 'True Accepted');
    overwrite({ readyClusters: 1 });
    await until('the overwrite', (repo) => acceptedOf(repo) === undefined);
    await until('it again', (repo) => acceptedOf(repo) === 'True Accepted');

    await tell(unmarked, { brought: defines(0) });
    await until('no definitions', (repo) => acceptedOf(repo) === undefined);
    assert.equal(syncedOf(stored()), 'True NoImageScan');
  });

  it('takes definitions back when one of ours takes over', async (t) => {
    const { server, stored, tell, until } = await setUp(t, { isScanned: false });
    await tell(unmarked, { brought: defines(1) });
    await until('them', (repo) => acceptedOf(repo) === 'True Accepted');
    server.put(GIT_REPOS_PATH, rawGitRepo());
    await until('it to be taken over', (repo) => syncedOf(repo) === 'True TakenOver');
    assert.equal(acceptedOf(stored()), undefined);
  });

  it('tells one that was made anew nothing of the former', async (t) => {
    const { overwrite, stored, tell, until, patches } = await setUp(t);
    const former = stored();
    overwrite({}, { uid: 'another' });
    await until('the new one', ({ metadata }) => metadata.uid === 'another');
    assert.equal(await tell(failed, { gitRepo: former }), undefined);
    assert.deepEqual(patches(), []);
  });

  it('has forgotten one that was deleted when the next of its name comes', async (t) => {
    const { server, stores, overwrite, stored, tell, until, patches } = await setUp(t);
    await tell(inPart);
    await until('the condition', (repo) => syncedOf(repo) === 'True SyncedInPart');
    server.remove(FLEET_GIT_REPOS_PATH, 'team', 'apps');
    await waitFor('it to go', () => (stores.gitRepos.get(KEY) === undefined ? true : undefined));
    overwrite({}, { uid: 'another' });
    await waitFor('the next', () => stores.gitRepos.get(KEY));
    assert.deepEqual(await tell(unchanged), { before: stored(), after: stored() });
    assert.equal(patches().length, 1);
  });

  it('leaves a success as it stands when one of ours takes over', async (t) => {
    const { server, client, stores, tell, until, patches } = await setUp(t);
    await tell(inPart);
    await until('the success', (repo) => syncedOf(repo) === 'True SyncedInPart');
    server.put(GIT_REPOS_PATH, rawGitRepo());
    await waitFor('ours', () => stores.gitRepos.get('team/apps'));
    // A few questions of our own take longer than it would take to write.
    for (let i = 0; i < 5; i++) await client.list({ resource: SECRETS });
    assert.equal(patches().length, 1);
  });
});
