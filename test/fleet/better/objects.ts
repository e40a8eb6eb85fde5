import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { FLEET_IMAGE_SCANS, IMAGE_SCANS, type Resource } from '../../../kube/resource.ts';
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

const listed = z.object({ items: z.array(z.object({ spec: z.object({ tagName: z.string() }) })) });

/** The tests about objects and their status. */
export function objects(world: () => FleetWorld): void {
  describe("where Fleet's objects were stuck, left behind or frozen by another", { concurrency: 4 }, () => {
    const web = (namespace: string) => fleetScanName({ namespace, gitRepo: 'apps' });
    const text = (namespace: string, tag: string): string =>
      `image: ${world().image(namespace)}:${tag} # {"$imagescan": "web"}\nother: x # {"$imagescan": "bad"}\n`;

    const untilTagNames = async (resource: Resource, namespace: string, ...tagNames: readonly string[]) => {
      await waitFor(`the ImageScans ${tagNames.join()} alone`, async () => {
        const { items } = listed.parse(await world().bench.client.list({ resource, namespace }));
        return items.map(({ spec }) => spec.tagName).join() === tagNames.join() || undefined;
      });
    };

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
      // The status of a run before may name the other marker, too.
      const { client } = world().bench;
      const repo = await untilFleetGitRepo(
        client,
        { namespace, name: 'apps' },
        'one marker left alone',
        (each) => /; left alone: a\.yaml:2: NoValue: /.test(fleetMessage(each, 'ImageSynced')),
      );
      assert.equal(fleetCondition(repo, 'ImageSynced'), 'True SyncedInPart');
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

    it('an ImageScan that fleet apply made goes when its entry does, also where another has its place then', async () => {
      const namespace = 'left';
      const { client } = world().bench;
      const image = world().image(namespace);
      const marked = (tag: string): string => `image: ${image}:${tag} # {"$imagescan": "api"}\n`;
      const fleetYaml = (...tagNames: readonly string[]): string =>
        `imageScans:\n${tagNames.map((tagName) => `- {tagName: ${tagName}, image: "${image}"}\n`).join('')}`;
      const deploy = async (commit: string, ...tagNames: readonly string[]): Promise<void> => {
        const scans = tagNames.map((tagName, index) =>
          world().web(namespace, { tagName }, { index, commit }),
        );
        await world().apply(...scans);
        await overwriteStatusAsFleet(client, 'GitRepo', { namespace, name: 'apps' }, { commit });
      };
      await world().team(namespace);
      await world().push(namespace, '1.1.0');
      await world().git.createRepository(namespace, {
        'fleet.yaml': fleetYaml('web', 'db', 'api'),
        'a.yaml': marked('1.0.0'),
      });
      await world().apply(world().apps(namespace));
      await deploy(await world().git.head(namespace), 'web', 'db', 'api');
      await world().untilFile(namespace, 'a.yaml', marked('1.1.0'));
      const commit = await world().git.commit(namespace, { 'fleet.yaml': fleetYaml('db', 'api') });
      await deploy(commit, 'db', 'api');
      await untilTagNames(FLEET_IMAGE_SCANS, namespace, 'db', 'api');
      await world().push(namespace, '1.2.0');
      await world().apply(world().web(namespace, { tagName: 'api', interval: '1s' }, { index: 1, commit }));
      await world().untilFile(namespace, 'a.yaml', marked('1.2.0'));
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
      await untilTagNames(IMAGE_SCANS, namespace, 'bad');
      await world().push(namespace, '1.2.0');
      const left = await untilFleetGitRepo(client, { namespace, name: 'apps' }, 'an unknown scan', (repo) =>
        fleetMessage(repo, 'ImageSynced').includes('a.yaml:1: UnknownScan: '),
      );
      assert.equal(fleetCondition(left, 'ImageSynced'), 'True SyncedInPart');
      assert.equal(await world().git.readFile(namespace, 'a.yaml'), text(namespace, '1.1.0'));
    });
  });
}
