import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FLEET_API_VERSION } from '../../kube/kinds/common.ts';
import { parseFleetImageScan } from '../../kube/kinds/fleet.ts';
import { DEFINED_BY_LABEL } from '../../kube/kinds/defined.ts';
import { FROM_FLEET_ANNOTATION } from '../../kube/kinds/from-fleet.ts';
import { type ImageScan, parseImageScan } from '../../kube/kinds/image-scan.ts';
import { FLEET_GIT_REPOS, FLEET_IMAGE_SCANS, IMAGE_SCANS, PODS, type Resource } from '../../kube/resource.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { createNamespace, IMAGE } from '../e2e/admission.ts';
import type { Program } from '../e2e/product.ts';
import {
  conditionOf,
  digestOf,
  messageOf,
  type Named,
  put,
  readScan,
  type Reconciling,
  secret,
  startReconciling,
  untilEvent,
  untilScan,
} from '../e2e/reconciling.ts';
import { readPod } from '../e2e/stored.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds, removeFleetKind } from './kinds.ts';

const CREDENTIAL = { username: 'fleetscan', password: 'pass' };
const SERVE = '--fleet-takeover=serve';
const TEAM = 'team';
const marked = (tag: string): string => `image: ${IMAGE}:${tag} # {"$imagescan": "web"}\n`;

