import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { FLEET_IMAGE_SCANS, IMAGE_SCANS, PODS } from '../../../kube/resource.ts';
import { pod, untilPodsGet } from '../../e2e/following.ts';
import type { Named } from '../../e2e/reconciling.ts';
import { podNamed } from '../../e2e/stored.ts';
import { waitFor } from '../../wait.ts';
import { fleetStatus } from '../objects.ts';
import { FleetUser } from './fleet-user.ts';
import { deploymentYaml, entryOf, fleetYaml, IMAGE_SCAN_COMMIT, valuesYaml } from './seed.ts';

// Pods know no GitRepo, so the example of which pods are made has a namespace of its own.
const LOCAL = 'fleet-local';
const DEFAULT = 'fleet-default';
const STALE_DIGEST = `sha256:${'0'.repeat(64)}`;

const storedScan = z.object({
  metadata: z.looseObject({ labels: z.unknown(), annotations: z.unknown() }),
  spec: z.unknown(),
});
const storedConditions = z.array(z.looseObject({ type: z.string(), status: z.string() }));
const storedList = z.object({ items: z.array(z.unknown()) });

describe('what a user of Fleet has goes on without an edit', { concurrency: 5 }, () => {
  let user: FleetUser;

  before(async () => {
    user = await FleetUser.start(LOCAL, DEFAULT);
  });
  after(() => user?.stop());

  it('the example of its documentation: a new tag is one commit with all four markers, and what pods get', async () => {
    const named = { namespace: LOCAL, name: 'my-repo' };
    const image = `${user.registry.host}/image`;
    const old = await user.push('image', '1.0.0');
    await user.git.createRepository('my-repo', {
      'fleet.yaml': fleetYaml(image),
      'deployment.yaml': deploymentYaml(image, '1.0.0', old.digest),
      'chart/values.yaml': valuesYaml(image, '1.0.0'),
    });
    const { metadata } = await user.apply(named, {
      gitRepo: { imageScanInterval: '5m', imageScanCommit: IMAGE_SCAN_COMMIT },
      entry: entryOf(fleetYaml(image)),
    });
    await user.untilScanned(metadata, 'True');
    await user.untilSynced(named);
    assert.deepEqual(await user.commits('my-repo'), [], 'all agreed already');

    for (const passedOver of ['latest', '0.9.0', '2.0.0-rc.1']) await user.push('image', passedOver);
    const { digest } = await user.push('image', '1.1.0');
    await user.requestScan(metadata);
    await user.untilFile('my-repo', 'deployment.yaml', deploymentYaml(image, '1.1.0', digest));
    assert.equal(await user.git.readFile('my-repo', 'chart/values.yaml'), valuesYaml(image, '1.1.0'));
    assert.equal(await user.git.readFile('my-repo', 'fleet.yaml'), fleetYaml(image));
    assert.deepEqual(await user.commits('my-repo'), ['foo <foo@bar.com>: update image']);

    await untilPodsGet(user.client, LOCAL, { marker: 'test-scan', image: `${image}:1.1.0` });
    const object = pod('redis-slave', { image: `${image}:1.0.0`, marker: 'test-scan:digest' });
    await user.client.create({ resource: PODS, namespace: LOCAL }, object);
    const { images } = await podNamed(user.client, LOCAL, 'redis-slave');
    assert.deepEqual(images, { web: `${image}:1.1.0@${digest}` });
  });

  it('without imageScanCommit: a new tag is one commit within the interval and seconds', async () => {
    const image = `${user.registry.host}/plain`;
    await user.push('plain', '1.0.0');
    await startPlain('plain', image);
    const { digest } = await user.push('plain', '1.1.0');
    const begun = performance.now();
    await user.untilFile('plain', 'deployment.yaml', deploymentYaml(image, '1.1.0', digest));
    const seconds = (performance.now() - begun) / 1000;
    assert.ok(seconds < 5 + 10, `${seconds} s after the push, at an interval of 5 s`);
    const commit = 'Fleetscan <noreply@fleetscan.io>: Update from image update automation';
    assert.deepEqual(await user.commits('plain'), [commit, commit]);
  });

  it('an ImageScan keeps the name, labels, annotations and spec that fleet apply gave it, and gets the status of Fleet', async () => {
    const image = `${user.registry.host}/kept`;
    const { digest } = await user.push('kept', '1.0.0');
    const { metadata, spec } = await startPlain('kept', image);
    const path = { resource: FLEET_IMAGE_SCANS, namespace: DEFAULT, name: 'imagescan-kept-0' };
    const stored = storedScan.parse(await user.client.get(path));
    assert.deepEqual(stored.metadata.labels, metadata.labels);
    assert.deepEqual(stored.metadata.annotations, metadata.annotations);
    assert.equal(stored.metadata['ownerReferences'], undefined);
    assert.deepEqual(stored.spec, spec);

    const { conditions, lastScanTime, ...value } = await fleetStatus(user.client, 'ImageScan', metadata);
    assert.match(String(lastScanTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(value, {
      canonicalImageName: image,
      latestTag: '1.0.0',
      latestImage: `${image}:1.0.0`,
      latestDigest: digest,
      observedGeneration: 1,
    });
    const states = storedConditions.parse(conditions).map(({ type, status }) => `${type} ${status}`);
    assert.deepEqual(states, ['ImageScanned True', 'Ready True']);
    await waitFor('its definition in Git to make no second ImageScan', async () => {
      const { items } = storedList.parse(
        await user.client.list({ resource: IMAGE_SCANS, namespace: DEFAULT }),
      );
      return JSON.stringify(items).includes(image) ? undefined : true;
    });
  });

  /** The example in a repository of a name at short intervals, written back for the first time. @returns its ImageScan */
  async function startPlain(name: string, image: string) {
    await user.git.createRepository(name, {
      'fleet.yaml': fleetYaml(image),
      'deployment.yaml': deploymentYaml(image, '0.1.0', STALE_DIGEST),
    });
    const named: Named = { namespace: DEFAULT, name };
    const scan = await user.apply(named, {
      gitRepo: { imageScanInterval: '5s' },
      entry: { ...entryOf(fleetYaml(image)), interval: '5s' },
    });
    await user.untilFile(name, 'deployment.yaml', /:1\.0\.0@sha256/);
    await user.untilSynced(named);
    return scan;
  }

  describe("Fleet's own end-to-end tests", { concurrency: 3 }, () => {
    const nginxYaml = (value: string, form = ''): string => `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: nginx
        image: ${value} # {"$imagescan": "test-scan${form}"}
`;

    /** A GitRepo with an nginx and its ImageScan, at 5s and with both policies as there. @returns where the ImageScan is */
    async function startNginx(name: string, file: string, range: string): Promise<Named> {
      await user.git.createRepository(name, { 'nginx.yaml': file });
      const image = `${user.registry.host}/${name}`;
      const policy = { semver: { range }, alphabetical: { order: 'asc' } };
      const secretRef = { name: 'dockerhub-secret' };
      const { metadata } = await user.apply(
        { namespace: DEFAULT, name },
        {
          gitRepo: { imageScanInterval: '5s', imageScanCommit: IMAGE_SCAN_COMMIT },
          entry: { tagName: 'test-scan', image, policy, secretRef, interval: '5s' },
        },
      );
      return metadata;
    }

    it('first of Fleet: latest with :digest becomes the highest version with its digest, and the marker stays', async () => {
      const image = `${user.registry.host}/nginx-1`;
      for (const tag of ['latest', '1.26.2', '1.27.0', '1.28.0-alpine']) await user.push('nginx-1', tag);
      await startNginx('nginx-1', nginxYaml(`${image}:latest`, ':digest'), '*');
      const text = await user.untilFile('nginx-1', 'nginx.yaml', /@sha256:[0-9a-f]{64} /);
      const value = /image: (\S+)/.exec(text)?.[1] ?? '';
      assert.match(value, /^[^@]+\/nginx-1:1\.27\.0@sha256:[0-9a-f]{64}$/);
      assert.equal(text, nginxYaml(value, ':digest'));
    });

    it('second of Fleet: at >= 0.0.0-40 the tag 0.0.0-50 that is pushed later gets into Git', async () => {
      const image = `${user.registry.host}/nginx-2`;
      await user.push('nginx-2', '0.0.0-40');
      const scan = await startNginx('nginx-2', nginxYaml(`${image}:0.0.0-40`), '>= 0.0.0-40');
      await user.untilScanned(scan, 'True');
      await user.push('nginx-2', '0.0.0-50');
      await user.untilFile('nginx-2', 'nginx.yaml', nginxYaml(`${image}:0.0.0-50`));
    });

    it('third of Fleet: where * finds pre-releases alone nothing crashes, and the image stays', async () => {
      const image = `${user.registry.host}/nginx-3`;
      for (const tag of ['0.0.0-40', '0.1.0-rc.1']) await user.push('nginx-3', tag);
      const scan = await startNginx('nginx-3', nginxYaml(`${image}:0.0.0-40`), '*');
      const { status } = await user.untilScanned(scan, 'False Error');
      assert.match(JSON.stringify(status.conditions), /NoMatch: no available version matching \*/);
      await user.untilSynced({ namespace: DEFAULT, name: 'nginx-3' }, 'True SyncedInPart');
      await user.push('nginx-3', '0.0.0-50');
      assert.equal(await user.git.readFile('nginx-3', 'nginx.yaml'), nginxYaml(`${image}:0.0.0-40`));
      // It goes on, and by the first commit of all: what may be chosen is.
      await user.push('nginx-3', '0.1.0');
      await user.untilFile('nginx-3', 'nginx.yaml', nginxYaml(`${image}:0.1.0`));
      assert.equal((await user.commits('nginx-3')).length, 1);
    });
  });
});
