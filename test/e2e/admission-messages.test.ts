import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { waitFor } from '../wait.ts';
import {
  conditionOf,
  createScan,
  follow,
  type Followed,
  pod,
  type PodText,
  untilPodsGet,
} from './following.ts';
import { type Setup, setUp } from './setup.ts';
import { podNamed } from './stored.ts';
import { DEPLOYMENT } from './workloads.ts';

const REQUIRED = { 'fleetscan.io/required': 'true' };

/** What can be wrong with a marker, and what is said of it. */
const MISTAKES: readonly { what: string; marker: string; image?: string; says: string }[] = [
  {
    what: 'a scan that does not exist',
    marker: 'nope',
    says: 'UnknownScan: no scan nope in namespace shop, and none exported to it',
  },
  {
    what: 'a scan that has no value yet',
    marker: 'fresh',
    says: 'NoValue: scan shop/fresh has no result yet',
  },
  {
    what: 'a scan of another namespace that is not exported',
    marker: 'twins/app',
    says: 'NotExported: scan twins/app is not exported to namespace shop',
  },
  {
    what: 'an unknown form',
    marker: 'web:latest',
    says: 'UnknownForm: "latest" is no form of a marker; use :name, :tag, :digest, :sha or none',
  },
  {
    what: 'JSON that is none',
    marker: '{"$imagescan": web}',
    says: String.raw`InvalidMarker: marker "{\"$imagescan\": web}" is not JSON; write {"$imagescan": "NAME"}`,
  },
  {
    what: 'the tag of an image that does not parse',
    marker: 'web:tag',
    image: 'Not An Image',
    says: 'InvalidImage: "Not An Image" is no image reference, so :tag cannot change a part of it',
  },
];

