import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { type ClientOptions, connect, type KubeClient } from '../../kube/client.ts';
import { EventRecorder } from '../../kube/events.ts';
import { crdFiles } from '../../kube/kinds/crd.ts';
import { parseImageScan } from '../../kube/kinds/image-scan.ts';
import { API_VERSION } from '../../kube/kinds/common.ts';
import { GIT_REPOS, IMAGE_SCANS, LEASES, NAMESPACES, PODS, SECRETS } from '../../kube/resource.ts';
import { createStore, type Named } from '../../kube/store.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { waitFor } from '../wait.ts';

let cluster: Cluster;
let client: KubeClient;

before(async () => {
  cluster = await startCluster();
  client = await connect({ kubeconfig: cluster.kubeconfig });
});
after(async () => {
  await client?.close();
  await cluster?.stop();
});

const crdList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) }),
    }),
  ),
});
const eventList = z.object({
  items: z.array(
    z.object({
      reason: z.string(),
      message: z.string(),
      reportingComponent: z.string(),
      series: z.object({ count: z.int() }).optional(),
    }),
  ),
});
const labelled = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }),
});
const leaseObject = z.object({
  spec: z.object({ holderIdentity: z.string(), renewTime: z.string(), leaseTransitions: z.int() }),
});
type LeaseSpec = z.infer<typeof leaseObject>['spec'];

const SCANS = { resource: IMAGE_SCANS, namespace: 'default' };
const scan = (name: string, spec: object): object => ({
  apiVersion: API_VERSION,
  kind: 'ImageScan',
  metadata: { name, namespace: 'default' },
  spec,
});
const repo = (name: string, spec: object): object => ({
  apiVersion: API_VERSION,
  kind: 'GitRepo',
  metadata: { name, namespace: 'default' },
  spec,
});

async function apply(object: object): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await cluster.kubectlWith(
    { stdin: JSON.stringify(object) },
    'apply',
    '-f',
    '-',
  );
  return { code, said: stdout + stderr };
}

describe('the CRDs', () => {
  before(async () => {
    for (const { manifest } of crdFiles()) {
      const { code, stderr } = await cluster.kubectlWith(
        { stdin: manifest },
        'apply',
        '--server-side',
        '-f',
        '-',
      );
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /warning/i);
    }
    await waitFor('the kinds', async () => {
      await client.list({ resource: IMAGE_SCANS });
      await client.list({ resource: GIT_REPOS });
      return true;
    });
  });

  it('are structural and their rules are taken without a complaint', async () => {
    const { stdout } = await cluster.kubectl('get', 'crds', '-o', 'json');
    for (const { metadata, status } of crdList.parse(JSON.parse(stdout)).items) {
      const states = status.conditions.map(({ type, status }) => `${type}=${status}`).toSorted();
      assert.deepEqual(states, ['Established=True', 'NamesAccepted=True'], metadata.name);
    }
  });

  it('take what Fleet writes, nulls and all, under our apiVersion', async () => {
    const policy = { semver: { range: '>=1.0.0' }, alphabetical: { order: null } };
    const nulls = { tagName: null, gitrepoName: null, secretRef: null, suspend: null };
    assert.equal((await apply(scan('fleet', { image: 'nginx', interval: '0s', policy, ...nulls }))).code, 0);
    assert.equal(
      (await apply(scan('fleet-nulls', { image: 'nginx', interval: null, policy: null }))).code,
      0,
    );
    const deploying = {
      targets: [{ name: 'x', clusterSelector: {} }],
      paused: true,
      pollingInterval: '15s',
      revision: null,
      correctDrift: { enabled: true },
    };
    const { code, said } = await apply(
      repo('fleet', { repo: 'https://x/y', branch: null, paths: null, ...deploying }),
    );
    assert.equal(code, 0, said);
  });

  it('set the interval when it is absent', async () => {
    await apply(scan('plain', { image: 'nginx' }));
    assert.equal(parseImageScan(await client.get({ ...SCANS, name: 'plain' })).spec.interval, '15m');
  });

  const refused: [what: string, spec: object, message: RegExp][] = [
    [
      'an interval of days',
      { image: 'nginx', interval: '1d' },
      /spec\.interval: Invalid value: "1d": must be a Go duration such as 30s, 15m or 1h30m/,
    ],
    [
      'an interval that is no duration',
      { image: 'nginx', interval: '5 minutes' },
      /spec\.interval: .*must be a Go duration/,
    ],
    [
      'an image with a scheme',
      { image: 'https://ghcr.io/a/b' },
      /spec\.image: .*is an image, not a URL: leave out the scheme/,
    ],
    ['an image with a space', { image: 'nginx 1.2' }, /spec\.image: .*has no spaces/],
    ['no image', {}, /spec\.image: Required value/],
    ['an empty image', { image: '' }, /spec\.image.*at least 1 chars long/],
    [
      'two policies',
      { image: 'nginx', policy: { semver: { range: '*' }, newest: {} } },
      /spec\.policy: .*name one policy only/,
    ],
    ['a Secret without a name', { image: 'nginx', secretRef: {} }, /spec\.secretRef\.name: Required value/],
    ['a field with a typing error', { image: 'nginx', intervall: '5m' }, /unknown field "spec\.intervall"/],
    [
      'an unknown word',
      { image: 'nginx', approval: 'Never' },
      /spec\.approval: Unsupported value: "Never": supported values: "Automatic", "Manual", "PullRequest"/,
    ],
  ];
  for (const [what, spec, message] of refused) {
    it(`refuse ${what} with a message to act on`, async () => {
      const { code, said } = await apply(scan('refused', spec));
      assert.equal(code, 1);
      assert.match(said, message);
    });
  }

  it('refuse a GitRepo without a URL, and one with a typing error', async () => {
    assert.match((await apply(repo('refused', {}))).said, /spec\.repo: Required value/);
    assert.match(
      (await apply(repo('refused', { repo: 'https://x/y', brunch: 'z' }))).said,
      /unknown field "spec\.brunch"/,
    );
  });

  it('show what matters in kubectl get', async () => {
    await apply(scan('shown', { image: 'ghcr.io/acme/app' }));
    const conditions = [
      { type: 'Ready', status: 'True', reason: 'InForce' },
      { type: 'ImageScanned', status: 'False', reason: 'Unauthorized', message: 'log in' },
    ];
    const status = {
      latestTag: '1.2.3',
      latestDigest: 'sha256:abc',
      lastScanTime: new Date().toISOString(),
      conditions,
    };
    await client.patch({ ...SCANS, name: 'shown', subresource: 'status' }, { status }, 'merge');
    const { stdout } = await cluster.kubectl('get', 'imgscan', 'shown');
    assert.match(
      stdout,
      /^NAME +IMAGE +LATEST +READY +SCAN +LAST SCAN +AGE\nshown +ghcr\.io\/acme\/app +1\.2\.3 +True +Unauthorized +\d+s +\d+s\n$/,
    );
    const wide = (await cluster.kubectl('get', 'fleetscan', '-o', 'wide')).stdout;
    assert.match(wide, /imagescan\.fleetscan\.io\/shown .*sha256:abc +15m +log in/);
    assert.match(wide, /gitrepo\.fleetscan\.io\/fleet/);
  });
});

