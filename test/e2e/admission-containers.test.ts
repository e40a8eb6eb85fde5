import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IMAGE_SCANS, PODS } from '../../kube/resource.ts';
import { createNamespace } from './admission.ts';
import { createScan, follow, type Followed, pod, release, untilPodsGet } from './following.ts';
import { type Setup, setUp } from './setup.ts';
import { podNamed, recordOf } from './stored.ts';

const OLD_DIGEST = `sha256:${'0'.repeat(64)}`;
const OTHER_DIGEST = `sha256:${'1'.repeat(64)}`;

describe('marked images of a pod', () => {
  let setup: Setup;
  let shop: Followed;

  before(async () => {
    setup = await setUp();
    shop = await follow(setup, 'shop');
  });

  after(() => setup?.stop());

  const digestOf = ({ digests }: Followed, tag: string) => digests.get(tag) ?? 'no such tag';

  /** Creates a pod with these images and markers, by container. @returns the images that are stored */
  async function imagesOfNewPod(
    name: string,
    containers: Readonly<Record<string, readonly [image: string, marker: string]>>,
    namespace = shop.namespace,
  ): Promise<Readonly<Record<string, string>>> {
    const entries = Object.entries(containers);
    const annotations = entries.map(([name, [, marker]]) => [`imagescan.fleetscan.io/${name}`, marker]);
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations: Object.fromEntries(annotations) },
      spec: { containers: entries.map(([name, [image]]) => ({ name, image })) },
    };
    await setup.client.create({ resource: PODS, namespace }, object);
    return (await podNamed(setup.client, namespace, name)).images;
  }

  it('are those of containers, init containers, sidecars and image volumes', async () => {
    const { client } = setup;
    const { namespace, image } = shop;
    const [from, to] = [`${image}:manifest`, `${image}:1.1.0`];
    const marked = ['web', 'prepare', 'proxy', 'assets'];
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'all',
        annotations: Object.fromEntries(marked.map((name) => [`imagescan.fleetscan.io/${name}`, 'web'])),
      },
      spec: {
        containers: [
          { name: 'plain', image: from },
          { name: 'web', image: from },
        ],
        initContainers: [
          { name: 'prepare', image: from },
          { name: 'proxy', image: from, restartPolicy: 'Always' },
        ],
        volumes: [
          { name: 'cache', emptyDir: {} },
          { name: 'assets', image: { reference: from } },
        ],
      },
    };
    await client.create({ resource: PODS, namespace }, object);
    const stored = await podNamed(client, namespace, 'all');
    assert.deepEqual(stored.images, { plain: from, web: to, prepare: to, proxy: to, assets: to });
    assert.deepEqual(Object.keys(recordOf(stored)).toSorted(), marked.toSorted());
  });

  for (const [notation, marker] of [
    ['short', (text: string) => text],
    ['JSON', (text: string) => JSON.stringify({ $imagescan: text })],
  ] as const) {
    it(`get what the form asks for, in the ${notation} notation`, async () => {
      const { image } = shop;
      const digest = digestOf(shop, '1.1.0');
      const images = await imagesOfNewPod(`forms-${notation.toLowerCase()}`, {
        image: [`mirror.example/web:0.1@${OLD_DIGEST}`, marker('web')],
        name: [`mirror.example/web:0.1@${OLD_DIGEST}`, marker('web:name')],
        tag: [`mirror.example/web:0.1@${OLD_DIGEST}`, marker('web:tag')],
        digest: [`mirror.example/web:0.1@${OLD_DIGEST}`, marker('web:digest')],
        sha: [`mirror.example/web:0.1@${OLD_DIGEST}`, marker('web:sha')],
      });
      assert.deepEqual(images, {
        image: `${image}:1.1.0`,
        name: `${image}:0.1@${OLD_DIGEST}`,
        tag: 'mirror.example/web:1.1.0',
        digest: `${image}:1.1.0@${digest}`,
        sha: `mirror.example/web@${digest}`,
      });
    });
  }

  it("keep the user's spelling of the image", async () => {
    const { client } = setup;
    await createNamespace(client, 'spelling');
    const path = { resource: IMAGE_SCANS, namespace: 'spelling', name: 'proxy' };
    // Docker Hub's names have several spellings, and it cannot be asked here: so the status is the test's.
    await createScan(client, path, { image: 'docker.io/library/nginx', suspend: true });
    const status = {
      canonicalImageName: 'index.docker.io/library/nginx',
      latestTag: '1.29',
      latestImage: 'index.docker.io/library/nginx:1.29',
      latestDigest: OTHER_DIGEST,
    };
    await client.patch({ ...path, subresource: 'status' }, { status }, 'merge');
    await untilPodsGet(client, 'spelling', { marker: 'proxy', image: 'nginx:1.29' });

    const containers = {
      short: ['nginx', 'proxy'],
      half: ['library/nginx:1', 'proxy:digest'],
      long: ['docker.io/library/nginx:1', 'proxy'],
      canonical: ['index.docker.io/library/nginx:1', 'proxy:name'],
      other: ['registry.example/nginx:1', 'proxy'],
    } as const;
    assert.deepEqual(await imagesOfNewPod('spelled', containers, 'spelling'), {
      short: 'nginx:1.29',
      half: `library/nginx:1.29@${OTHER_DIGEST}`,
      long: 'docker.io/library/nginx:1.29',
      canonical: 'index.docker.io/library/nginx:1',
      other: 'docker.io/library/nginx:1.29',
    });
  });

  it('follow a scan of another namespace where that is exported, and there only', async () => {
    const { client } = setup;
    const base = await follow(setup, 'base', {
      spec: { tagName: 'base', exportTo: ['team-*'] },
      marker: 'base',
    });
    const { image } = base;
    const containers = {
      named: [`${image}:manifest`, 'base/base'],
      found: [`${image}:manifest`, 'base:tag'],
      hidden: [`${image}:manifest`, 'shop/web'],
    } as const;
    for (const namespace of ['team-a', 'outside']) await createNamespace(client, namespace);

    assert.deepEqual(await imagesOfNewPod('pod', containers, 'team-a'), {
      named: `${image}:1.1.0`,
      found: `${image}:1.1.0`,
      hidden: `${image}:manifest`,
    });
    assert.deepEqual(await imagesOfNewPod('pod', containers, 'outside'), {
      named: `${image}:manifest`,
      found: `${image}:manifest`,
      hidden: `${image}:manifest`,
    });
  });

  it('are those of ephemeral containers too; one that is there already is left alone', async () => {
    const { client, kubectl } = setup;
    const debugged = await follow(setup, 'debugged');
    const { namespace, image } = debugged;
    const markers = { 'imagescan.fleetscan.io/first': 'web', 'imagescan.fleetscan.io/second': 'web:digest' };
    const text = { image: `${image}:manifest`, marker: 'web', annotations: markers };
    await client.create({ resource: PODS, namespace }, pod('app', text));
    const before = await podNamed(client, namespace, 'app');
    const debug = async (container: string): Promise<void> => {
      const args = ['debug', 'pod/app', '-n', namespace, `--image=${image}:debug`, '-c', container];
      const { code, stderr } = await kubectl(undefined, ...args);
      assert.equal(code, 0, stderr);
    };

    await debug('first');
    const web = `${image}:1.1.0`;
    assert.deepEqual((await podNamed(client, namespace, 'app')).images, { web, first: `${image}:1.1.0` });

    const digest = await release(setup, debugged, '1.2.0');
    await debug('second');
    await debug('plain');
    const after = await podNamed(client, namespace, 'app');
    assert.deepEqual(after.images, {
      web,
      first: `${image}:1.1.0`,
      second: `${image}:1.2.0@${digest}`,
      plain: `${image}:debug`,
    });
    assert.deepEqual(after.annotations, before.annotations);
  });
});
