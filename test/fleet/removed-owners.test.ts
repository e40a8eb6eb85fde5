import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiError } from '../../kube/errors.ts';
import { FLEET_GIT_REPOS, IMAGE_SCANS } from '../../kube/resource.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { createNamespace } from '../e2e/admission.ts';
import {
  conditionOf,
  type Named,
  readScan,
  type Reconciling,
  startReconciling,
  untilEvent,
  untilInForce,
  untilScan,
} from '../e2e/reconciling.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds, removeFleetKind } from './kinds.ts';
import { applyAsFleet, fleetGitRepo } from './objects.ts';

const TEAM = 'team';
const SERVE = '--fleet-takeover=serve';
/** The garbage collector looks for new kinds every half minute. */
const PATIENTLY = { timeoutMs: 90_000 };

describe("the removal of Fleet's GitRepo kind", () => {
  let server: GitServer;
  let registry: Registry;
  let bench: Reconciling;

  before(async () => {
    [server, registry] = await Promise.all([startGitServer(), startRegistry()]);
    bench = await startReconciling({
      insecureRegistries: [registry.host],
      values: ['fleet.takeover=serve'],
      args: [SERVE],
    });
    await installFleetKinds(bench.client);
    await createNamespace(bench.client, TEAM);
  });

  after(async () => {
    await bench?.stop();
    await Promise.all([server?.stop(), registry?.stop()]);
  });

  /** A GitRepo of Fleet's whose fleet.yaml defines an ImageScan, which has a value by then. */
  async function defined(name: string): Promise<Named> {
    await pushImage(registry.host, name, '1.0.0');
    const { url } = await server.createRepository(name, {
      'fleet.yaml': `imageScans:\n- {tagName: web, image: ${registry.host}/${name}}\n`,
    });
    const spec = { repo: url, branch: 'main', imageScanInterval: '1s' };
    await applyAsFleet(bench.client, fleetGitRepo({ namespace: TEAM, name }, spec));
    const scan = { namespace: TEAM, name: `${name}-web` };
    await waitFor('the ImageScan', () => find(scan));
    await untilInForce(bench.client, scan, '1.0.0');
    return scan;
  }

  async function find(scan: Named): Promise<true | undefined> {
    try {
      await bench.client.get({ resource: IMAGE_SCANS, ...scan });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  it('keeps the ImageScans that its GitRepos defined and owned, with their values, and a deleted GitRepo takes its own along', async () => {
    const [passing, apps] = [await defined('passing'), await defined('apps')];
    await bench.client.delete({ resource: FLEET_GIT_REPOS, namespace: TEAM, name: 'passing' });
    // Now the garbage collector knows the kind.
    await waitFor('it to be collected', async () => ((await find(passing)) ? undefined : true), PATIENTLY);

    const { uid } = (await readScan(bench.client, apps)).metadata;
    await removeFleetKind(bench.client, 'gitrepos');
    const isMadeAgain = async (): Promise<true | undefined> => {
      if ((await find(apps)) === undefined) return undefined;
      return (await readScan(bench.client, apps)).metadata.uid === uid ? undefined : true;
    };
    await waitFor('it to be collected and made again', isMadeAgain, PATIENTLY);
    const scan = await untilScan(bench.client, apps, 'Adopted', (each) =>
      Boolean(conditionOf(each, 'Adopted')),
    );
    assert.equal(conditionOf(scan, 'Adopted'), 'True FleetKindRemoved');
    assert.equal(conditionOf(scan, 'Ready'), 'True InForce');
    assert.equal(scan.status.latestTag, '1.0.0');
    assert.equal(scan.metadata.ownerReferences, undefined);
    assert.equal(scan.status.history?.length, 1);
    await untilEvent(bench, apps, 'imagescan', 'FleetKindRemoved', 'was made again');
    assert.equal(await find(passing), undefined);
  });
});
