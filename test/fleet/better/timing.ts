import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startStorm } from '../storm.ts';
import { fleetScanName, fleetStatus, readFleetScan } from '../objects.ts';
import type { FleetWorld } from './world.ts';

/** The tests about intervals. They are an hour unless a test says otherwise: what waits for one comes too late for every wait here. */
export function timing(world: () => FleetWorld): void {
  describe('where Fleet waited for an interval, or for two', { concurrency: 4 }, () => {
    const text = (namespace: string, tag: string): string =>
      `image: ${world().image(namespace)}:${tag} # {"$imagescan": "web"}\n`;

    /** A team with tags in its registry and a file that says 1.0.0 in its repository. */
    async function behind(namespace: string, ...tags: readonly string[]): Promise<void> {
      await world().team(namespace);
      await world().push(namespace, ...tags);
      await world().git.createRepository(namespace, { 'a.yaml': text(namespace, '1.0.0') });
    }

    it('the first scan and its commit come at once, though both intervals are an hour', async () => {
      const namespace = 'first';
      await behind(namespace, '1.1.0');
      await world().apply(world().apps(namespace), world().web(namespace));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
    });

    it('a new tag is in Git seconds after the scan that found it, though imageScanInterval is an hour', async () => {
      const namespace = 'found';
      await behind(namespace, '1.1.0');
      await world().apply(world().apps(namespace), world().web(namespace, { interval: '1s' }));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      await world().push(namespace, '1.2.0');
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.2.0'));
      assert.equal((await world().git.log(namespace)).length, 3);
    });

    it('a changed policy is scanned for at once, though the interval is an hour', async () => {
      const namespace = 'policy';
      await behind(namespace, '1.1.0', '2.0.0');
      const semver = (range: string) => world().web(namespace, { policy: { semver: { range } } });
      await world().apply(world().apps(namespace), semver('1.x'));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      await world().apply(semver('2.x'));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '2.0.0'));
    });

    it('a GitRepo that comes after its ImageScan was scanned is written to', async () => {
      const namespace = 'late';
      await behind(namespace, '1.1.0');
      await world().apply(world().web(namespace));
      await world().untilScanned(namespace, 'True');
      await world().apply(world().apps(namespace));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
    });

    it('fleet apply, which rewrites the ImageScan at each commit, starts no interval anew', async () => {
      const namespace = 'applied';
      const spec = { interval: '3s' };
      const named = fleetScanName({ namespace, gitRepo: 'apps' });
      await behind(namespace, '1.1.0');
      await world().apply(world().apps(namespace), world().web(namespace, spec));
      await world().untilFile(namespace, 'a.yaml', text(namespace, '1.1.0'));
      const { lastScanTime } = await fleetStatus(world().bench.client, 'ImageScan', named);
      // Several commits within each interval: a timer that began again with each would never end.
      const applies = startStorm((count) =>
        world().apply(world().web(namespace, spec, { commit: String(count).padStart(40, '0') })),
      );
      let count = 0;
      try {
        await world().push(namespace, '1.2.0');
        await world().untilFile(namespace, 'a.yaml', text(namespace, '1.2.0'));
      } finally {
        count = await applies.stop();
      }
      assert.ok(count >= 3, 'several were applied in an interval');
      const scan = await readFleetScan(world().bench.client, named);
      assert.notEqual(scan.status.lastScanTime, lastScanTime);
      assert.match(scan.metadata.labels['fleet.cattle.io/commit'] ?? '', /^0+[1-9]/);
    });
  });
}
