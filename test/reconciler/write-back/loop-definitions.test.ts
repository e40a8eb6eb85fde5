import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFINED_AT_ANNOTATION } from '../../../kube/kinds/defined.ts';
import { IMAGE_SCANS } from '../../../kube/resource.ts';
import { sendStatus } from '../../fakes/apiserver.ts';
import { waitFor } from '../../wait.ts';
import { FLEET_IMAGE_SCANS_PATH, IMAGE_SCANS_PATH, rawFleetScan } from '../samples.ts';
import { inForce, setUp } from './looping.ts';

const FILE = 'imageScans:\n- {tagName: web, image: registry.example/web}\n';
const RARELY = { imageScanInterval: '1h' };
const KEY = 'team/apps-web';

/** A loop at work, and a GitRepo of ours or of Fleet's whose fleet.yaml defines the scan that its marker names. */
async function define(
  t: Parameters<typeof setUp>[0],
  { spec = RARELY, isFleets = false, prepare = () => {} }: Options = {},
) {
  const world = await setUp(t, { takeover: 'serve' });
  const { git, client, stores, start, putRepo, putFleetRepo } = world;
  await git.commit('apps', { 'fleet.yaml': FILE });
  const put = isFleets ? putFleetRepo : putRepo;
  prepare(world);
  put({ spec });
  start();
  const scan = () => waitFor('the ImageScan', () => stores.scans.get(KEY));
  const patchScan = (body: object) =>
    client.patch({ resource: IMAGE_SCANS, namespace: 'team', name: 'apps-web' }, body, 'merge');
  const accepted = () =>
    stores.gitRepos
      .get(isFleets ? 'fleet.cattle.io/team/apps' : 'team/apps')
      ?.status.conditions?.find(({ type }) => type === 'ImageScansAccepted');
  const untilAccepted = (wanted: string) =>
    waitFor(wanted, () => {
      const condition = accepted();
      return condition && `${condition.status} ${condition.reason}` === wanted ? condition : undefined;
    });
  return { ...world, put, scan, patchScan, accepted, untilAccepted };
}

interface Options {
  readonly spec?: object;
  readonly isFleets?: boolean;
  /** Done before the loop starts. */
  readonly prepare?: (world: Awaited<ReturnType<typeof setUp>>) => void;
}

for (const isFleets of [false, true]) {
  describe(`WriteBackLoop, with definitions in Git of a GitRepo of ${isFleets ? "Fleet's" : 'ours'}`, () => {
    it('makes their ImageScans before it looks at markers, and writes the values back once there are some', async (t) => {
      const { git, scan, patchScan, untilAccepted, writtenStatuses } = await define(t, { isFleets });
      await scan();
      await untilAccepted('True Accepted');
      assert.doesNotMatch(writtenStatuses().join('\n'), /UnknownScan/);
      await patchScan({ status: inForce('2.0.0') });
      await waitFor(
        'the commit',
        async () =>
          (await git.readFile('apps', 'a.yaml')).includes('registry.example/web:2.0.0') || undefined,
      );
    });

    it('makes an ImageScan right that somebody changed, relabelled or deleted, at once', async (t) => {
      const { server, stores, git, scan, patchScan, untilAccepted } = await define(t, { isFleets });
      await scan();
      await untilAccepted('True Accepted');
      const until = (what: string, isSo: (found: Awaited<ReturnType<typeof scan>>) => boolean) =>
        waitFor(what, () => {
          const found = stores.scans.get(KEY);
          return found && isSo(found) ? true : undefined;
        });
      const patches = [
        { spec: { image: 'registry.example/other' } },
        { metadata: { annotations: { [DEFINED_AT_ANNOTATION]: 'elsewhere.yaml:1' } } },
        { metadata: { ownerReferences: null } },
      ];
      for (const patch of patches) {
        await patchScan(patch);
        await until(
          `what Git says after ${JSON.stringify(patch)}`,
          ({ spec, metadata }) =>
            spec.image === 'registry.example/web' &&
            metadata.annotations[DEFINED_AT_ANNOTATION] === 'fleet.yaml:2' &&
            metadata.ownerReferences?.length === 1,
        );
      }
      server.remove(IMAGE_SCANS_PATH, 'team', 'apps-web');
      await waitFor('it to go', () => (stores.scans.get(KEY) === undefined ? true : undefined));
      await scan();
      assert.equal((await git.log('apps')).length, 2);
    });

    it('tells what the API server refuses, and tries it again though Git agrees', async (t) => {
      const { scan, untilAccepted } = await define(t, {
        isFleets,
        spec: { imageScanInterval: '1s' },
        prepare: ({ server }) =>
          server.plan(
            ({ method, path }) => method === 'POST' && path.includes('/imagescans'),
            (_request, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
          ),
      });
      const { message = '' } = await untilAccepted('False InvalidDefinition');
      assert.match(message, /^fleet\.yaml:2: not created: Forbidden: /);
      await scan();
      await untilAccepted('True Accepted');
    });

    it('takes the condition away with the last definition', async (t) => {
      const { git, accepted, stores, untilAccepted } = await define(t, {
        isFleets,
        spec: { imageScanInterval: '1s' },
      });
      await untilAccepted('True Accepted');
      await git.commit('apps', { 'fleet.yaml': 'namespace: shop\n' });
      await waitFor('it to go', () => accepted() === undefined || undefined);
      await waitFor('its ImageScan to go', () => stores.scans.get(KEY) === undefined || undefined);
    });
  });
}

describe('WriteBackLoop, with definitions in fleet.yaml that fleet apply made ImageScans of', () => {
  it('makes none beside one of Fleet, removes ours once that has a value, and makes it anew when it goes', async (t) => {
    const { server, stores, scan, untilAccepted } = await define(t, { isFleets: true });
    await scan();
    await untilAccepted('True Accepted');
    const fleets = (status?: object) =>
      server.put(
        FLEET_IMAGE_SCANS_PATH,
        rawFleetScan({
          metadata: { name: 'imagescan-apps-0' },
          spec: { tagName: 'web', gitrepoName: 'apps' },
          ...(status && { status }),
        }),
      );
    fleets();
    await waitFor('it', () => stores.scans.get('fleet.cattle.io/team/imagescan-apps-0'));
    assert.ok(stores.scans.get(KEY));
    fleets(inForce('2.0.0'));
    await waitFor('ours to go', () => stores.scans.get(KEY) === undefined || undefined);
    server.remove(FLEET_IMAGE_SCANS_PATH, 'team', 'imagescan-apps-0');
    await scan();
  });
});
