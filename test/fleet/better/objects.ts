import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { parseImageScan } from '../../../kube/kinds/image-scan.ts';
import { IMAGE_SCANS } from '../../../kube/resource.ts';
import { waitFor } from '../../wait.ts';
import {
  fleetCondition,
  fleetMessage,
  fleetScanName,
  fleetStatus,
  overwriteStatusAsFleet,
  untilFleetGitRepo,
  untilFleetScan,
} from '../objects.ts';
import type { FleetWorld } from './world.ts';

/** The tests about objects and their status. */
export function objects(world: () => FleetWorld): void {
  describe("where Fleet's objects were stuck, left behind or frozen by another", { concurrency: 4 }, () => {
    const web = (namespace: string) => fleetScanName({ namespace, gitRepo: 'apps' });
    const text = (namespace: string, tag: string): string =>
      `image: ${world().image(namespace)}:${tag} # {"$imagescan": "web"}\nother: x # {"$imagescan": "bad"}\n`;

    it('a time that is not known yet is absent from the status, never null', async () => {
      const namespace = 'times';
      await world().team(namespace);
      await world().apply(world().apps(namespace), world().web(namespace));
      await world().untilScanned(namespace, 'False Error');
      await world().untilSynced(namespace, 'False Error');
      const { client } = world().bench;
      const ofScan = await fleetStatus(client, 'ImageScan', web(namespace));
      const ofGitRepo = await fleetStatus(client, 'GitRepo', { namespace, name: 'apps' });
      assert.deepEqual(Object.keys(ofScan).toSorted(), ['conditions', 'observedGeneration']);
      assert.deepEqual(Object.keys(ofGitRepo), ['conditions']);
      assert.ok(!JSON.stringify([ofScan, ofGitRepo]).includes('null'));
    });

    it('an ImageScan that fails stops no other of its GitRepo, also when it is suspended since, and the GitRepo names it', async () => {
      const namespace = 'isolated';
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      await world().git.createRepository(namespace, { 'a.yaml': text(namespace, '1.0.0') });
      const bad = { tagName: 'bad', image: `${world().image(namespace)}-none` };
      await world().apply(world().web(namespace, bad, { index: 1 }));
      await world().untilScanned(namespace, 'False Error', { index: 1 });
      await world().apply(world().web(namespace, { ...bad, suspend: true }, { index: 1 }));
      await world().apply(world().apps(namespace), world().web(namespace));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      const message = fleetMessage(await world().untilSynced(namespace, 'True SyncedInPart'), 'ImageSynced');
      assert.match(message, /; left alone: a\.yaml:2: NoValue: /);
    });

    it("the Stalled that Fleet's own controller left for ever ends with the first success", async () => {
      const namespace = 'stalled';
      const image = world().image(namespace);
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      const message = 'GET http://registry: unexpected status code 503';
      const left = [
        { type: 'ImageScanned', status: 'False', reason: 'Error', message },
        { type: 'Reconciling', status: 'False' },
        { type: 'Stalled', status: 'True', reason: 'Stalled', message },
      ];
      // Suspended, so that nothing is scanned before it is as Fleet left it.
      await world().apply(world().web(namespace, { image, suspend: true }));
      const { client } = world().bench;
      await overwriteStatusAsFleet(client, 'ImageScan', web(namespace), { conditions: left });
      await world().apply(world().web(namespace, { image }));
      const scan = await untilFleetScan(
        client,
        web(namespace),
        'no Stalled',
        (each) => fleetCondition(each, 'Stalled') === 'False',
      );
      assert.equal(fleetCondition(scan, 'ImageScanned'), 'True');
      assert.equal(fleetCondition(scan, 'Reconciling'), 'False');
      assert.equal(scan.status.latestTag, '1.1.0');
    });

    it('an ImageScan goes with its definition in fleet.yaml, and nothing is written for it any more', async () => {
      const namespace = 'orphan';
      const { client } = world().bench;
      const image = world().image(namespace);
      const fleetYaml = `imageScans:\n- {tagName: web, image: "${image}", interval: 1s}\n- {tagName: bad, image: "${image}", suspend: true}\n`;
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      await world().git.createRepository(namespace, {
        'fleet.yaml': fleetYaml,
        'a.yaml': text(namespace, '1.0.0'),
      });
      await world().apply(world().apps(namespace, { imageScanInterval: '1s' }));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      await world().git.commit(namespace, { 'fleet.yaml': fleetYaml.replace(/- \{tagName: web.*\n/, '') });
      const path = { resource: IMAGE_SCANS, namespace };
      await waitFor('the ImageScan to be gone', async () => {
        const { items } = z.object({ items: z.array(z.unknown()) }).parse(await client.list(path));
        return items.map((item) => parseImageScan(item).metadata.name).join() === 'apps-bad' || undefined;
      });
      await world().push(namespace, '1.2.0');
      const left = await untilFleetGitRepo(client, { namespace, name: 'apps' }, 'an unknown scan', (repo) =>
        fleetMessage(repo, 'ImageSynced').includes('a.yaml:1: UnknownScan: '),
      );
      assert.equal(fleetCondition(left, 'ImageSynced'), 'True SyncedInPart');
      assert.equal(await world().git.readFile(namespace, 'a.yaml'), text(namespace, '1.1.0'));
    });
  });
}