describe('KubeClient', () => {
  it('writes by every kind of patch, and changes a stale object never', async () => {
    const path = { resource: NAMESPACES, name: 'default' };
    const labels = async () => labelled.parse(await client.get(path)).metadata.labels;
    await client.patch(path, { metadata: { labels: { merge: 'a' } } }, 'merge');
    await client.patch(path, { metadata: { labels: { strategic: 'a' } } }, 'strategic');
    await client.patch(path, [{ op: 'add', path: '/metadata/labels/json', value: 'a' }], 'json');
    const applied = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'default', labels: { apply: 'a' } },
    };
    await client.patch(path, applied, 'apply', { fieldManager: 'test', force: true });
    const now = await labels();
    assert.deepEqual([now['merge'], now['strategic'], now['json'], now['apply']], ['a', 'a', 'a', 'a']);
    const stale = { metadata: { resourceVersion: '1', labels: { merge: 'b' } } };
    await assert.rejects(client.patch(path, stale, 'merge'), {
      code: 'Conflict',
      message: /the object has been modified/,
    });
  });

  const mistakes: [what: string, options: ClientOptions, expected: object][] = [
    ['a wrong token', { token: 'wrong' }, { code: 'Unauthorized', status: 401 }],
    [
      'a user without rights',
      { impersonate: { user: 'ann', groups: ['dev'] } },
      { code: 'Forbidden', message: /User "ann" cannot list resource "secrets"/ },
    ],
    [
      'an unknown authority',
      { certificateAuthority: '/etc/hostname' },
      { code: 'Unreachable', message: /cannot reach the API server at/ },
    ],
    [
      "a name that is not the server's",
      { tlsServerName: 'wrong.example' },
      { code: 'Unreachable', message: /wrong\.example/ },
    ],
  ];
  for (const [what, options, expected] of mistakes) {
    it(`says what is wrong with ${what}`, async () => {
      const mistaken = await connect({ kubeconfig: cluster.kubeconfig, ...options });
      await assert.rejects(mistaken.list({ resource: SECRETS }), expected);
      await mistaken.close();
    });
  }

  it('works with the token of a service account', async () => {
    const account = await connect({
      kubeconfig: await cluster.serviceAccountKubeconfig('default', 'default'),
    });
    await assert.rejects(account.list({ resource: PODS }), {
      code: 'Forbidden',
      message: /system:serviceaccount:default:default/,
    });
    assert.equal((await account.raw('GET', '/version')).status, 200);
    assert.equal(account.namespace, 'default');
    await account.close();
  });

  it('says which field is wrong', async () => {
    await assert.rejects(client.create({ resource: NAMESPACES }, { metadata: { name: 'NOT_OK' } }), {
      code: 'Invalid',
      message: /metadata\.name/,
    });
    await assert.rejects(client.create({ resource: NAMESPACES }, { metadata: { name: 'default' } }), {
      code: 'AlreadyExists',
    });
  });
});

