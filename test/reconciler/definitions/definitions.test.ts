import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { OtherEntry } from '../../../git/repository.ts';
import { Definitions } from '../../../reconciler/definitions/definitions.ts';
import { createStores, parseStoredGitRepo } from '../../../reconciler/stores.ts';
import { FakeApiServer, sendJson } from '../../fakes/apiserver.ts';
import { waitFor } from '../../wait.ts';
import { GIT_REPOS_PATH, gitRepo, IMAGE_SCANS_PATH, rawGitRepo, rawScan, recordedLog } from '../samples.ts';
import { entries } from './samples.ts';

const OWNER = gitRepo({ metadata: { uid: 'uid-of-apps' } });

/** An API server with its stores, and a commit with one file that defines scans of these tagNames. */
async function setUp(t: TestContext, ...tagNames: readonly string[]) {
  const server = await new FakeApiServer().start();
  const client = server.client();
  const { log } = recordedLog();
  const stores = createStores(client, log, 'off');
  const abort = new AbortController();
  const running = stores.run(abort.signal);
  t.after(async () => {
    abort.abort();
    await running;
    await client.close();
    await server.stop();
  });
  await stores.scans.synced;
  const definitions = new Definitions({
    client,
    scans: stores.scans,
    gitRepos: stores.gitRepos,
    fleetTakeover: 'off',
  });
  let listed = 0;
  const others: OtherEntry[] = [];
  const source = {
    list: async () => {
      listed += 1;
      return { files: [{ path: 'fleet.yaml', mode: '100644' as const, oid: 'a' }], others };
    },
    async *read() {
      yield { oid: 'a', content: Buffer.from(entries(...tagNames)) };
    },
  };
  const bring = (commit = 'commit', owner = OWNER) => definitions.bring(owner, source, commit, abort.signal);
  const writes = (): string[] =>
    server.requests.filter(({ method }) => method !== 'GET').map(({ method }) => method);
  return { server, stores, abort, definitions, others, bring, writes, listed: () => listed };
}

const refuse = (server: FakeApiServer, name: string, code: number, reason: string): void =>
  server.plan(
    ({ method, body }) => method === 'POST' && body.includes(`"name":"${name}"`),
    (_request, response) =>
      sendJson(response, code, { kind: 'Status', code, reason, message: `${reason} it is` }),
  );

