import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HANDLED_REQUEST_ANNOTATION } from '../../kube/kinds/fleet.ts';
import { SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { FLEET_IMAGE_SCANS, GIT_REPOS } from '../../kube/resource.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import {
  conditionOf,
  gitRepo,
  namespaceObject,
  put,
  type Reconciling,
  secret,
  startReconciling,
  untilEvent,
  untilGitRepo,
} from '../e2e/reconciling.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds } from './kinds.ts';
import {
  applyAsFleet,
  deleteFleet,
  fleetCondition,
  fleetGitRepo,
  fleetImageScan,
  fleetScanName,
  fleetStatus,
  readFleetGitRepo,
  readFleetScan,
  untilFleetGitRepo,
  untilFleetScan,
} from './objects.ts';
import { startStorm } from './storm.ts';

const PULLER = { username: 'puller', password: 'a password: with a colon' };
const PUSHER = { username: 'fleet', password: 'another one' };
const RELABELLED = '2'.repeat(40);

/** What a repository of a Fleet user holds: every form of marker, and fleet.yaml. */
const manifest = (image: string, tag: string, digest: string): string => `# Our web shop
kind: Deployment
spec:
    image: ${image}:${tag} # {"$imagescan": "web"}
    pinned: ${image}:${tag}@${digest}   # {"$imagescan": "web:digest"}

    name: ${image} # {"$imagescan": "web:name"}
    tag: "${tag}" # {"$imagescan": "web:tag"}
`;
const STALE_DIGEST = `sha256:${'0'.repeat(64)}`;

