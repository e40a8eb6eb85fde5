import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { namespaceObject, put, type Reconciling, secret, startReconciling } from '../e2e/reconciling.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds } from './kinds.ts';
import {
  applyAsFleet,
  fleetCondition,
  fleetGitRepo,
  fleetImageScan,
  fleetScanName,
  fleetStatus,
  overwriteStatusAsFleet,
  readFleetScan,
  untilFleetGitRepo,
  untilFleetScan,
} from './objects.ts';
import { startStorm } from './storm.ts';

const PUSHER = { username: 'fleet', password: 'a password' };
const COMMIT = 'f'.repeat(40);

describe("Fleet's own writes", () => {
  let registry: Registry;
  let git: GitServer;
  let bench: Reconciling;

  before(async () => {
    [registry, git] = await Promise.all([startRegistry(), startGitServer({ credential: PUSHER })]);
    bench = await startReconciling({
      insecureRegistries: [registry.host],
      values: ['fleet.takeover=serve'],
      args: ['--fleet-takeover=serve'],
    });
    await installFleetKinds(bench.client);
  });

  after(async () => {
    await bench?.stop();
    await Promise.all([registry?.stop(), git?.stop()]);
  });

  const text = (namespace: string, tag: string): string =>
    `image: ${registry.host}/${namespace}:${tag} # {"$imagescan": "web"}\n`;

  const scanOf = (namespace: string, interval: string, commit = '1'): ReturnType<typeof fleetImageScan> =>
    fleetImageScan(
      { namespace, gitRepo: 'apps', commit: commit.padStart(40, '0') },
      { tagName: 'web', image: `${registry.host}/${namespace}`, interval },
    );

  /** A GitRepo `apps` with an ImageScan `web`, written back once. */
  async function writtenBack(namespace: string, interval: string): Promise<void> {
    await pushImage(registry.host, namespace, '1.0.0');
    await git.createRepository(namespace, { 'a.yaml': text(namespace, '0.9.0') });
    const credential = secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', PUSHER);
    await put(bench.client, namespaceObject(namespace), credential);
    const repo = `${git.url}/${namespace}.git`;
    const spec = { repo, branch: 'main', clientSecretName: 'git', imageScanInterval: interval };
    await applyAsFleet(
      bench.client,
      fleetGitRepo({ namespace, name: 'apps' }, spec),
      scanOf(namespace, interval),
    );
    await untilSynced(namespace);
  }

  const untilSynced = (namespace: string) =>
    untilFleetGitRepo(
      bench.client,
      { namespace, name: 'apps' },
      'ImageSynced and its time',
      (repo) =>
        fleetCondition(repo, 'ImageSynced') === 'True' && repo.status.lastSyncedImageScanTime !== undefined,
    );

  it('over a status that was told are mended, without a question to Git, and keep what Fleet wrote', async () => {
    await writtenBack('mended', '1h');
    const repo = { namespace: 'mended', name: 'apps' };
    let asked = 0;
    const ready = { type: 'Ready', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z' };
    for (const desiredReadyClusters of [1, 2, 3, 4]) {
      // The runs that the new value and the new commit led to mend the first ones, and are over by the last.
      asked = git.requests().length;
      await overwriteStatusAsFleet(bench.client, 'GitRepo', repo, {
        commit: COMMIT,
        observedGeneration: 1,
        desiredReadyClusters,
        conditions: [ready],
      });
      await untilSynced('mended');
      const status = await fleetStatus(bench.client, 'GitRepo', repo);
      assert.equal(status['commit'], COMMIT);
      assert.equal(status['observedGeneration'], 1);
      assert.equal(status['desiredReadyClusters'], desiredReadyClusters);
      assert.deepEqual((status['conditions'] as unknown[])[0], ready);
    }
    assert.equal(git.requests().length, asked);
  });

  it('in a storm of labels and statuses lose nothing, and make nothing of ours get lost', async () => {
    await writtenBack('storm', '2s');
    const repo = { namespace: 'storm', name: 'apps' };
    const scan = fleetScanName({ namespace: 'storm', gitRepo: 'apps' });
    const listings = (): number =>
      registry.requests().filter(({ url }) => url.startsWith('/v2/storm/tags/list')).length;
    const begun = { at: performance.now(), listings: listings() };
    // What Fleet read before the storm is what it writes over and over, beside counts of its own.
    const snapshot = await fleetStatus(bench.client, 'GitRepo', repo);
    const labels = startStorm((count) => applyAsFleet(bench.client, scanOf('storm', '2s', String(count))));
    const statuses = startStorm((count) =>
      overwriteStatusAsFleet(bench.client, 'GitRepo', repo, { ...snapshot, updateGeneration: count }),
    );
    let writes: number[] = [];
    try {
      for (const tag of ['1.1.0', '1.2.0', '1.3.0']) {
        await pushImage(registry.host, 'storm', tag);
        await waitFor(`the commit of ${tag}`, async () =>
          (await git.readFile('storm', 'a.yaml')) === text('storm', tag) ? true : undefined,
        );
      }
    } finally {
      writes = await Promise.all([labels.stop(), statuses.stop()]);
    }

    const stored = await untilFleetScan(
      bench.client,
      scan,
      '1.3.0',
      ({ status }) => status.latestTag === '1.3.0',
    );
    const [lastLabel, lastStatus] = writes;
    assert.equal(Number(stored.metadata.labels['fleet.cattle.io/commit']), lastLabel);
    assert.equal((await fleetStatus(bench.client, 'GitRepo', repo))['updateGeneration'], lastStatus);
    const since = Date.parse(String(snapshot['lastSyncedImageScanTime']));
    await untilFleetGitRepo(
      bench.client,
      repo,
      'a later time',
      ({ status }) => Date.parse(status.lastSyncedImageScanTime ?? '') > since,
    );
    assert.equal((await git.log('storm')).length, 5, 'one commit for each value');
    const seconds = (performance.now() - begun.at) / 1000;
    const perSecond = (listings() - begun.listings) / seconds;
    assert.ok(perSecond < 1, `${perSecond} listings in a second at an interval of 2s`);
    assert.ok(Math.min(...writes) > 20, `it was no storm: ${writes.join(' and ')} writes`);
    assert.equal((await readFleetScan(bench.client, scan)).metadata.generation, 1);
  });
});
