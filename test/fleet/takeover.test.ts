import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { FORMER_SHARD_ANNOTATION, OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import { FLEET_IMAGE_SCANS, MUTATING_WEBHOOKS, PODS } from '../../kube/resource.ts';
import { createNamespace, IMAGE } from '../e2e/admission.ts';
import { pod } from '../e2e/following.ts';
import type { Program } from '../e2e/product.ts';
import { digestOf } from '../e2e/reconciling.ts';
import { readPod } from '../e2e/stored.ts';
import { waitFor } from '../wait.ts';
import { applyAsFleet, overwriteStatusAsFleet } from './objects.ts';
import {
  bareScan,
  FLEET,
  FleetCluster,
  fromGit,
  NAMES,
  scanPath,
  storedImageScan,
  type StoredImageScan,
} from './taking-over.ts';

const OURS = { [SHARD_LABEL]: OWN_SHARD };
const COLLECTION = { resource: FLEET_IMAGE_SCANS, namespace: FLEET };

describe("the takeover of Fleet's ImageScans", () => {
  let bench: FleetCluster;
  let webhook: Program;
  let reconciler: Program;

  before(async () => {
    bench = await FleetCluster.start();
    await applyAsFleet(bench.client, fromGit.active('1'), fromGit.idle('1'), fromGit.sharded('1'));
    await bench.client.create(COLLECTION, bareScan('plain'));
    await applyOfShard('of-a-shard', 'shard-c');
    bench.fleet.start();
    await bench.untilFleetScans(NAMES.active);
    ({ webhook, reconciler } = await bench.run('take-over'));
  });

  after(() => bench?.stop());

  /** Applies an ImageScan server-side, as a person who puts it into a shard. */
  async function applyOfShard(name: string, shard: string, force = false): Promise<StoredImageScan> {
    const { metadata, ...object } = bareScan(name);
    const applied = { ...object, metadata: { ...metadata, labels: { [SHARD_LABEL]: shard } } };
    const query = { fieldManager: 'somebody', force };
    return storedImageScan(await bench.client.patch(scanPath(name), applied, 'apply', query));
  }

  const asked = (): Promise<number> => webhook.metric('fleetscan_takeover_requests_total');

  it('labels those that are there, and keeps the shard that a bundle had chosen', async () => {
    for (const name of [NAMES.active, NAMES.idle]) {
      assert.equal(
        (await bench.untilShard(name, OWN_SHARD)).metadata.annotations[FORMER_SHARD_ANNOTATION],
        undefined,
      );
    }
    const { metadata } = await bench.untilShard(NAMES.sharded, OWN_SHARD);
    assert.equal(metadata.annotations[FORMER_SHARD_ANNOTATION], 'shard-a');
    assert.deepEqual((await bench.untilShard('plain', OWN_SHARD)).metadata.labels, OURS);
    assert.equal(await reconciler.metric('fleetscan_shard_labels_total', { result: 'taken' }), 5);
  });

  it('has one authority published for both webhooks', async () => {
    const clientConfig = z.object({ caBundle: z.string().min(1) });
    const { webhooks } = z
      .object({ webhooks: z.array(z.object({ name: z.string(), clientConfig })) })
      .parse(await bench.client.get({ resource: MUTATING_WEBHOOKS, name: 'fleetscan' }));
    assert.deepEqual(
      webhooks.map(({ name }) => name),
      ['pods.fleetscan.io', 'fleet-imagescans.fleetscan.io'],
    );
    assert.equal(new Set(webhooks.map(({ clientConfig: { caBundle } }) => caBundle)).size, 1);
  });

  it('lets who applied a shard server-side take the label over once, and conflicts no more', async () => {
    const apply = (force: boolean): Promise<StoredImageScan> => applyOfShard('of-a-shard', 'shard-c', force);
    await bench.untilShard('of-a-shard', OWN_SHARD);
    await assert.rejects(apply(false), { code: 'Conflict' });
    for (const force of [true, false]) {
      const { labels, annotations } = (await apply(force)).metadata;
      assert.deepEqual([labels, annotations], [OURS, { [FORMER_SHARD_ANNOTATION]: 'shard-c' }]);
    }
  });

  it('labels what is made, by whatever means, in the very request', async () => {
    const created = storedImageScan(await bench.client.create(COLLECTION, bareScan('created')));
    assert.deepEqual(created.metadata.labels, OURS);
    const stored = await applyOfShard('applied', 'shard-b');
    assert.deepEqual(stored.metadata.labels, OURS);
    assert.deepEqual(stored.metadata.annotations, { [FORMER_SHARD_ANNOTATION]: 'shard-b' });
    const stdin = JSON.stringify(bareScan('kubectl'));
    const { stdout } = await bench.cluster.kubectlWith({ stdin }, 'apply', '-f', '-', '-o', 'json');
    assert.deepEqual(storedImageScan(JSON.parse(stdout)).metadata.labels, OURS);
  });

  it('labels again what a commit, or a person, wipes, in the very request too', async () => {
    const byReconciler = await reconciler.metric('fleetscan_shard_labels_total');
    await applyAsFleet(bench.client, fromGit.active('2'), fromGit.sharded('2'));
    const former = { [NAMES.active]: undefined, [NAMES.sharded]: 'shard-a' };
    for (const [name, shard] of Object.entries(former)) {
      const { labels, annotations } = (await bench.read(name)).metadata;
      assert.equal(labels['fleet.cattle.io/commit'], '2');
      assert.equal(labels[SHARD_LABEL], OWN_SHARD);
      assert.equal(annotations[FORMER_SHARD_ANNOTATION], shard);
    }
    const wiped = await bench.client.patch(scanPath('plain'), { metadata: { labels: null } }, 'merge');
    assert.deepEqual(storedImageScan(wiped).metadata.labels, OURS);
    assert.equal(await reconciler.metric('fleetscan_shard_labels_total'), byReconciler);
  });

  it('keeps Fleet from scanning, from the restart of its controller on', async () => {
    const { fleet, client } = bench;
    assert.deepEqual(fleet.jobs, [`${FLEET}/${NAMES.active}`], 'a job of before lives on');
    await fleet.restart();
    await applyAsFleet(client, fromGit.active('3'), fromGit.idle('3'), fromGit.sharded('3'));
    const last = { ...bareScan('last'), spec: fromGit.active('3').spec };
    await client.create(COLLECTION, last);
    await waitFor('Fleet to see the last of them', () => fleet.labelsSeen(FLEET, 'last'));
    assert.equal(fleet.labelsSeen(FLEET, NAMES.active)?.['fleet.cattle.io/commit'], '3');
    assert.deepEqual(fleet.jobs, []);
  });

  it('does not ask the webhook about what bears the label, nor about a status', async () => {
    const count = await asked();
    const plain = { namespace: FLEET, name: 'plain' };
    await bench.client.patch(scanPath('plain'), { spec: { interval: '10m' } }, 'merge');
    await overwriteStatusAsFleet(bench.client, 'ImageScan', plain, { latestTag: '1' });
    assert.equal(await asked(), count);
    assert.equal(
      await webhook.metric('fleetscan_admission_requests_total'),
      0,
      'those of pods are counted apart',
    );
  });

  it("gives pods the value of an ImageScan of Fleet's", async () => {
    const latest = { latestTag: '1.2.3', latestImage: `${IMAGE}:1.2.3`, latestDigest: digestOf('1.2.3') };
    const idle = { namespace: FLEET, name: NAMES.idle };
    await overwriteStatusAsFleet(bench.client, 'ImageScan', idle, { canonicalImageName: IMAGE, ...latest });
    const { annotations } = await waitFor('a pod with the value', async () => {
      const object = pod('web', { image: `${IMAGE}:manifest`, marker: 'idle' });
      const path = { resource: PODS, namespace: FLEET };
      const made = readPod(await bench.client.create(path, object, { dryRun: 'All' }));
      return made.images['web'] === `${IMAGE}:1.2.3` ? made : undefined;
    });
    assert.match(annotations['fleetscan.io/resolved'] ?? '', /1\.2\.3/);
  });

  it('labels in every namespace, our own and those that pods are excluded in too', async () => {
    await createNamespace(bench.client, 'fleet-local');
    for (const namespace of ['fleet-local', 'kube-system', 'fleetscan-system']) {
      const object = { ...bareScan('web'), metadata: { namespace, name: 'web' } };
      const made = await bench.client.create({ resource: FLEET_IMAGE_SCANS, namespace }, object);
      assert.deepEqual(storedImageScan(made).metadata.labels, OURS, namespace);
    }
  });

  it('labels what came while no webhook answered', async () => {
    webhook.process.kill('SIGKILL');
    await webhook.process.exited;
    const count = await reconciler.metric('fleetscan_shard_labels_total', { result: 'taken' });
    await applyAsFleet(bench.client, fromGit.active('4'), fromGit.sharded('4'));
    await bench.client.create(COLLECTION, bareScan('unseen'));
    await bench.untilShard('unseen', OWN_SHARD);
    await bench.untilShard(NAMES.active, OWN_SHARD);
    const { metadata } = await bench.untilShard(NAMES.sharded, OWN_SHARD);
    assert.equal(metadata.labels['fleet.cattle.io/commit'], '4');
    assert.equal(metadata.annotations[FORMER_SHARD_ANNOTATION], 'shard-a');
    assert.equal(await reconciler.metric('fleetscan_shard_labels_total', { result: 'taken' }), count + 3);
  });
});