describe("Fleet's objects are served in place", { concurrency: 4 }, () => {
  let registry: Registry;
  let closed: Registry;
  let git: GitServer;
  let bench: Reconciling;

  before(async () => {
    [registry, closed, git] = await Promise.all([
      startRegistry(),
      startRegistry({ auth: PULLER }),
      startGitServer({ credential: PUSHER }),
    ]);
    bench = await startReconciling({
      insecureRegistries: [registry.host, closed.host],
      values: ['fleet.takeover=serve'],
      args: ['--fleet-takeover=serve'],
    });
    // Not before it runs: it has to find them by itself.
    await installFleetKinds(bench.client);
  });

  after(async () => {
    await bench?.stop();
    await Promise.all([registry?.stop(), closed?.stop(), git?.stop()]);
  });

  /** A namespace with the credentials for Git and for the closed registry. */
  async function team(namespace: string): Promise<void> {
    const auths = { [closed.host]: PULLER };
    await put(
      bench.client,
      namespaceObject(namespace),
      secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', PUSHER),
      secret({ namespace, name: 'pull' }, 'kubernetes.io/dockerconfigjson', {
        '.dockerconfigjson': JSON.stringify({ auths }),
      }),
    );
  }

  /** A GitRepo `apps` of Fleet's for the repository that is named as its namespace. */
  const apps = (namespace: string, spec: object = {}) =>
    fleetGitRepo(
      { namespace, name: 'apps' },
      {
        repo: `${git.url}/${namespace}.git`,
        branch: 'main',
        clientSecretName: 'git',
        imageScanInterval: '1s',
        ...spec,
      },
    );

  /** An ImageScan `web` of that GitRepo. */
  const web = (namespace: string, spec: object, entry: { index?: number; commit?: string } = {}) =>
    fleetImageScan({ namespace, gitRepo: 'apps', ...entry }, { tagName: 'web', interval: '1s', ...spec });
  const webName = (namespace: string) => fleetScanName({ namespace, gitRepo: 'apps' });

  const untilSynced = (namespace: string, wanted: string) =>
    untilFleetGitRepo(
      bench.client,
      { namespace, name: 'apps' },
      wanted,
      (repo) => fleetCondition(repo, 'ImageSynced') === wanted,
    );
  const untilScanned = (namespace: string, wanted: string) =>
    untilFleetScan(
      bench.client,
      webName(namespace),
      wanted,
      (scan) => fleetCondition(scan, 'ImageScanned') === wanted,
    );
  const untilFile = (namespace: string, text: string) =>
    waitFor(`a.yaml of ${namespace} to be ${JSON.stringify(text)}`, async () =>
      (await git.readFile(namespace, 'a.yaml')) === text ? true : undefined,
    );
  const listings = (repository: string): number =>
    registry.requests().filter(({ url }) => url.startsWith(`/v2/${repository}/tags/list`)).length;

  it('from their definition to the commit: all markers, the message and author of the spec, and the status as Fleet has it', async () => {
    await team('shop');
    const image = `${closed.host}/shop`;
    const { digest } = await pushImage(closed.host, 'shop', '1.1.0', { credential: PULLER });
    await git.createRepository('shop', {
      'a.yaml': manifest(image, '1.0.0', STALE_DIGEST),
      'fleet.yaml': 'imageScans:\n- tagName: web\n',
    });
    const policy = { semver: { range: '*' }, alphabetical: { order: 'asc' } };
    const imageScanCommit = {
      authorName: 'Image Bot',
      authorEmail: 'bot@example.com',
      messageTemplate: null,
    };
    await applyAsFleet(
      bench.client,
      apps('shop', { imageScanCommit, imageScanInterval: '5m', paused: true }),
      web('shop', { image, policy, interval: '5m', secretRef: { name: 'pull' } }),
    );

    await untilFile('shop', manifest(image, '1.1.0', digest));
    const [commit] = await git.log('shop');
    assert.equal(commit?.message, 'Update from image update automation');
    assert.equal(commit.author, 'Image Bot <bot@example.com>');

    const { metadata } = await untilScanned('shop', 'True');
    const { conditions, lastScanTime, ...value } = await fleetStatus(
      bench.client,
      'ImageScan',
      webName('shop'),
    );
    assert.match(String(lastScanTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(value, {
      canonicalImageName: image,
      latestDigest: digest,
      latestImage: `${image}:1.1.0`,
      latestTag: '1.1.0',
      observedGeneration: metadata.generation,
    });
    assert.deepEqual(
      (conditions as { type: string; status: string }[]).map(({ type, status }) => [type, status]),
      [
        ['ImageScanned', 'True'],
        ['Ready', 'True'],
      ],
    );
    await untilSynced('shop', 'True');
    const status = await fleetStatus(bench.client, 'GitRepo', { namespace: 'shop', name: 'apps' });
    assert.deepEqual(Object.keys(status).toSorted(), ['conditions', 'lastSyncedImageScanTime']);
    await untilEvent(bench, webName('shop'), 'imagescan', 'ValueChanged', 'nothing -> 1.1.0');
    await untilEvent(bench, { namespace: 'shop', name: 'apps' }, 'gitrepo', 'Pushed');
  });

  it('a new tag is one commit, also where the GitRepo says nothing of commits, and labels restart no interval', async () => {
    await team('steady');
    const image = `${registry.host}/steady`;
    const text = (tag: string): string => `image: ${image}:${tag} # {"$imagescan": "web"}\n`;
    await pushImage(registry.host, 'steady', '1.0.0');
    await git.createRepository('steady', { 'a.yaml': text('0.9.0') });
    await applyAsFleet(bench.client, apps('steady'), web('steady', { image }));
    await untilFile('steady', text('1.0.0'));
    await pushImage(registry.host, 'steady', '1.1.0');
    // A Fleet that applies commit after commit, each sooner than the interval is over.
    const labels = startStorm((count) =>
      applyAsFleet(bench.client, web('steady', { image }, { commit: String(count).padStart(40, '0') })),
    );
    try {
      await untilFile('steady', text('1.1.0'));
    } finally {
      await labels.stop();
    }
    const log = await git.log('steady');
    assert.deepEqual(log.map(({ message, author }) => [message, author]).slice(0, 2), [
      ['Update from image update automation', 'Fleetscan <noreply@fleetscan.io>'],
      ['Update from image update automation', 'Fleetscan <noreply@fleetscan.io>'],
    ]);
    assert.equal(log.length, 3);
  });

  it('is not scanned because Fleet relabels it', async () => {
    await team('labels');
    const image = `${registry.host}/labels`;
    await pushImage(registry.host, 'labels', '1.0.0');
    await applyAsFleet(bench.client, web('labels', { image, interval: '1h' }));
    await untilScanned('labels', 'True');
    await waitFor('the access log', () => (listings('labels') === 1 ? true : undefined));
    await applyAsFleet(bench.client, web('labels', { image, interval: '1h' }, { commit: RELABELLED }));
    // The answer to a request shows that the change of before was seen.
    await request('labels', 'please');
    await waitFor('the access log', () => (listings('labels') >= 2 ? true : undefined));
    assert.equal(listings('labels'), 2);
    assert.equal(
      (await readFleetScan(bench.client, webName('labels'))).metadata.labels['fleet.cattle.io/commit'],
      RELABELLED,
    );
  });

  /** Asks for a scan and waits for the answer. */
  async function request(namespace: string, text: string): Promise<void> {
    const { name } = webName(namespace);
    const annotations = { [SCAN_REQUEST_ANNOTATION]: text };
    await bench.client.patch(
      { resource: FLEET_IMAGE_SCANS, namespace, name },
      { metadata: { annotations } },
      'merge',
    );
    await untilFleetScan(
      bench.client,
      webName(namespace),
      `an answer to ${text}`,
      ({ status }) => status.lastHandledScanRequest === text,
    );
  }

  it('a request is answered by an annotation, with one scan each, and the status is written by then', async () => {
    await team('asked');
    const image = `${registry.host}/asked`;
    await pushImage(registry.host, 'asked', '1.0.0');
    await applyAsFleet(bench.client, web('asked', { image, interval: '1h' }));
    await untilScanned('asked', 'True');
    await pushImage(registry.host, 'asked', '1.1.0');
    await request('asked', 'first');
    const { status, metadata } = await readFleetScan(bench.client, webName('asked'));
    assert.equal(status.latestTag, '1.1.0');
    assert.equal(metadata.annotations[HANDLED_REQUEST_ANNOTATION], 'first');
    for (const text of ['second', 'third', 'fourth']) await request('asked', text);
    await waitFor('the access log', () => (listings('asked') >= 5 ? true : undefined));
    assert.equal(listings('asked'), 5);
  });

  it('a failed scan is Stalled with the reason, and no longer once it succeeds', async () => {
    await team('flaky');
    const image = `${registry.host}/flaky`;
    await applyAsFleet(bench.client, web('flaky', { image }));
    const failed = await untilScanned('flaky', 'False Error');
    assert.equal(fleetCondition(failed, 'Stalled'), 'True Stalled');
    assert.equal(fleetCondition(failed, 'Reconciling'), 'False');
    const reason =
      failed.status.conditions?.find(({ type }) => type === 'Stalled')?.message?.split(':')[0] ?? '';
    assert.match(reason, /^[A-Z][A-Za-z]+$/);
    await untilEvent(bench, webName('flaky'), 'imagescan', 'Warning', reason);
    await pushImage(registry.host, 'flaky', '1.0.0');
    const scan = await untilScanned('flaky', 'True');
    assert.equal(fleetCondition(scan, 'Stalled'), 'False');
    await untilEvent(bench, webName('flaky'), 'imagescan', 'Recovered', reason);
  });

  it('a failed write-back is Stalled with the reason, and no longer once it succeeds', async () => {
    await team('late');
    const image = `${registry.host}/late`;
    const text = (tag: string): string => `image: ${image}:${tag} # {"$imagescan": "web"}\n`;
    await pushImage(registry.host, 'late', '1.0.0');
    await git.createRepository('late', { 'a.yaml': text('0.9.0') });
    await applyAsFleet(bench.client, apps('late', { branch: 'next' }), web('late', { image }));
    const failed = await untilSynced('late', 'False Error');
    assert.equal(fleetCondition(failed, 'Stalled'), 'True Stalled');
    assert.match(
      failed.status.conditions?.find(({ type }) => type === 'Stalled')?.message ?? '',
      /^BranchMissing: /,
    );
    await untilEvent(bench, { namespace: 'late', name: 'apps' }, 'gitrepo', 'BranchMissing');
    await git.createRepository('late', { 'a.yaml': text('0.9.0') }, 'next');
    const repo = await untilSynced('late', 'True');
    assert.equal(fleetCondition(repo, 'Stalled'), 'False');
    assert.equal(await git.readFile('late', 'a.yaml', 'next'), text('1.0.0'));
  });

  it('nonsense is a condition, and one bad scan does not hold up the others of its GitRepo', async () => {
    await team('mixed');
    const image = `${registry.host}/mixed`;
    const text = (tag: string): string =>
      `a: ${image}:${tag} # {"$imagescan": "web"}\nb: other:1 # {"$imagescan": "bad1"}\n`;
    await pushImage(registry.host, 'mixed', '1.0.0');
    await git.createRepository('mixed', { 'a.yaml': text('0.9.0') });
    const nonsense: [spec: object, reason: RegExp][] = [
      [{ image: null }, /^InvalidImage: /],
      [{ image: 'https://ghcr.io/acme/app' }, /write the image without a scheme/],
      [{ image, policy: { semver: { range: 'no range' } } }, /^Invalid/],
      [{ image, secretRef: {} }, /^SecretNotFound: a Secret is referred to without its name/],
      [{ image, policy: null, secretRef: { name: 'none' } }, /^SecretNotFound: /],
    ];
    await applyAsFleet(
      bench.client,
      apps('mixed'),
      web('mixed', { image, policy: { alphabetical: { order: 'sideways' } } }),
      ...nonsense.map(([spec], index) =>
        web('mixed', { policy: {}, ...spec, tagName: `bad${index + 1}` }, { index: index + 1 }),
      ),
    );
    for (const [index, [spec, reason]] of nonsense.entries()) {
      const named = fleetScanName({ namespace: 'mixed', gitRepo: 'apps', index: index + 1 });
      const scan = await untilFleetScan(
        bench.client,
        named,
        `a failure for ${JSON.stringify(spec)}`,
        (each) => fleetCondition(each, 'ImageScanned') === 'False Error',
      );
      assert.match(
        scan.status.conditions?.find(({ type }) => type === 'ImageScanned')?.message ?? '',
        reason,
      );
    }
    await untilFile('mixed', text('1.0.0'));
    await untilSynced('mixed', 'True SyncedInPart');
  });

  it('a GitRepo that only deploys is left as it is, also when it cannot be read', async () => {
    await team('deploys');
    await git.createRepository('deploys', { 'a.yaml': 'image: nginx:1 # {"$imagescan": "web"}\n' });
    const broken = {
      ...apps('deploys', { branch: 'none' }),
      metadata: { namespace: 'deploys', name: 'broken' },
    };
    await applyAsFleet(bench.client, apps('deploys'), broken);
    // It is read again and again: an ImageScan may be defined in it at any time.
    const reads = (): number => git.requests().filter((line) => line.includes('/deploys.git/')).length;
    await waitFor('it to be read', () => (reads() >= 6 ? true : undefined));
    for (const name of ['apps', 'broken']) {
      assert.deepEqual(await fleetStatus(bench.client, 'GitRepo', { namespace: 'deploys', name }), {});
    }
  });

  it('what was wrong is taken back when the last ImageScan of a GitRepo goes', async () => {
    await team('left');
    await git.createRepository('left', { 'a.yaml': 'x: 1\n' });
    await applyAsFleet(
      bench.client,
      apps('left', { branch: 'none' }),
      web('left', { image: 'nginx', suspend: true }),
    );
    await untilSynced('left', 'False Error');
    await deleteFleet(bench.client, 'ImageScan', webName('left'));
    const repo = await untilSynced('left', 'True NoImageScan');
    assert.equal(fleetCondition(repo, 'Stalled'), 'False');
  });

  it('a GitRepo of ours of the same name takes the write-back over, and gives it back when it goes', async () => {
    await team('moving');
    const image = `${registry.host}/moving`;
    const text = (tag: string): string => `image: ${image}:${tag} # {"$imagescan": "web"}\n`;
    await pushImage(registry.host, 'moving', '1.0.0');
    await git.createRepository('moving', { 'a.yaml': text('0.9.0') });
    await applyAsFleet(bench.client, apps('moving', { branch: 'none' }), web('moving', { image }));
    await untilSynced('moving', 'False Error');

    const named = { namespace: 'moving', name: 'apps' };
    const imageScanCommit = { messageTemplate: 'By ours' };
    const spec = { repo: `${git.url}/moving.git`, branch: 'main', clientSecretName: 'git', imageScanCommit };
    await put(bench.client, gitRepo(named, spec));
    await untilFile('moving', text('1.0.0'));
    await untilGitRepo(
      bench.client,
      named,
      'synced',
      (repo) => conditionOf(repo, 'ImageSynced') === 'True Synced',
    );
    const taken = await untilSynced('moving', 'True TakenOver');
    assert.equal(fleetCondition(taken, 'Stalled'), 'False');

    await bench.client.delete({ resource: GIT_REPOS, ...named });
    await untilSynced('moving', 'False Error');
    await applyAsFleet(bench.client, apps('moving', { branch: 'main' }));
    await untilSynced('moving', 'True');
    await pushImage(registry.host, 'moving', '1.1.0');
    await untilFile('moving', text('1.1.0'));
    assert.deepEqual((await git.log('moving')).map(({ message }) => message).slice(0, 2), [
      'Update from image update automation',
      'By ours',
    ]);
  });

  it('equal intervals are both kept: no second tick is passed over', async () => {
    await team('ticks');
    const image = `${registry.host}/ticks`;
    await pushImage(registry.host, 'ticks', '1.0.0');
    await git.createRepository('ticks', { 'a.yaml': `image: ${image}:1.0.0 # {"$imagescan": "web"}\n` });
    await applyAsFleet(
      bench.client,
      apps('ticks', { imageScanInterval: '3s' }),
      web('ticks', { image, interval: '3s' }),
    );
    const named = { namespace: 'ticks', name: 'apps' };
    const times: number[] = [];
    await waitFor('five syncs', async () => {
      const time = Date.parse(
        (await readFleetGitRepo(bench.client, named)).status.lastSyncedImageScanTime ?? '',
      );
      if (!Number.isNaN(time) && time !== times.at(-1)) times.push(time);
      return times.length >= 5 ? true : undefined;
    });
    const [first = 0] = times;
    const mean = ((times.at(-1) ?? 0) - first) / (times.length - 1);
    assert.ok(mean < 4500, `synced every ${mean} ms`);
  });
});