describe('Definitions', () => {
  it('creates what the watch then tells of, and at the same commit does nothing again', async (t) => {
    const { stores, bring, writes, listed } = await setUp(t, 'web', 'db');
    const brought = await bring();
    assert.deepEqual(brought?.created.toSorted(), ['apps-db', 'apps-web']);
    assert.ok(stores.scans.get('team/apps-web'));
    const again = await bring();
    assert.deepEqual([again?.created, again?.changed, again?.definitions], [[], [], 2]);
    assert.deepEqual([writes(), listed()], [['POST', 'POST'], 1]);
  });

  it('reads the files again at another commit, and for other paths', async (t) => {
    const { bring, listed } = await setUp(t, 'web');
    for (const [commit, owner] of [
      ['one', OWNER],
      ['two', OWNER],
      ['two', gitRepo({ metadata: { uid: 'uid-of-apps' }, spec: { paths: ['a'] } })],
    ] as const) {
      const before = listed();
      for (const _ of [1, 2]) await bring(commit, owner);
      assert.equal(listed(), before + 1);
    }
  });

  it('waits until the watch tells of what it created: markers are looked at next', async (t) => {
    const { server, stores, bring } = await setUp(t, 'web');
    server.plan(
      ({ method }) => method === 'POST',
      ({ body }, response) => {
        const object = JSON.parse(body);
        sendJson(response, 201, object);
        setTimeout(() => server.put(IMAGE_SCANS_PATH, object), 200);
      },
    );
    await bring();
    assert.ok(stores.scans.get('team/apps-web'));
  });

  it('goes on beside what the API server refuses, which is a mistake with its place', async (t) => {
    const { server, bring } = await setUp(t, 'web', 'db', 'api');
    refuse(server, 'apps-web', 403, 'Forbidden');
    refuse(server, 'apps-db', 500, 'InternalError');
    const brought = await bring();
    assert.deepEqual(brought?.created, ['apps-api']);
    assert.equal(brought?.failures.length, 2);
    assert.deepEqual(
      brought?.mistakes.map(({ line, message }) => `${line} ${message}`),
      ['2 not created: Forbidden: Forbidden it is', '3 not created: Server: InternalError it is'],
    );
    assert.deepEqual((await bring())?.created.toSorted(), ['apps-db', 'apps-web']);
  });

  it('tells of a file that it cannot read where others define something, and not alone', async (t) => {
    for (const [tagNames, mistakes] of [
      [[], []],
      [['web'], ['link/fleet.yaml']],
    ] as const) {
      const { others, bring } = await setUp(t, ...tagNames);
      others.push({ path: 'link/fleet.yaml', kind: 'symlink' });
      assert.deepEqual(
        (await bring())?.mistakes.map(({ file }) => file),
        mistakes,
      );
    }
  });

  it('ends with the signal', async (t) => {
    const { server, abort, bring } = await setUp(t, 'web', 'db');
    server.plan(
      ({ method }) => method === 'POST',
      () => abort.abort(),
    );
    await assert.rejects(bring(), { name: 'AbortError' });
  });

  it('leaves a GitRepo that is going alone', async (t) => {
    const { bring, writes } = await setUp(t, 'web');
    const going = gitRepo({ metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' } });
    assert.equal(await bring('commit', going), undefined);
    assert.deepEqual(writes(), []);
  });

  it('leaves to a GitRepo of ours what one of Fleet of its name would define', async (t) => {
    const { server, stores, bring, writes } = await setUp(t, 'web');
    server.put(GIT_REPOS_PATH, rawGitRepo());
    await waitFor('the GitRepo', () => stores.gitRepos.get('team/apps'));
    const fleets = parseStoredGitRepo(rawGitRepo(), 'fleet.cattle.io');
    assert.equal(await bring('commit', fleets), undefined);
    assert.deepEqual(writes(), []);
  });

  it('knows whether a changed ImageScan is as its file says', async (t) => {
    const { server, stores, definitions, bring } = await setUp(t, 'web');
    await bring();
    const web = stores.scans.get('team/apps-web');
    assert.ok(web);
    const isDisturbed = (next: object): boolean => definitions.isDisturbed(OWNER, { ...web, ...next }, web);
    assert.equal(isDisturbed({ status: { latestTag: '1.0.0' } }), false);
    assert.equal(isDisturbed({ spec: { ...web.spec, pin: { tag: '1.0.0' } } }), false);
    assert.equal(isDisturbed({ spec: { ...web.spec, image: 'other' } }), true);
    assert.equal(isDisturbed({ metadata: { ...web.metadata, ownerReferences: [] } }), true);
    assert.equal(isDisturbed({ metadata: { ...web.metadata, labels: {} } }), true);
    const going = { ...web.metadata, deletionTimestamp: '2026-01-02T03:04:05Z' };
    assert.equal(isDisturbed({ metadata: going, spec: { ...web.spec, image: 'other' } }), false);
    server.put(IMAGE_SCANS_PATH, rawScan());
    const other = await waitFor('another', () => stores.scans.get('team/web'));
    assert.equal(definitions.isDisturbed(OWNER, other, other), false);
    const far = { ...web, namespace: 'far', metadata: { ...web.metadata, namespace: 'far' } };
    assert.equal(definitions.isDisturbed(OWNER, { ...far, spec: other.spec }, far), false);
    definitions.forget(OWNER);
    assert.equal(isDisturbed({ spec: { ...web.spec, image: 'other' } }), false, 'nothing is known any more');
  });
});
