import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { COMPATIBILITY_ANNOTATION } from '../../../kube/kinds/fleet.ts';
import { FleetValues } from '../../../write-back/fleet-values.ts';
import type { FakeApiServer, Recorded } from '../../fakes/apiserver.ts';
import { waitFor } from '../../wait.ts';
import {
  FLEET_GIT_REPOS_PATH,
  FLEET_IMAGE_SCANS_PATH,
  GIT_REPOS_PATH,
  IMAGE_SCANS_PATH,
  OTHER_DIGEST,
  rawFleetScan,
  rawScan,
} from '../samples.ts';
import { inForce, setUp } from './looping.ts';

const SERVE = { takeover: 'serve' } as const;
/** Whatever happens in a test happens before this is over. */
const RARELY = { imageScanInterval: '1h' };
const KEY = 'fleet.cattle.io/team/apps';
const marked = (value: string): string => `image: ${value} # {"$imagescan": "web"}\n`;

const statusWrites = (server: FakeApiServer, groupPath: string): Recorded[] =>
  server.requests.filter(
    ({ method, path }) =>
      method === 'PATCH' && path === `${groupPath.replace(/[^/]+$/, '')}namespaces/team/gitrepos/apps/status`,
  );

describe("WriteBackLoop, with Fleet's kinds", () => {
  it("writes the values of Fleet's ImageScans back, and tells so on the GitRepo as Fleet does", async (t) => {
    const { server, git, stores, start, putFleetRepo } = await setUp(t, SERVE);
    server.put(
      FLEET_IMAGE_SCANS_PATH,
      rawFleetScan({ spec: { gitrepoName: 'apps' }, status: inForce('2.0.0') }),
    );
    putFleetRepo({ spec: RARELY, status: { commit: 'of Fleet', observedGeneration: 7 } });
    start();
    await waitFor('the condition', () =>
      stores.gitRepos.get(KEY)?.status.conditions?.find(({ type }) => type === 'ImageSynced'),
    );
    assert.equal(await git.readFile('apps', 'a.yaml'), marked('registry.example/web:2.0.0'));
    const bodies = statusWrites(server, FLEET_GIT_REPOS_PATH).map(({ body }) => JSON.parse(body));
    assert.deepEqual(Object.keys(bodies[0].status).toSorted(), ['conditions', 'lastSyncedImageScanTime']);
    assert.deepEqual(bodies[0].status.conditions.length, 1);
    assert.deepEqual(statusWrites(server, GIT_REPOS_PATH), []);
  });

  it('leaves the one of Fleet to one of ours with its name, and takes it up at once when that goes', async (t) => {
    const { server, git, stores, start, putRepo, putFleetRepo } = await setUp(t, SERVE);
    await git.commit('apps', { 'b.yaml': marked('registry.example/web:1.0.0') });
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('2.0.0') }));
    putRepo({ spec: { ...RARELY, paths: ['a.yaml'] } });
    putFleetRepo({ spec: { ...RARELY, paths: ['b.yaml'] } });
    start();
    await waitFor('the commit of ours', async () => (await git.log('apps')).length === 3 || undefined);
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('2.1.0') }));
    await waitFor('the next one', async () => (await git.log('apps')).length === 4 || undefined);
    assert.equal(await git.readFile('apps', 'b.yaml'), marked('registry.example/web:1.0.0'));
    assert.deepEqual(statusWrites(server, FLEET_GIT_REPOS_PATH), []);

    server.remove(GIT_REPOS_PATH, 'team', 'apps');
    await waitFor('the commit of Fleet', async () => (await git.log('apps')).length === 5 || undefined);
    assert.equal(await git.readFile('apps', 'b.yaml'), marked('registry.example/web:2.1.0'));
    putRepo({ spec: { ...RARELY, paths: ['a.yaml'] } });
    await waitFor('the end of it', () =>
      stores.gitRepos.get(KEY)?.status.conditions?.find(({ type }) => type === 'ImageSynced'),
    );
  });

  it('takes a change of the annotation for another task, though no generation counts it', async (t) => {
    const fleetValues = new FleetValues(async () => OTHER_DIGEST);
    const { server, git, start, putFleetRepo, writtenStatuses } = await setUp(t, { ...SERVE, fleetValues });
    await git.commit('apps', { 'a.yaml': 'image: nginx:1 # {"$imagescan": "web"}\n' });
    server.put(
      IMAGE_SCANS_PATH,
      rawScan({
        spec: { image: 'nginx' },
        status: { ...inForce('2.0.0'), canonicalImageName: 'index.docker.io/library/nginx' },
      }),
    );
    putFleetRepo({ spec: RARELY });
    start();
    await waitFor('the status', () => writtenStatuses()[0]);
    assert.equal(await git.readFile('apps', 'a.yaml'), marked('nginx:2.0.0'));
    putFleetRepo({ spec: RARELY, metadata: { annotations: { [COMPATIBILITY_ANNOTATION]: 'Fleet' } } });
    await waitFor(
      'the canonical name',
      async () =>
        (await git.readFile('apps', 'a.yaml')) === marked('index.docker.io/library/nginx:2.0.0') || undefined,
    );
  });

  it('asks Git nothing because Fleet relabels a GitRepo or writes its status', async (t) => {
    const { server, git, stores, start, putFleetRepo, writtenStatuses } = await setUp(t, SERVE);
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('1.0.0') }));
    putFleetRepo({ spec: RARELY });
    start();
    await waitFor('the condition', () => stores.gitRepos.get(KEY)?.status.conditions?.[0]);
    /** How often Git is asked for a new value, the end of the run included. */
    const questionsFor = async (tag: string): Promise<number> => {
      const [asked, told] = [git.requests().length, writtenStatuses().length];
      server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce(tag) }));
      await waitFor(`${tag} to be told`, () => writtenStatuses().length > told || undefined);
      assert.match(await git.readFile('apps', 'a.yaml'), new RegExp(tag));
      return git.requests().length - asked;
    };
    const alone = await questionsFor('2.0.0');
    for (let count = 1; count <= 20; count++) {
      const labels = { count: `${count}` };
      putFleetRepo({ spec: RARELY, metadata: { labels }, status: { desiredReadyClusters: count } });
    }
    await waitFor('the last', () => stores.gitRepos.get(KEY)?.metadata.labels['count'] === '20' || undefined);
    // A run that began because of them would have asked before this one.
    assert.equal(await questionsFor('2.1.0'), alone);
  });

  it('has nothing left of one that is deleted, neither a copy nor a word for the next of its name', async (t) => {
    const { server, stores, cacheDirectory, start, putFleetRepo } = await setUp(t, SERVE);
    server.put(IMAGE_SCANS_PATH, rawScan({ status: inForce('1.0.0') }));
    putFleetRepo({ spec: RARELY, metadata: { uid: 'first' } });
    start();
    await waitFor('the condition', () => stores.gitRepos.get(KEY)?.status.conditions?.[0]);
    const copies = (): Promise<string[]> => readdir(join(cacheDirectory, 'git'));
    assert.equal((await copies()).length, 1);
    const told = statusWrites(server, FLEET_GIT_REPOS_PATH).length;
    server.remove(FLEET_GIT_REPOS_PATH, 'team', 'apps');
    await waitFor('its copy to go', async () => (await copies()).length === 0 || undefined);
    // Nothing is to be written back for this one, so nothing is to be told.
    server.remove(IMAGE_SCANS_PATH, 'team', 'web');
    await waitFor('the ImageScan to go', () => stores.scans.size === 0 || undefined);
    putFleetRepo({ spec: { ...RARELY, branch: 'none' }, metadata: { uid: 'second' } });
    await waitFor('its copy', async () => (await copies()).length === 1 || undefined);
    putFleetRepo({ spec: { ...RARELY, branch: 'none' }, metadata: { uid: 'second', labels: { a: 'b' } } });
    await waitFor('the label', () => stores.gitRepos.get(KEY)?.metadata.labels['a']);
    assert.equal(statusWrites(server, FLEET_GIT_REPOS_PATH).length, told);
  });
});
