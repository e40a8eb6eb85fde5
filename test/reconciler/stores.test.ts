import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { EventRecorder } from '../../kube/events.ts';
import type { FleetTakeover } from '../../program/fleet-takeover.ts';
import { createStores } from '../../reconciler/stores.ts';
import { FakeApiServer } from '../fakes/apiserver.ts';
import { waitFor } from '../wait.ts';
import {
  DIGEST,
  FLEET_GIT_REPOS_PATH,
  FLEET_IMAGE_SCANS_PATH,
  GIT_REPOS_PATH,
  IMAGE_SCANS_PATH,
  rawFleetGitRepo,
  rawFleetScan,
  rawGitRepo,
  rawScan,
  recordedLog,
} from './samples.ts';

async function setUp(
  t: TestContext,
  prepare: (server: FakeApiServer) => void = () => {},
  takeover: FleetTakeover = 'off',
) {
  const server = await new FakeApiServer().start();
  prepare(server);
  const client = server.client();
  const { log, lines } = recordedLog();
  const events = new EventRecorder(client, { component: 'test', instance: 'test' });
  const stores = createStores(client, log, takeover, events);
  const abort = new AbortController();
  const start = (): void => {
    const running = stores.run(abort.signal);
    t.after(async () => {
      abort.abort();
      await running;
      await client.close();
      await server.stop();
    });
  };
  return { server, stores, lines, start };
}

const inForce = {
  canonicalImageName: 'registry.example/web',
  latestTag: '1.0.0',
  latestImage: 'registry.example/web:1.0.0',
  latestDigest: DIGEST,
};
const named = (tagName: string) => ({ readings: [{ tagName, form: 'image' }], text: tagName }) as const;

