import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { SCAN_REQUEST_ANNOTATION } from '../../../kube/kinds/image-scan.ts';
import { FLEET_IMAGE_SCANS, IMAGE_SCANS, PODS } from '../../../kube/resource.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { pushImage } from '../../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../../control-plane/registry.ts';
import { createNamespace } from '../../e2e/admission.ts';
import { pod } from '../../e2e/following.ts';
import { type Named, put, type Reconciling, secret, startReconciling } from '../../e2e/reconciling.ts';
import { readPod } from '../../e2e/stored.ts';
import { waitFor } from '../../wait.ts';
import { installFleetKinds } from '../kinds.ts';
import {
  applyAsFleet,
  fleetCondition,
  fleetGitRepo,
  fleetImageScan,
  type FleetObject,
  fleetStatus,
  untilFleetGitRepo,
  untilFleetScan,
} from '../objects.ts';
import { deploymentYaml, entryOf, fleetYaml, IMAGE_SCAN_COMMIT, valuesYaml } from './seed.ts';

const LOCAL = 'fleet-local';
const DEFAULT = 'fleet-default';
const PULLER = { username: 'puller', password: 'a password: with a colon' };
const PUSHER = { username: 'fleet', password: 'another one' };
const STALE_DIGEST = `sha256:${'0'.repeat(64)}`;

const storedScan = z.object({
  metadata: z.looseObject({ labels: z.unknown(), annotations: z.unknown() }),
  spec: z.unknown(),
});
const list = z.object({ items: z.array(z.unknown()) });