describe("the removal of Fleet's kinds", () => {
  let server: GitServer;
  let bench: Reconciling;
  let webhook: Program;

  before(async () => {
    server = await startGitServer({ credential: CREDENTIAL });
    await server.createRepository('apps', { 'web.yaml': marked('1.0.0') });
    bench = await startReconciling({ values: ['fleet.takeover=serve'], args: [SERVE] });
    webhook = await bench.product.startWebhook({ args: [SERVE] });
    await installFleetKinds(bench.client);
    await createNamespace(bench.client, TEAM);
    await put(bench.client, secret({ namespace: TEAM, name: 'git' }, 'kubernetes.io/basic-auth', CREDENTIAL));
    await putFleet(FLEET_GIT_REPOS, 'GitRepo', 'apps', {
      spec: {
        repo: `${server.url}/apps.git`,
        branch: 'main',
        clientSecretName: 'git',
        imageScanInterval: '1s',
        imageScanCommit: { authorName: 'Image Bot', authorEmail: 'bot@example.com' },
      },
    });
  });

  after(async () => {
    await bench?.stop();
    await server?.stop();
  });

  async function putFleet(
    resource: Resource,
    kind: string,
    name: string,
    { labels = {}, spec }: { labels?: Readonly<Record<string, string>>; spec: object },
  ): Promise<void> {
    const object = {
      apiVersion: FLEET_API_VERSION,
      kind,
      metadata: { namespace: TEAM, name, labels },
      spec,
    };
    const path = { resource, namespace: TEAM, name };
    await bench.client.patch(path, object, 'apply', { fieldManager: 'test', force: true });
  }

  /** An ImageScan of Fleet's with a value in force; suspended, so that nobody asks a registry. */
  async function putFleetScan(
    name: string,
    tag: string,
    spec: object,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const defaults = { image: IMAGE, interval: '5m', suspend: true };
    await putFleet(FLEET_IMAGE_SCANS, 'ImageScan', name, { labels, spec: { ...defaults, ...spec } });
    const status = {
      canonicalImageName: IMAGE,
      latestTag: tag,
      latestImage: `${IMAGE}:${tag}`,
      latestDigest: digestOf(tag),
      lastScanTime: '2026-01-02T03:04:05Z',
    };
    const path = { resource: FLEET_IMAGE_SCANS, namespace: TEAM, name, subresource: 'status' };
    await bench.client.patch(path, { status }, 'merge');
  }

  const untilAdopted = (name: string): Promise<ImageScan> =>
    untilScan(bench.client, ours(name), 'Adopted', (scan) => conditionOf(scan, 'Adopted') !== undefined);

  const ours = (name: string): Named => ({ namespace: TEAM, name });

  /** Our ImageScans, by name. */
  async function ourScans(): Promise<string[]> {
    const { items } = (await bench.client.list({ resource: IMAGE_SCANS, namespace: TEAM })) as {
      items: unknown[];
    };
    return items.map((item) => parseImageScan(item).metadata.name).toSorted();
  }

  /** Makes a pod with a marker. @returns the image that was admitted */
  async function admitted(name: string, marker: string): Promise<string | undefined> {
    const created = await bench.client.create(
      { resource: PODS, namespace: TEAM },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, annotations: { 'imagescan.fleetscan.io/app': marker } },
        spec: { containers: [{ name: 'app', image: `${IMAGE}:0.0.1` }] },
      },
    );
    return readPod(created).images['app'];
  }

  const untilFile = (text: string): Promise<true> =>
    waitFor(`web.yaml to be ${text}`, async () =>
      (await server.readFile('apps', 'web.yaml')) === text ? true : undefined,
    );

  /** Waits until a comparison of Git with the values in force that began after now is over: when there is one more after it. */
  async function untilComparedAgain(): Promise<void> {
    const looks = (): number =>
      server.requests().filter((each) => each.startsWith('GET /apps.git/info/refs?service=git-upload-pack'))
        .length;
    // The one that is under way may ask once more, for the commit.
    const from = looks() + 1;
    await waitFor('Git to be compared again', () => (looks() >= from + 2 ? true : undefined));
  }

  /** The image that a marker gives a new pod, once it is the wanted one. */
  const untilServed = (prefix: string, marker: string, image: string): Promise<true> => {
    let count = 0;
    return waitFor(`pods with ${marker} to get ${image}`, async () => {
      count += 1;
      return (await admitted(`${prefix}-${count}`, marker)) === image ? true : undefined;
    });
  };

  const areHealthy = async (): Promise<void> => {
    for (const { health, process } of [bench.reconciler, webhook]) {
      assert.equal(process.exitedWith(), undefined);
      assert.equal((await fetch(`${health}/readyz`)).status, 200);
    }
    assert.equal(await bench.reconciler.metric('fleetscan_reconciler_leading'), 1);
  };

  it('leaves an ImageScan that a person deletes deleted while the kind stays', async () => {
    await putFleetScan('passing', '1.0.0', { tagName: 'passing' });
    await untilServed('passing', 'passing', `${IMAGE}:1.0.0`);
    await bench.client.delete({ resource: FLEET_IMAGE_SCANS, namespace: TEAM, name: 'passing' });
    await untilServed('passed', 'passing', `${IMAGE}:0.0.1`);
    await untilComparedAgain();
    assert.deepEqual(await ourScans(), []);
  });

  it('puts one of ours in the place of each ImageScan that goes with the kind, with its value', async () => {
    const fromGit = { 'fleet.cattle.io/repo-name': 'apps' };
    await putFleetScan('imagescan-apps-0', '2.0.0', { tagName: 'web', gitrepoName: 'apps' }, fromGit);
    await putFleetScan('by-hand', '3.0.0', { tagName: 'Api/Server', policy: { semver: { range: '^3' } } });
    await putFleetScan('moved', '4.0.0', { tagName: 'moved' });
    await put(bench.client, {
      apiVersion: 'fleetscan.io/v1alpha1',
      kind: 'ImageScan',
      metadata: ours('mine'),
      spec: { image: IMAGE, tagName: 'moved', suspend: true },
    });
    await untilFile(marked('2.0.0'));
    const commits = (await server.log('apps')).length;

    await removeFleetKind(bench.client, 'imagescans');
    const web = await untilAdopted('apps-web');
    assert.equal(web.metadata.labels[DEFINED_BY_LABEL], 'apps');
    assert.equal(web.metadata.annotations[FROM_FLEET_ANNOTATION], 'imagescan-apps-0');
    assert.deepEqual(web.spec, {
      image: IMAGE,
      tagName: 'web',
      gitrepoName: 'apps',
      interval: '5m',
      suspend: true,
    });
    assert.equal(web.status.latestTag, '2.0.0');
    assert.equal(web.status.latestImage, `${IMAGE}:2.0.0`);
    assert.equal(web.status.latestDigest, digestOf('2.0.0'));
    assert.equal(web.status.canonicalImageName, IMAGE);
    assert.equal(web.status.lastScanTime, '2026-01-02T03:04:05Z');
    assert.deepEqual(web.status.history, [
      {
        tag: '2.0.0',
        digest: digestOf('2.0.0'),
        image: `${IMAGE}:2.0.0`,
        since: '2026-01-02T03:04:05Z',
        cause: 'Scan',
      },
    ]);
    assert.equal(conditionOf(web, 'Adopted'), 'True FleetKindRemoved');
    assert.match(messageOf(web, 'Adopted'), /^takes the place of imagescan-apps-0, .*; 2\.0\.0 is in force$/);

    const byHand = await untilAdopted('by-hand');
    assert.equal(byHand.metadata.labels[DEFINED_BY_LABEL], undefined);
    assert.equal(byHand.spec.tagName, 'Api/Server');
    assert.deepEqual(byHand.spec.policy, { semver: { range: '^3' } });
    assert.equal(byHand.status.latestTag, '3.0.0');

    const mine = await untilAdopted('mine');
    assert.equal(mine.status.latestTag, '4.0.0', 'one that is there and has no value gets it');
    assert.deepEqual(await ourScans(), ['apps-web', 'by-hand', 'mine']);

    await untilServed('web', 'web', `${IMAGE}:2.0.0`);
    await untilComparedAgain();
    assert.equal(await server.readFile('apps', 'web.yaml'), marked('2.0.0'));
    assert.equal((await server.log('apps')).length, commits, 'nothing was committed');
    await untilEvent(
      bench,
      ours('apps'),
      'gitrepo',
      'FleetKindRemoved',
      'ImageScan apps-web takes the place',
    );
    await areHealthy();
  });

  it("serves Fleet's kind again when it is back, without a restart", async () => {
    await installFleetKinds(bench.client, ['imagescans']);
    await putFleetScan('back', '5.0.0', { tagName: 'back' });
    await untilServed('back', 'back', `${IMAGE}:5.0.0`);
    const raw = await bench.client.get({ resource: FLEET_IMAGE_SCANS, namespace: TEAM, name: 'back' });
    assert.equal(parseFleetImageScan(raw).status.latestTag, '5.0.0');
  });

  it('lives on without both kinds, and keeps the values', async () => {
    await Promise.all([
      removeFleetKind(bench.client, 'imagescans'),
      removeFleetKind(bench.client, 'gitrepos'),
    ]);
    const back = await untilAdopted('back');
    assert.equal(back.status.latestTag, '5.0.0');
    await untilServed('both', 'web', `${IMAGE}:2.0.0`);
    await bench.client.delete({ resource: IMAGE_SCANS, ...ours('back') });
    await untilServed('gone', 'back', `${IMAGE}:0.0.1`);
    assert.deepEqual(await ourScans(), ['apps-web', 'by-hand', 'mine']);
    assert.equal((await readScan(bench.client, ours('apps-web'))).status.latestTag, '2.0.0');
    await waitFor('the line that says so', () =>
      /"resource":"gitrepos".*the cluster has this kind no more/.test(bench.reconciler.process.output())
        ? true
        : undefined,
    );
    await areHealthy();
  });
});
