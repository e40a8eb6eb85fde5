import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import { parseFleetImageScan } from '../../kube/kinds/fleet.ts';
import type { ImageScan } from '../../kube/kinds/image-scan.ts';
import { listAll } from '../../kube/list.ts';
import { FLEET_GIT_REPOS, FLEET_IMAGE_SCANS } from '../../kube/resource.ts';
import { fleetApply, noFleet, startFleetController } from '../control-plane/fleet.ts';
import { freePort, type RunningProcess, temporaryFolder } from '../control-plane/processes.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { installProduct, type Product, type Program } from '../e2e/product.ts';
import { waitFor } from '../wait.ts';
import { type FleetGround, startFleetGround } from './fleet-itself.ts';
import { applyAsFleet, fleetGitRepo, fleetImageScan } from './objects.ts';

const TEAM = 'fleet-local';
const APPS = { namespace: TEAM, name: 'apps' };
const COMMIT = { authorName: 'foo', authorEmail: 'foo@bar.com', messageTemplate: 'update image' };
/** Fleet takes up every second tick, and at most as many again when a job has just begun. */
const PATIENTLY = { timeoutMs: 60_000 };

// One story in its order: Fleet v0.16.0 itself, with its image scan on, before, during and after a take-over.
describe('beside Fleet itself', { skip: await noFleet() }, () => {
  let ground: FleetGround;
  let fleet: RunningProcess;
  let product: Product;
  let reconciler: Program;
  let image: string;

  before(async () => {
    ground = await startFleetGround(TEAM);
    image = `${ground.registry.host}/web`;
    fleet = await startFleetController(ground.cluster);
  });

  after(async () => {
    await Promise.all([product?.stop(), fleet?.stop()]);
    await ground?.stop();
  });

  const fleetYaml = (...tagNames: readonly string[]): string =>
    `imageScans:\n${tagNames.map((tagName) => `- tagName: ${tagName}\n  image: ${image}\n  policy: {semver: {range: "*"}}\n  interval: 1s\n`).join('')}`;
  const deployment = (tag: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: ${image}:${tag} # {"$imagescan": "web"}
`;

  /** What Fleet's gitjob does about a new commit: the ImageScans of its fleet.yaml, and the commit in the status. */
  async function deploy(): Promise<void> {
    const commit = await ground.git.head('apps');
    const folder = join(temporaryFolder('checkout'), 'apps');
    await mkdir(folder);
    for (const file of ['fleet.yaml', 'deployment.yaml'])
      await writeFile(join(folder, file), await ground.git.readFile('apps', file));
    await fleetApply(ground.cluster, folder, { namespace: TEAM, gitRepo: 'apps', commit });
    await ground.client.patch(
      { resource: FLEET_GIT_REPOS, ...APPS, subresource: 'status' },
      { status: { commit } },
      'merge',
    );
  }

  async function scans(): Promise<ImageScan[]> {
    const path = { resource: FLEET_IMAGE_SCANS, namespace: TEAM };
    return (await listAll(ground.client, path, { project: parseFleetImageScan })).items;
  }

  const shards = async (): Promise<(string | undefined)[]> =>
    (await scans()).map(({ metadata }) => metadata.labels[SHARD_LABEL]);

  async function untilWritten(tag: string): Promise<void> {
    const isWritten = async (): Promise<true | undefined> =>
      (await ground.git.readFile('apps', 'deployment.yaml')) === deployment(tag) || undefined;
    await waitFor(`${tag} in Git`, isWritten, PATIENTLY);
  }

  const install = async (takeover: 'take-over' | 'off'): Promise<void> => {
    const values = [`fleet.takeover=${takeover}`];
    const insecureRegistries = [ground.registry.host];
    product = await installProduct(ground.cluster, {
      webhookPort: await freePort(),
      insecureRegistries,
      values,
    });
  };
  const startReconciler = async (takeover: 'take-over' | 'off'): Promise<void> => {
    const args = ['--cache-dir', temporaryFolder('copies'), `--fleet-takeover=${takeover}`];
    reconciler = await product.startReconciler({ args });
  };

  it('Fleet scans and commits by itself before it is taken over', async () => {
    await pushImage(ground.registry.host, 'web', '1.0.0');
    await ground.git.createRepository('apps', {
      'fleet.yaml': fleetYaml('old', 'web'),
      'deployment.yaml': deployment('0.9.0'),
    });
    const access = { repo: `${ground.git.url}/apps.git`, branch: 'main', clientSecretName: 'git' };
    const spec = { ...access, imageScanInterval: '1s', imageScanCommit: COMMIT };
    await applyAsFleet(ground.client, fleetGitRepo(APPS, spec));
    await deploy();
    await untilWritten('1.0.0');
    const [last] = await ground.git.log('apps');
    assert.equal(`${last?.author}: ${last?.message}`, 'foo <foo@bar.com>: update image');
  });

  it('is taken over: what is there is labelled, and what fleet apply makes later is in the same request', async () => {
    await install('take-over');
    await startReconciler('take-over');
    await product.startWebhook({ args: ['--fleet-takeover=take-over'] });
    await waitFor(
      'the labels',
      async () => (await shards()).every((shard) => shard === OWN_SHARD) || undefined,
    );
    await fleet.stop();
    fleet = await startFleetController(ground.cluster);
    await ground.git.commit('apps', { 'note.txt': 'a commit of a person' });
    // Without the reconciler nobody but the webhook can have put it back.
    await reconciler.process.stop();
    const commit = await ground.git.head('apps');
    await deploy();
    const found = (await scans()).map(({ metadata: { labels } }) => [
      labels['fleet.cattle.io/commit'],
      labels[SHARD_LABEL],
    ]);
    assert.deepEqual(found, [
      [commit, OWN_SHARD],
      [commit, OWN_SHARD],
    ]);
  });

  it('Fleet passes over what bears our label, while it scans what does not', async () => {
    await product.stop();
    const [former, head] = [await scans(), await ground.git.head('apps')];
    await pushImage(ground.registry.host, 'web', '1.1.0');
    const entry = { namespace: TEAM, gitRepo: 'control', index: 7 };
    const control = fleetImageScan(entry, { tagName: 'control', image, interval: '1s' });
    await applyAsFleet(ground.client, control);
    const timesOfControl = new Set<string>();
    await waitFor(
      'Fleet to scan the unlabelled one three times',
      async () => {
        const found = (await scans()).find(({ metadata }) => metadata.name === control.metadata.name);
        if (found?.status.lastScanTime) timesOfControl.add(found.status.lastScanTime);
        return timesOfControl.size >= 3 || undefined;
      },
      PATIENTLY,
    );
    await ground.client.delete({ resource: FLEET_IMAGE_SCANS, namespace: TEAM, name: control.metadata.name });
    assert.deepEqual(await scans(), former);
    assert.equal(await ground.git.head('apps'), head);
  });

  it('a new tag is committed by Fleetscan, with the bytes that Fleet would write', async () => {
    await install('take-over');
    await startReconciler('take-over');
    await untilWritten('1.1.0');
  });

  it('an ImageScan that Fleet leaves behind is removed, and the one that has its tagName now goes on', async () => {
    await ground.git.commit('apps', { 'fleet.yaml': fleetYaml('web') });
    await deploy();
    await waitFor('the last of the list to go', async () => (await scans()).length === 1 || undefined);
    await pushImage(ground.registry.host, 'web', '1.2.0');
    await untilWritten('1.2.0');
  });

  it('Fleet has it back with one value, and scans and commits again without a restart', async () => {
    await product.stop();
    await install('off');
    await startReconciler('off');
    await waitFor(
      'the label to go',
      async () => (await shards()).every((shard) => shard === undefined) || undefined,
    );
    await pushImage(ground.registry.host, 'web', '1.3.0');
    await untilWritten('1.3.0');
    const authors = new Set((await ground.git.log('apps')).map(({ author }) => author));
    assert.ok(!authors.has('Fleetscan <noreply@fleetscan.io>'));
  });
});