describe('what a user of Fleet has goes on without an edit', { concurrency: 5 }, () => {
  let registry: Registry;
  let git: GitServer;
  let bench: Reconciling;

  before(async () => {
    [registry, git] = await Promise.all([
      startRegistry({ auth: PULLER }),
      startGitServer({ credential: PUSHER }),
    ]);
    bench = await startReconciling({
      insecureRegistries: [registry.host],
      values: ['fleet.takeover=serve'],
      args: ['--fleet-takeover=serve'],
    });
    await Promise.all([
      installFleetKinds(bench.client),
      createNamespace(bench.client, LOCAL),
      createNamespace(bench.client, DEFAULT),
      bench.product.startWebhook({ args: ['--fleet-takeover=serve'] }),
    ]);
    const auths = { [registry.host]: PULLER };
    const dockerConfig = { '.dockerconfigjson': JSON.stringify({ auths }) };
    for (const namespace of [LOCAL, DEFAULT]) {
      await put(
        bench.client,
        secret({ namespace, name: 'secret' }, 'kubernetes.io/basic-auth', PUSHER),
        secret({ namespace, name: 'dockerhub-secret' }, 'kubernetes.io/dockerconfigjson', dockerConfig),
      );
    }
  });

  after(async () => {
    await bench?.stop();
    await Promise.all([registry?.stop(), git?.stop()]);
  });

  const push = (repository: string, tag: string) =>
    pushImage(registry.host, repository, tag, { credential: PULLER });

  /** A GitRepo of the repository of its name, as in the documentation. */
  const gitRepo = ({ namespace, name }: Named, spec: object): FleetObject =>
    fleetGitRepo(
      { namespace, name },
      {
        repo: `${git.url}/${name}.git`,
        branch: 'main',
        clientSecretName: 'secret',
        imageScanInterval: '5m',
        ...spec,
      },
    );

  /** An ImageScan as `fleet apply` makes it of the first entry of a GitRepo's fleet.yaml. */
  const imageScan = ({ namespace, name }: Named, spec: object): FleetObject =>
    fleetImageScan({ namespace, gitRepo: name }, spec);

  const untilFile = (name: string, path: string, wanted: RegExp | string): Promise<string> =>
    waitFor(`${path} of ${name} to be ${wanted}`, async () => {
      const text = await git.readFile(name, path);
      return (typeof wanted === 'string' ? text === wanted : wanted.test(text)) ? text : undefined;
    });

  const untilScanned = ({ metadata }: FleetObject, wanted: string) =>
    untilFleetScan(bench.client, metadata, wanted, (scan) => fleetCondition(scan, 'ImageScanned') === wanted);

  const untilSynced = (named: Named) =>
    untilFleetGitRepo(
      bench.client,
      named,
      'ImageSynced',
      (repo) => fleetCondition(repo, 'ImageSynced') === 'True',
    );

  async function requestScan({ metadata: { namespace, name } }: FleetObject): Promise<void> {
    const annotations = { [SCAN_REQUEST_ANNOTATION]: 'now' };
    const path = { resource: FLEET_IMAGE_SCANS, namespace, name };
    await bench.client.patch(path, { metadata: { annotations } }, 'merge');
  }

  it('the example of its documentation: a new tag is one commit with all four markers, and what pods get', async () => {
    const [namespace, name] = [LOCAL, 'my-repo'];
    const image = `${registry.host}/image`;
    const old = await push('image', '1.0.0');
    await git.createRepository(name, {
      'fleet.yaml': fleetYaml(image),
      'deployment.yaml': deploymentYaml(image, '1.0.0', old.digest),
      'chart/values.yaml': valuesYaml(image, '1.0.0'),
    });
    const scan = imageScan({ namespace, name }, entryOf(fleetYaml(image)));
    await applyAsFleet(
      bench.client,
      gitRepo({ namespace, name }, { imageScanCommit: IMAGE_SCAN_COMMIT }),
      scan,
    );
    await untilScanned(scan, 'True');
    await untilSynced({ namespace, name });
    assert.equal((await git.log(name)).length, 1, 'all agreed already');

    for (const passedOver of ['latest', '0.9.0', '2.0.0-rc.1']) await push('image', passedOver);
    const { digest } = await push('image', '1.1.0');
    await requestScan(scan);
    await untilFile(name, 'deployment.yaml', deploymentYaml(image, '1.1.0', digest));
    assert.equal(await git.readFile(name, 'chart/values.yaml'), valuesYaml(image, '1.1.0'));
    assert.equal(await git.readFile(name, 'fleet.yaml'), fleetYaml(image));
    const commits = (await git.log(name)).map(({ author, message }) => `${author}: ${message}`);
    assert.deepEqual(commits.slice(0, -1), ['foo <foo@bar.com>: update image']);

    const { status } = await untilFleetScan(
      bench.client,
      scan.metadata,
      '1.1.0',
      (each) => each.status.latestTag === '1.1.0',
    );
    assert.deepEqual(
      [status.canonicalImageName, status.latestImage, status.latestDigest],
      [image, `${image}:1.1.0`, digest],
    );
    const { images } = await waitFor('a pod with 1.1.0', async () => {
      const object = pod('redis-slave', { image: `${image}:1.0.0`, marker: 'test-scan:digest' });
      const path = { resource: PODS, namespace };
      const made = readPod(await bench.client.create(path, object, { dryRun: 'All' }));
      return made.images['web']?.includes(':1.0.0') ? undefined : made;
    });
    assert.deepEqual(images, { web: `${image}:1.1.0@${digest}` });
  });

  it('without imageScanCommit: a new tag is one commit within the interval and seconds, and the objects stay as they were applied', async () => {
    const [namespace, name] = [DEFAULT, 'plain'];
    const image = `${registry.host}/plain`;
    const seconds = 5;
    const every = { interval: `${seconds}s` };
    await push(name, '1.0.0');
    await git.createRepository(name, {
      'fleet.yaml': fleetYaml(image),
      'deployment.yaml': deploymentYaml(image, '0.1.0', STALE_DIGEST),
    });
    const scan = imageScan({ namespace, name }, { ...entryOf(fleetYaml(image)), ...every });
    const repo = gitRepo({ namespace, name }, { imageScanInterval: every.interval });
    await applyAsFleet(bench.client, repo, scan);
    await untilFile(name, 'deployment.yaml', /:1\.0\.0@sha256/);
    await untilSynced({ namespace, name });

    const { digest } = await push(name, '1.1.0');
    const begun = performance.now();
    await untilFile(name, 'deployment.yaml', deploymentYaml(image, '1.1.0', digest));
    const elapsed = (performance.now() - begun) / 1000;
    assert.ok(elapsed < seconds + 10, `${elapsed} s after the push`);
    const commits = (await git.log(name)).map(({ author, message }) => `${author}: ${message}`);
    const ours = 'Fleetscan <noreply@fleetscan.io>: Update from image update automation';
    assert.deepEqual(commits.slice(0, -1), [ours, ours]);

    // The status is written before the commit is made.
    const stored = storedScan.parse(
      await bench.client.get({
        resource: FLEET_IMAGE_SCANS,
        namespace,
        name: 'imagescan-plain-0',
      }),
    );
    const { labels, annotations } = scan.metadata;
    assert.deepEqual(
      [stored.metadata.labels, stored.metadata.annotations, stored.metadata['ownerReferences'], stored.spec],
      [labels, annotations, undefined, scan.spec],
    );
    const { conditions, lastScanTime, ...value } = await fleetStatus(
      bench.client,
      'ImageScan',
      scan.metadata,
    );
    assert.match(String(lastScanTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(value, {
      canonicalImageName: image,
      latestTag: '1.1.0',
      latestImage: `${image}:1.1.0`,
      latestDigest: digest,
      observedGeneration: 1,
    });
    const states = z.array(z.looseObject({ type: z.string(), status: z.string() })).parse(conditions);
    assert.deepEqual(
      states.map(({ type, status }) => `${type} ${status}`),
      ['ImageScanned True', 'Ready True'],
    );
    await waitFor('its definition in Git to make no second one', async () => {
      const { items } = list.parse(await bench.client.list({ resource: IMAGE_SCANS, namespace }));
      return JSON.stringify(items).includes(image) ? undefined : true;
    });
  });

  const both = { semver: { range: '*' }, alphabetical: { order: 'asc' } };
  const nginx = (value: string, form = ''): string => `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: nginx
        image: ${value} # {"$imagescan": "test-scan${form}"}
`;

  /** One of Fleet's own end-to-end tests: a GitRepo with an nginx, and its ImageScan at 5s. */
  async function startNginx(name: string, file: string, policy: object): Promise<FleetObject> {
    const namespace = DEFAULT;
    await git.createRepository(name, { 'nginx.yaml': file });
    const spec = { tagName: 'test-scan', image: `${registry.host}/${name}`, policy, interval: '5s' };
    const scan = imageScan({ namespace, name }, { ...spec, secretRef: { name: 'dockerhub-secret' } });
    await applyAsFleet(
      bench.client,
      gitRepo({ namespace, name }, { imageScanInterval: '5s', imageScanCommit: IMAGE_SCAN_COMMIT }),
      scan,
    );
    return scan;
  }

  it("Fleet's first end-to-end test: latest with :digest becomes the highest version with its digest, and the marker stays", async () => {
    const image = `${registry.host}/nginx-1`;
    for (const tag of ['latest', '1.26.2', '1.27.0', '1.28.0-alpine']) await push('nginx-1', tag);
    await startNginx('nginx-1', nginx(`${image}:latest`, ':digest'), both);
    const text = await untilFile('nginx-1', 'nginx.yaml', /@sha256:[0-9a-f]{64} /);
    const value = /image: (\S+)/.exec(text)?.[1] ?? '';
    assert.match(value, /^[^@]+:1\.27\.0@sha256:[0-9a-f]{64}$/);
    assert.equal(text, nginx(value, ':digest'));
  });

  it("Fleet's second: with >= 0.0.0-40, 0.0.0-50 that is pushed after 0.0.0-40 gets into Git", async () => {
    const image = `${registry.host}/nginx-2`;
    await push('nginx-2', '0.0.0-40');
    const scan = await startNginx('nginx-2', nginx(`${image}:0.0.0-40`), {
      semver: { range: '>= 0.0.0-40' },
    });
    await untilScanned(scan, 'True');
    await push('nginx-2', '0.0.0-50');
    await untilFile('nginx-2', 'nginx.yaml', nginx(`${image}:0.0.0-50`));
  });

  it("Fleet's third: where * finds pre-releases alone nothing crashes and the image stays", async () => {
    const image = `${registry.host}/nginx-3`;
    for (const tag of ['0.0.0-40', '0.0.0-50']) await push('nginx-3', tag);
    const scan = await startNginx('nginx-3', nginx(`${image}:0.0.0-40`), { semver: { range: '*' } });
    const { status } = await untilScanned(scan, 'False Error');
    assert.match(JSON.stringify(status.conditions), /NoMatch: no available version matching \*/);
    assert.equal(await git.readFile('nginx-3', 'nginx.yaml'), nginx(`${image}:0.0.0-40`));
    assert.equal((await git.log('nginx-3')).length, 1);
    // It goes on: what may be chosen is, at the next scan.
    await push('nginx-3', '0.1.0');
    await untilFile('nginx-3', 'nginx.yaml', nginx(`${image}:0.1.0`));
  });
});