describe('createStores', () => {
  it('holds scans and GitRepos of all namespaces, by name', async (t) => {
    const { stores, start } = await setUp(t, (server) => {
      server.put(IMAGE_SCANS_PATH, rawScan());
      server.put(IMAGE_SCANS_PATH, rawScan({ metadata: { namespace: 'other' } }));
      server.put(GIT_REPOS_PATH, rawGitRepo());
    });
    start();
    await Promise.all([stores.scans.synced, stores.gitRepos.synced]);
    assert.equal(stores.scans.get('team/web')?.spec.image, 'registry.example/web');
    assert.equal(stores.scans.size, 2);
    assert.equal(stores.gitRepos.get('team/apps')?.spec.repo, 'https://git.example/apps.git');
  });

  it('passes over an object that is not as its CRD says, tells so, and keeps the others', async (t) => {
    const { server, stores, lines, start } = await setUp(t, (server) => {
      server.put(IMAGE_SCANS_PATH, rawScan({ metadata: { name: 'odd' }, spec: { image: 7 } }));
      server.put(IMAGE_SCANS_PATH, rawScan());
      server.put(GIT_REPOS_PATH, rawGitRepo({ metadata: { name: 'odd' }, spec: { repo: null } }));
      server.put(GIT_REPOS_PATH, rawGitRepo());
    });
    start();
    await Promise.all([stores.scans.synced, stores.gitRepos.synced]);
    assert.deepEqual(
      [...stores.scans.values()].map(({ name }) => name),
      ['web'],
    );
    assert.deepEqual(
      [...stores.gitRepos.values()].map(({ name }) => name),
      ['apps'],
    );
    const errors = JSON.stringify(lines.filter(({ level }) => level === 50));
    assert.match(errors, /ImageScan team\/odd: spec\.image: /);
    assert.match(errors, /GitRepo team\/odd: spec\.repo: /);

    server.put(IMAGE_SCANS_PATH, rawScan({ metadata: { name: 'odd' } }));
    await waitFor('the mended scan', () => stores.scans.get('team/odd'));
    server.put(IMAGE_SCANS_PATH, rawScan({ metadata: { name: 'odd' }, spec: { image: '' } }));
    await waitFor('it to go', () => (stores.scans.get('team/odd') === undefined ? true : undefined));
    assert.equal(stores.index.get('team/odd'), undefined);
  });

  it('has the index current before it tells of a change', async (t) => {
    const { server, stores, start } = await setUp(t);
    const seen: unknown[] = [];
    stores.scans.onChange(({ type, item }) => {
      const lookup = stores.index.find(named(item.name), { namespace: 'team' });
      seen.push([type, lookup.kind === 'found' ? (lookup.scan.inForce?.tag ?? 'no value') : lookup.reason]);
    });
    start();
    await stores.scans.synced;
    server.put(IMAGE_SCANS_PATH, rawScan());
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce }));
    server.put(IMAGE_SCANS_PATH, rawScan({ spec: { tagName: 'renamed' }, status: inForce }));
    server.remove(IMAGE_SCANS_PATH, 'team', 'web');
    await waitFor('four changes', () => (seen.length === 4 ? true : undefined));
    assert.deepEqual(seen, [
      ['put', 'no value'],
      ['put', '1.0.0'],
      ['put', 'UnknownScan'],
      ['deleted', 'UnknownScan'],
    ]);
    assert.equal(stores.index.size, 0);
  });

  it('goes on after its watch was cut, and says so', async (t) => {
    const { server, stores, lines, start } = await setUp(t);
    start();
    await Promise.all([stores.scans.synced, stores.gitRepos.synced]);
    await waitFor('both watches', () => (server.openWatches === 2 ? true : undefined));
    server.resetWatches();
    server.put(IMAGE_SCANS_PATH, rawScan());
    await waitFor('the scan', () => stores.scans.get('team/web'));
    assert.ok(lines.some(({ msg }) => msg === 'a watch failed; it is resumed'));
  });

  it('tells once of an object that it cannot read, in the log and in an Event on it, whosever kind it is of', async (t) => {
    const odd = { metadata: { name: 'odd', uid: 'uid-of-odd' } };
    const { server, stores, lines, start } = await setUp(
      t,
      (each) => {
        each.put(FLEET_IMAGE_SCANS_PATH, rawFleetScan({ ...odd, spec: { image: { name: 'nginx' } } }));
        each.put(FLEET_GIT_REPOS_PATH, rawFleetGitRepo({ ...odd, spec: { paths: [{ path: 'a' }] } }));
        each.put(IMAGE_SCANS_PATH, rawScan({ ...odd, spec: { image: 7 } }));
      },
      'serve',
    );
    start();
    await Promise.all([stores.scans.synced, stores.gitRepos.synced]);
    for (let commit = 1; commit <= 3; commit++) {
      const metadata = { ...odd.metadata, labels: { commit: `${commit}` } };
      server.put(FLEET_GIT_REPOS_PATH, rawFleetGitRepo({ metadata, spec: { paths: [{ path: 'a' }] } }));
    }
    server.put(FLEET_GIT_REPOS_PATH, rawFleetGitRepo({ metadata: { name: 'last' } }));
    await waitFor('the last', () => stores.gitRepos.get('fleet.cattle.io/team/last'));
    assert.equal(lines.filter(({ level }) => level === 50).length, 3);

    const told = await waitFor('the Events', () => {
      const posts = server.requests.filter(
        ({ method, path }) => method === 'POST' && path.includes('/events'),
      );
      return posts.length === 3 ? posts.map(({ body }) => JSON.parse(body)) : undefined;
    });
    const texts = told.map(({ type, reason, regarding: { apiVersion, kind, name, uid }, note }) =>
      [type, reason, apiVersion, kind, name, uid, note].join(' '),
    );
    for (const wanted of [
      /^Warning InvalidObject fleet\.cattle\.io\/v1alpha1 ImageScan odd uid-of-odd .*ImageScan team\/odd: spec\.image: /,
      /^Warning InvalidObject fleet\.cattle\.io\/v1alpha1 GitRepo odd uid-of-odd .*GitRepo team\/odd: spec\.paths\.0: /,
      /^Warning InvalidObject fleetscan\.io\/v1alpha1 ImageScan odd uid-of-odd .*ImageScan team\/odd: spec\.image: /,
    ])
      assert.ok(
        texts.some((text) => wanted.test(text)),
        `${wanted} in ${texts.join('\n')}`,
      );
  });
});