describe('a store', () => {
  it('follows a collection through pages, changes and restarts of the API server', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    await Promise.all(
      names.map((name) =>
        client.create({ resource: NAMESPACES }, { metadata: { name, labels: { store: 'yes' } } }),
      ),
    );
    const errors: string[] = [];
    const project = (object: unknown): Named & { version: string } => {
      const { name, labels } = labelled.parse(object).metadata;
      return { namespace: '', name, version: labels['version'] ?? '' };
    };
    const store = createStore(
      client,
      { resource: NAMESPACES },
      { project, labelSelector: 'store=yes', pageSize: 5, onError: ({ code }) => errors.push(code) },
    );
    const stop = new AbortController();
    const running = store.run(stop.signal);
    await store.synced;
    assert.equal(store.size, 12);

    await cluster.restartApiServer();
    await client.patch(
      { resource: NAMESPACES, name: 'n3' },
      { metadata: { labels: { version: 'two' } } },
      'merge',
    );
    await waitFor('the change after the restart', () =>
      store.get('/n3')?.version === 'two' ? true : undefined,
    );

    await cluster.stopApiServer('SIGKILL');
    await cluster.startApiServer();
    await client.patch(
      { resource: NAMESPACES, name: 'n4' },
      { metadata: { labels: { store: 'no' } } },
      'merge',
    );
    await waitFor('the loss after the kill', () => (store.get('/n4') === undefined ? true : undefined));
    assert.equal(store.size, 11);
    stop.abort();
    await running;
  });
});

describe('lead', () => {
  const children: ChildProcess[] = [];
  after(() => children.forEach((child) => child.kill('SIGKILL')));

  function contend(identity: string): ChildProcess {
    const program = path.join(import.meta.dirname, 'contender.ts');
    const child = spawn(process.execPath, [program, cluster.kubeconfig, identity], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }
  const lease = async (): Promise<LeaseSpec> =>
    leaseObject.parse(await client.get({ resource: LEASES, namespace: 'default', name: 'contended' })).spec;
  const heldBy = (identity: string): Promise<LeaseSpec> =>
    waitFor(`the Lease of ${identity}`, async () => {
      const spec = await lease();
      return spec.holderIdentity === identity ? spec : undefined;
    });

  it('passes from a killed process to the next after its time, and from an ended one at once', async () => {
    const one = contend('one');
    const { renewTime } = await heldBy('one');
    assert.match(renewTime, /\.\d{6}Z$/);
    const two = contend('two');
    const said = text(two.stdout as NodeJS.ReadableStream);
    await waitFor('renewals beside a contender', async () =>
      (await lease()).renewTime > renewTime ? true : undefined,
    );
    assert.equal((await lease()).holderIdentity, 'one');
    one.kill('SIGKILL');
    assert.equal((await heldBy('two')).leaseTransitions, 1);
    two.kill('SIGTERM');
    const [code] = await once(two, 'exit');
    assert.equal(code, 0);
    assert.equal(await said, 'two leads\ntwo stops\n');
    assert.equal((await lease()).holderIdentity, '');
  });
});

describe('EventRecorder', () => {
  it('is read by kubectl get events and kubectl describe, with repeats counted', async () => {
    const { metadata } = parseImageScan(await client.create(SCANS, scan('told', { image: 'nginx' })));
    const about = {
      apiVersion: API_VERSION,
      kind: 'ImageScan',
      namespace: 'default',
      name: metadata.name,
      uid: metadata.uid,
    };
    const errors: unknown[] = [];
    const recorder = new EventRecorder(client, {
      component: 'fleetscan.io/reconciler',
      instance: 'pod-1',
      onError: (error) => errors.push(error),
    });
    const message = `log in: ${'é'.repeat(1000)}`;
    const event = { type: 'Warning', reason: 'Unauthorized', action: 'Scan', message } as const;
    recorder.record(about, event);
    await recorder.flush();
    recorder.record(about, event);
    recorder.record(about, event);
    await recorder.flush();
    assert.deepEqual(errors, []);
    const { items } = eventList.parse(
      JSON.parse((await cluster.kubectl('get', 'events', '-o', 'json')).stdout),
    );
    const found = items.find(({ reason }) => reason === 'Unauthorized');
    assert.ok(found);
    assert.equal(found.series?.count, 3);
    assert.equal(found.reportingComponent, 'fleetscan.io/reconciler');
    assert.ok(found.message.startsWith('log in: éé') && found.message.endsWith('é…'));
    const listed = (await cluster.kubectl('get', 'events')).stdout;
    assert.match(listed, /Warning +Unauthorized +imagescan\/told +log in/);
    const described = (await cluster.kubectl('describe', 'imagescan', 'told')).stdout;
    assert.match(described, /Warning +Unauthorized +.*fleetscan\.io\/reconciler +log in/);
  });
});
