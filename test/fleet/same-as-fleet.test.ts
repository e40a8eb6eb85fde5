import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { COMPATIBILITY_ANNOTATION } from '../../kube/kinds/fleet.ts';
import { noFleet, startFleetController } from '../control-plane/fleet.ts';
import { freePort, temporaryFolder } from '../control-plane/processes.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { installProduct } from '../e2e/product.ts';
import { waitFor } from '../wait.ts';
import { type FleetGround, startFleetGround } from './fleet-itself.ts';
import {
  applyAsFleet,
  deleteFleet,
  fleetCondition,
  fleetGitRepo,
  fleetImageScan,
  type FleetObject,
  readFleetScan,
} from './objects.ts';

const TAGS = [
  '1.0.0 1.2.0 1.10.0 v1.11.0 2.0.0 2.1.0-rc.1 3.0.0-alpha.2 0.0.0-40 0.0.0-50',
  '1 1.10 1.x v2 V3.0.0 01.2.3 1.2.3.4 1.0.0_amd64 2023.10.1 20231001',
  'latest stable a b zeta Zulu z-9',
].flatMap((line) => line.split(' '));

/** Each is that of an ImageScan. */
const POLICIES: readonly object[] = [
  { semver: { range: '*' } },
  { semver: { range: '>=1.0.0 <2.0.0' } },
  { semver: { range: '^1.2' } },
  { semver: { range: '~1.10' } },
  { semver: { range: '1.x || >=2.5.0' } },
  { semver: { range: '>= 0.0.0-40' } },
  { semver: { range: '>=2.0.0-0' } },
  { semver: { range: '1.2.0 - 1.10.0' } },
  { semver: { range: '!=2.0.0' } },
  { semver: { range: '>9' } },
  { semver: { range: '>99999999' } },
  { semver: { range: 'nonsense' } },
  { semver: {} },
  { alphabetical: { order: 'asc' } },
  { alphabetical: { order: 'desc' } },
  { alphabetical: { order: 'ASC' } },
  { alphabetical: { order: 'upwards' } },
  { alphabetical: {} },
  { semver: { range: '*' }, alphabetical: { order: 'asc' } },
  {},
];
const FORMS = ['', ':tag', ':name', ':digest'];

type Who = 'fleet' | 'fleetscan';

describe('Fleetscan and Fleet itself, one after the other', { skip: await noFleet() }, () => {
  let ground: FleetGround;
  /** What each policy came to, by who scanned; nothing where the scan failed. */
  const values: Record<Who, unknown[]> = { fleet: [], fleetscan: [] };
  /** What stands beside the markers then. */
  const written: Record<Who, unknown> = { fleet: undefined, fleetscan: undefined };

  before(async () => {
    ground = await startFleetGround('fleet', 'fleetscan');
    const { cluster, registry } = ground;
    for (const tag of TAGS) await pushImage(registry.host, 'app', tag);
    const fleet = await startFleetController(cluster);
    await scanAndWrite('fleet');
    await fleet.stop();
    const product = await installProduct(cluster, {
      webhookPort: await freePort(),
      insecureRegistries: [registry.host],
      values: ['fleet.takeover=serve'],
    });
    const args = ['--cache-dir', temporaryFolder('copies'), '--fleet-takeover=serve'];
    await product.startReconciler({ args });
    await scanAndWrite('fleetscan');
    await product.stop();
  });

  after(() => ground?.stop());

  async function scanAndWrite(who: Who): Promise<void> {
    const scans = POLICIES.map((policy, index) => scanOf(who, index, policy));
    await applyAsFleet(ground.client, ...scans);
    for (const scan of scans) values[who].push(await valueOf(scan));
    const isFound = (_: unknown, index: number): boolean => values[who][index] !== undefined;
    // One that fails would keep Fleet from writing the others.
    await remove(...scans.filter((scan, index) => !isFound(scan, index)));
    written[who] = await writtenBy(who, scans.filter(isFound));
    await remove(...scans.filter(isFound));
  }

  const image = (): string => `${ground.registry.host}/app`;

  function scanOf(namespace: Who, index: number, policy: object): FleetObject {
    const spec = { tagName: `scan-${index}`, image: image(), interval: '1s', policy };
    return fleetImageScan({ namespace, gitRepo: 'apps', index }, spec);
  }

  async function valueOf({ metadata, spec }: FleetObject): Promise<unknown> {
    const scan = await waitFor(`the scan of ${JSON.stringify(spec)}`, async () => {
      const stored = await readFleetScan(ground.client, metadata);
      return fleetCondition(stored, 'ImageScanned') === undefined ? undefined : stored;
    });
    const { canonicalImageName, latestTag, latestImage } = scan.status;
    const isScanned = fleetCondition(scan, 'ImageScanned') === 'True';
    return isScanned ? { canonicalImageName, latestTag, latestImage } : undefined;
  }

  /** Has all forms of markers written back, and gives what stands beside them then. */
  async function writtenBy(who: Who, scans: readonly FleetObject[]): Promise<unknown> {
    const { client, git } = ground;
    const lines = scans.flatMap(({ metadata: { name } }) => FORMS.map((form) => lineOf(name, form)));
    const { url: repo } = await git.createRepository(who, { 'values.yaml': lines.join('') });
    const common = { repo, branch: 'main', clientSecretName: 'git', imageScanInterval: '1s' };
    const imageScanCommit = { authorName: 'foo', authorEmail: 'foo@bar.com', messageTemplate: 'update' };
    const annotations = { [COMPATIBILITY_ANNOTATION]: 'Fleet' };
    const gitRepo = fleetGitRepo(
      { namespace: who, name: 'apps', annotations },
      { ...common, imageScanCommit },
    );
    await applyAsFleet(client, gitRepo);
    // Fleet looks for the GitRepo of an ImageScan when that changes, as it does at each commit.
    const again = scans.map((scan) => ({
      ...scan,
      metadata: { ...scan.metadata, labels: { again: 'true' } },
    }));
    await applyAsFleet(client, ...again);
    const isWritten = async () => (await git.log(who)).length > 1 || undefined;
    await waitFor(`the commit of ${who}`, isWritten, { timeoutMs: 60_000 });
    await remove(gitRepo);
    return parse(await git.readFile(who, 'values.yaml'));
  }

  function lineOf(name: string, form: string): string {
    const tagName = name.replace('imagescan-apps', 'scan');
    return `${tagName}${form.replace(':', '-')}: ${image()}:0.0.1 # {"$imagescan": "${tagName}${form}"}\n`;
  }

  async function remove(...objects: readonly FleetObject[]): Promise<void> {
    for (const { kind, metadata } of objects) await deleteFleet(ground.client, kind, metadata);
  }

  it('choose the same tag of 26 by each of 20 policies, or both none', () => {
    assert.deepEqual([TAGS.length, POLICIES.length], [26, 20]);
    assert.equal(values.fleet.filter((value) => value !== undefined).length, 17);
    assert.deepEqual(values.fleetscan, values.fleet);
  });

  it('write the same values beside all forms of markers, of an image for two platforms', () => {
    assert.equal(Object.keys(written.fleet ?? {}).length, 17 * FORMS.length);
    assert.deepEqual(written.fleetscan, written.fleet);
  });
});
