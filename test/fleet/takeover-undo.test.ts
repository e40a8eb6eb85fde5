import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FORMER_SHARD_ANNOTATION, OWN_SHARD } from '../../core/fleet-shard.ts';
import { FLEET_IMAGE_SCANS } from '../../kube/resource.ts';
import { helm } from '../control-plane/helm.ts';
import { NAMESPACE } from '../e2e/product.ts';
import { CHART } from '../manifests/chart.ts';
import { waitFor } from '../wait.ts';
import { applyAsFleet } from './objects.ts';
import { bareScan, FLEET, FleetCluster, fromGit, NAMES, scanPath } from './taking-over.ts';

const ALL = [NAMES.active, NAMES.idle, NAMES.sharded, 'plain'];

describe("the way back from the takeover of Fleet's ImageScans", () => {
  let bench: FleetCluster;

  before(async () => {
    bench = await FleetCluster.start();
    await bench.client.create({ resource: FLEET_IMAGE_SCANS, namespace: FLEET }, bareScan('plain'));
  });

  after(() => bench?.stop());

  /** All of them as they are stored, but for what counts and names writes, and for the status, which scans write. */
  async function contents(): Promise<string[]> {
    const texts = ALL.map(async (name) => {
      const { status: _status, metadata, ...object } = await bench.read(name);
      const { resourceVersion: _version, managedFields: _fields, ...rest } = metadata;
      return JSON.stringify({ ...object, metadata: rest });
    });
    return Promise.all(texts);
  }

  async function takeOver(): Promise<void> {
    await bench.run('take-over');
    for (const name of ALL) await bench.untilShard(name, OWN_SHARD);
  }

  for (const mode of ['serve', 'off'] as const) {
    it(`is the value ${mode}: each ImageScan is as it was, with the shard that it had, and Fleet scans again`, async () => {
      await applyAsFleet(bench.client, fromGit.active(mode), fromGit.idle(mode), fromGit.sharded(mode));
      const was = await contents();
      await takeOver();
      await bench.fleet.restart();
      await waitFor('Fleet to see them', () => bench.fleet.labelsSeen(FLEET, 'plain'));
      assert.deepEqual(bench.fleet.jobs, []);

      await bench.run(mode);
      const shards = {
        [NAMES.active]: undefined,
        [NAMES.idle]: undefined,
        [NAMES.sharded]: 'shard-a',
        plain: undefined,
      };
      for (const [name, shard] of Object.entries(shards)) await bench.untilShard(name, shard);
      assert.deepEqual(await contents(), was);
      await bench.untilFleetScans(NAMES.active);
    });
  }

  it('goes on in serve: a label that comes later, as from a backup, is taken back too', async () => {
    await bench.run('serve');
    const labels = { 'fleet.cattle.io/shard-ref': OWN_SHARD };
    const annotations = { [FORMER_SHARD_ANNOTATION]: 'shard-c' };
    await bench.client.patch(scanPath('plain'), { metadata: { labels, annotations } }, 'merge');
    const { metadata } = await bench.untilShard('plain', 'shard-c');
    assert.deepEqual(metadata.annotations, {});
  });

  it('is after an uninstallation the one command of the README', async () => {
    await takeOver();
    await bench.stopPrograms();
    const { code, stderr } = await helm(bench.cluster, 'uninstall', 'fleetscan', `--namespace=${NAMESPACE}`);
    assert.equal(code, 0, stderr);
    for (const name of ALL) await bench.untilShard(name, OWN_SHARD);

    const readme = await readFile(path.join(CHART, 'README.md'), 'utf8');
    const command = /^kubectl (label imagescans\.fleet\.cattle\.io .*)$/m.exec(readme)?.[1] ?? '';
    const done = await bench.cluster.kubectl(...command.split(' '));
    assert.equal(done.code, 0, done.stderr);
    for (const name of ALL) await bench.untilShard(name, undefined);
    await bench.untilFleetScans(NAMES.active);
  });
});