describe('of a marker that cannot be resolved', () => {
  let setup: Setup;
  let shop: Followed;
  let twins: Followed;
  const auditLog = join(temporaryFolder('audit'), 'audit.log');

  before(async () => {
    setup = await setUp({ apiServerArgs: await auditArguments(auditLog) });
    shop = await follow(setup, 'shop');
    twins = await follow(setup, 'twins', { marker: 'app', spec: { tagName: 'app' } });
    await createScan(
      setup.client,
      { namespace: 'shop', name: 'fresh' },
      { image: shop.image, suspend: true },
    );
    const known = () => setup.webhook.metric('fleetscan_webhook_scans');
    await waitFor('the webhook to know all scans', async () => ((await known()) === 3 ? true : undefined));
  });

  after(() => setup?.stop());

  function apply(name: string, text: PodText, namespace = shop.namespace) {
    return setup.kubectl(pod(name, text), '-n', namespace, 'apply', '-f', '-');
  }

  async function assertNotStored(name: string): Promise<void> {
    const { code, stderr } = await setup.kubectl(undefined, '-n', shop.namespace, 'get', 'pod', name);
    assert.equal(code, 1);
    assert.match(stderr, /NotFound/);
  }

  for (const [index, { what, marker, image = 'registry.example/web:1', says }] of MISTAKES.entries()) {
    it(`which names ${what}, kubectl warns, and the pod starts with the image of its manifest`, async () => {
      const name = `warned-${index}`;
      const { code, stdout, stderr } = await apply(name, { image, marker });
      assert.deepEqual(
        { code, stdout, stderr },
        {
          code: 0,
          stdout: `pod/${name} created\n`,
          stderr: `Warning: fleetscan: web: ${says} (stays ${image})\n`,
        },
      );
      const { images, annotations } = await podNamed(setup.client, shop.namespace, name);
      assert.deepEqual(images, { web: image });
      assert.equal(annotations['fleetscan.io/resolved'], undefined);
    });

    it(`which names ${what}, the refusal of a pod that requires it tells`, async () => {
      const name = `refused-${index}`;
      const { code, stdout, stderr } = await apply(name, { image, marker, annotations: REQUIRED });
      assert.deepEqual(
        { code, stdout, stderr },
        {
          code: 1,
          stdout: '',
          stderr: `Error from server (Forbidden): error when creating "STDIN": admission webhook "pods.fleetscan.io" denied the request: fleetscan.io/required is "true" and web: ${says}\n`,
        },
      );
      await assertNotStored(name);
    });
  }

  it('because there is no such container, kubectl warns, and the others get their images all the same', async () => {
    const { image } = shop;
    const annotations = { ...REQUIRED, 'imagescan.fleetscan.io/sidecar': 'web' };
    const { code, stderr } = await apply('typo', { image: `${image}:0`, marker: 'web', annotations });
    const message = 'sidecar: UnknownContainer: the pod has no container or image volume sidecar (yet)';
    assert.deepEqual({ code, stderr }, { code: 0, stderr: `Warning: fleetscan: ${message}\n` });
    assert.deepEqual((await podNamed(setup.client, shop.namespace, 'typo')).images, {
      web: `${image}:1.1.0`,
    });
  });

  it('a Deployment whose pods require it tells in its conditions', async () => {
    const { client } = setup;
    const { namespace } = shop;
    const text = { image: `${shop.image}:1`, marker: 'nope', annotations: REQUIRED };
    const path = { resource: DEPLOYMENT.resource, namespace };
    await client.create(path, DEPLOYMENT.manifest('refused', text));
    const message = await waitFor('the condition ReplicaFailure', async () => {
      const { status } = withConditions.parse(await client.get({ ...path, name: 'refused' }));
      return status.conditions.find(({ type }) => type === 'ReplicaFailure')?.message;
    });
    assert.match(
      message,
      /denied the request: fleetscan\.io\/required is "true" and web: UnknownScan: no scan nope/,
    );
  });

  it('because two scans share a tagName, kubectl warns and both scans tell, until one of them is gone', async () => {
    const { client } = setup;
    const { namespace, image } = twins;
    await createScan(client, { namespace, name: 'web-2' }, { image, tagName: 'app' });
    for (const name of ['web', 'web-2']) await untilReady(namespace, name, 'False DuplicateTagName');
    await untilPodsGet(client, namespace, { marker: 'app', image: `${image}:manifest` });
    const { code, stderr } = await apply('torn', { image: `${image}:0`, marker: 'app' }, namespace);
    const message = 'AmbiguousScan: 2 scans have the tagName app: twins/web, twins/web-2';
    const warning = `Warning: fleetscan: web: ${message} (stays ${image}:0)\n`;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: warning });
    assert.deepEqual((await podNamed(client, namespace, 'torn')).images, { web: `${image}:0` });

    await client.delete({ resource: IMAGE_SCANS, namespace, name: 'web-2' });
    await untilReady(namespace, 'web', 'True InForce');
    await untilPodsGet(client, namespace, { marker: 'app', image: `${image}:1.1.0` });
  });

  async function untilReady(namespace: string, name: string, expected: string): Promise<void> {
    await waitFor(`${namespace}/${name} to be Ready=${expected}`, async () => {
      const found = await conditionOf(setup.client, { namespace, name }, 'Ready');
      return found === expected ? true : undefined;
    });
  }

  it("the API server's audit log tells, as it does of what is resolved", async () => {
    const image = `${shop.image}:0`;
    await apply('audited', { image, marker: 'web' });
    await apply('audited-warned', { image, marker: 'nope' });
    await apply('audited-refused', { image, marker: 'nope', annotations: REQUIRED });
    const unknown = 'web: UnknownScan: no scan nope in namespace shop, and none exported to it';
    const expected = {
      audited: `web: ${image} -> ${shop.image}:1.1.0 by shop/web`,
      'audited-warned': unknown,
      'audited-refused': unknown,
    };
    for (const [name, text] of Object.entries(expected)) {
      const annotations = await waitFor(`the audit event of ${name}`, () => auditAnnotations(auditLog, name));
      assert.equal(annotations['pods.fleetscan.io/images'], text);
    }
  });
});

const withConditions = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), message: z.string() })).default([]) }),
});

/** The API server's arguments for a log of all creations of pods. */
async function auditArguments(log: string): Promise<string[]> {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'Metadata', verbs: ['create'], resources: [{ group: '', resources: ['pods'] }] },
      { level: 'None' },
    ],
  };
  const path = `${log}.policy`;
  await writeFile(path, JSON.stringify(policy));
  return [`--audit-policy-file=${path}`, `--audit-log-path=${log}`];
}

const auditEvent = z.object({
  objectRef: z.object({ name: z.string().optional() }),
  annotations: z.record(z.string(), z.string()).default({}),
});

/** The annotations of the audit event about a pod, once it is in the log. */
async function auditAnnotations(log: string, pod: string): Promise<Record<string, string> | undefined> {
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
  const events = lines.map((line) => auditEvent.parse(JSON.parse(line)));
  return events.find(({ objectRef }) => objectRef.name === pod)?.annotations;
}
