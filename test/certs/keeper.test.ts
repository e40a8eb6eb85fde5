import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { issuerOf, readAuthorities, readPair } from '../../certs/bundle.ts';
import { type KeeperEvent, type KeeperOptions, keepCertificates } from '../../certs/keeper.ts';
import { readSecret, readWebhooks, type SecretObject, type WebhookObject } from '../../certs/objects.ts';
import { type ServingCertificate, servingCertificates } from '../../certs/serving.ts';
import { connect, type KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { MUTATING_WEBHOOKS, SECRETS } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { waitFor } from '../wait.ts';

const NAMESPACE = 'certs';
const DAY_MS = 86_400_000;
const QUICK = { caValidMs: 365 * DAY_MS, leafValidMs: 90 * DAY_MS, publishDelayMs: 500 };
const wanted = { dnsNames: ['hook.certs.svc'], ipAddresses: [] };

interface Keeper {
  events: KeeperEvent[];
  settled(): Promise<void>;
  stop(): Promise<void>;
}

describe('keepCertificates on a real API server', { timeout: 120_000 }, () => {
  let cluster: Cluster;
  let client: KubeClient;
  let count = 0;
  let name: string;
  const keepers: Keeper[] = [];

  before(async () => {
    cluster = await startCluster();
    client = await connect({ kubeconfig: cluster.kubeconfig });
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  });
  after(async () => {
    await client?.close();
    await cluster?.stop();
  });
  afterEach(async () => {
    await Promise.all(keepers.splice(0).map((keeper) => keeper.stop()));
  });

  async function install(webhooks: string[]): Promise<void> {
    count += 1;
    name = `hook-${count}`;
    if (webhooks.length > 0) await cluster.apply(configuration(name, webhooks));
  }

  function start(more: Partial<KeeperOptions> = {}): Keeper {
    const end = new AbortController();
    const events: KeeperEvent[] = [];
    const report = (event: KeeperEvent) => events.push(event);
    const names = { namespace: NAMESPACE, secretName: name, webhookConfiguration: name };
    const done = keepCertificates({ client, ...names, wanted, policy: QUICK, report, ...more }, end.signal);
    const keeper = {
      events,
      settled: () =>
        waitFor('the keeper to settle', () => (isSettled(events) ? null : undefined)).then(() => undefined),
      stop: () => (end.abort(), done),
    };
    keepers.push(keeper);
    return keeper;
  }

  async function secret(): Promise<SecretObject> {
    return readSecret(await client.get({ resource: SECRETS, namespace: NAMESPACE, name }));
  }

  async function webhooks(): Promise<WebhookObject> {
    return readWebhooks(await client.get({ resource: MUTATING_WEBHOOKS, name }));
  }

  /** Whether all is as it should be at the moment; throws what is not. */
  async function assertHealthy(at = new Date()): Promise<void> {
    const [{ content }, { webhooks: all }] = await Promise.all([secret(), webhooks()]);
    const leaf = readPair(content, at);
    assert.ok(all.length > 0);
    for (const { bundle } of all)
      assert.ok(issuerOf(leaf, readAuthorities(bundle, at)), 'the leaf is trusted');
  }

  const isHealthy = (at?: Date) => assertHealthy(at).then(() => true);

  it('makes the Secret, publishes the bundle in every webhook, and changes nothing else', async () => {
    await install(['a.fleetscan.io', 'b.fleetscan.io']);
    const before = await client.get({ resource: MUTATING_WEBHOOKS, name });
    const keeper = start();
    await keeper.settled();
    await assertHealthy();
    assert.deepEqual(performed(keeper), ['issue-all', 'publish-bundle']);

    const after = await client.get({ resource: MUTATING_WEBHOOKS, name });
    assert.deepEqual(withoutBundle(after), withoutBundle(before));
    const made = await client.get({ resource: SECRETS, namespace: NAMESPACE, name });
    assert.partialDeepStrictEqual(made, { type: 'kubernetes.io/tls' });
  });

  it('agrees on one Secret when two keepers begin at once', async () => {
    await install(['a.fleetscan.io']);
    const both = [start(), start()];
    await Promise.all(both.map((keeper) => keeper.settled()));
    await assertHealthy();
    assert.deepEqual(both.flatMap(performed).toSorted(), ['issue-all', 'publish-bundle']);
    const { content } = await secret();
    assert.equal(readAuthorities(content.authorities, new Date()).length, 1);
  });

  it('heals a removed bundle and a deleted Secret as soon as that happens', async () => {
    await install(['a.fleetscan.io']);
    const keeper = start();
    await keeper.settled();
    const { content } = await secret();
    await cluster.apply(configuration(name, ['a.fleetscan.io'], content.certificate));
    await waitFor('the bundle', isHealthy);

    await client.delete({ resource: SECRETS, namespace: NAMESPACE, name });
    // The keeper tells of a step only after the API server has it.
    await waitFor('a new certificate', () =>
      performed(keeper).at(-1) === 'issue-leaf' ? isHealthy() : undefined,
    );
    assert.deepEqual(performed(keeper).slice(-3), ['add-authority', 'publish-bundle', 'issue-leaf']);
    assert.equal(
      (await webhooks()).webhooks[0]?.bundle.includes(content.authorities),
      true,
      'the old authority stays trusted',
    );
  });

  it('goes on where a keeper before it was cut off, step by step', async () => {
    await install(['a.fleetscan.io']);
    await start().settled();
    const old = await secret();
    const later = () => new Date(Date.now() + 300 * DAY_MS);
    const steps: string[] = [];
    while (!steps.includes('issue-leaf')) {
      let writes = 0;
      // Before its second write: one that was sent may be stored though nobody hears of it any more.
      const cutOff = interposed(client, async () => {
        if (writes++ > 0) throw new ApiError('Unreachable', 'cut off');
      });
      const keeper = start({ now: later, client: cutOff });
      await waitFor('one step', () => (performed(keeper).length > 0 ? true : undefined));
      await keeper.stop();
      steps.push(...performed(keeper));
    }
    assert.deepEqual(steps, ['add-authority', 'publish-bundle', 'issue-leaf']);
    await assertHealthy(later());
    assert.notEqual((await secret()).content.certificate, old.content.certificate);
  });

  it('makes the Secret while there is no webhook configuration, and publishes when it comes', async () => {
    await install([]);
    const keeper = start();
    await keeper.settled();
    assert.partialDeepStrictEqual(keeper.events.at(-1), { kind: 'settled', isPublished: false });
    await cluster.apply(configuration(name, ['a.fleetscan.io']));
    await waitFor('the bundle', isHealthy);
  });

  it('never brings back a webhook that is removed between its read and its write', async () => {
    await install(['a.fleetscan.io', 'b.fleetscan.io']);
    let isRemoved = false;
    const racing = interposed(client, async (path) => {
      if (path.resource !== MUTATING_WEBHOOKS || isRemoved) return;
      isRemoved = true;
      await cluster.apply(configuration(name, ['b.fleetscan.io']));
    });
    const keeper = start({ client: racing });
    await keeper.settled();
    await assertHealthy();
    assert.deepEqual(
      (await webhooks()).webhooks.map((webhook) => webhook.name),
      ['b.fleetscan.io'],
    );
    assert.ok(keeper.events.some((event) => event.kind === 'overtaken'));
  });

  it('outlives an API server that stops, and says so', async () => {
    await install(['a.fleetscan.io']);
    const keeper = start();
    await keeper.settled();
    await cluster.stopApiServer('SIGKILL');
    await waitFor('a report', () => keeper.events.find(({ kind }) => kind === 'failed'));
    await cluster.startApiServer();
    await client.delete({ resource: SECRETS, namespace: NAMESPACE, name });
    await waitFor('a new certificate', isHealthy);
  });

  it('needs no more rights than to these two objects, and hands each new certificate to the webhook', async () => {
    await install(['a.fleetscan.io']);
    await cluster.apply(...leastRights(name));
    const limited = await connect({ kubeconfig: await cluster.serviceAccountKubeconfig(NAMESPACE, name) });
    const end = new AbortController();
    const given: ServingCertificate[] = [];
    const serving = collect(
      servingCertificates(limited, {
        namespace: NAMESPACE,
        secretName: name,
        signal: end.signal,
        onError: () => undefined,
      }),
      given,
    );
    const keeper = start({ client: limited });
    await keeper.settled();
    await waitFor('the certificate', () => given.at(0));
    await client.delete({ resource: SECRETS, namespace: NAMESPACE, name });
    await waitFor('the next certificate', () => given.at(1));
    assert.deepEqual(
      keeper.events.filter(({ kind }) => kind === 'failed'),
      [],
    );
    end.abort();
    await serving;
    await keeper.stop();
    await limited.close();
  });
});

function isSettled(events: KeeperEvent[]): boolean {
  return events.some(({ kind }) => kind === 'settled');
}

function performed({ events }: Keeper): string[] {
  return events.flatMap((event) => (event.kind === 'performed' ? [event.step] : []));
}

/** A client that lets something happen before each of its patches. */
function interposed(
  client: KubeClient,
  meanwhile: (path: Parameters<KubeClient['patch']>[0]) => Promise<void>,
): KubeClient {
  return new Proxy(client, {
    get(target, property) {
      if (property !== 'patch') {
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (...call: Parameters<KubeClient['patch']>) => {
        await meanwhile(call[0]);
        return target.patch(...call);
      };
    },
  });
}

async function collect<T>(from: AsyncIterable<T>, into: T[]): Promise<void> {
  for await (const item of from) into.push(item);
}

function configuration(name: string, webhooks: string[], bundle?: string): object {
  const caBundle = bundle === undefined ? {} : { caBundle: btoa(bundle) };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: webhooks.map((webhook) => ({
      name: webhook,
      clientConfig: { url: 'https://127.0.0.1:1/mutate', ...caBundle },
      failurePolicy: 'Ignore',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      namespaceSelector: { matchLabels: { none: 'matches' } },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    })),
  };
}

/** All that a keeper and a webhook may do: no more is in the chart. */
function leastRights(name: string): object[] {
  const inNamespace = { name, namespace: NAMESPACE };
  const subjects = [{ kind: 'ServiceAccount', ...inNamespace }];
  const verbs = ['get', 'list', 'watch', 'patch'];
  const group = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: inNamespace },
    {
      apiVersion: `${group}/v1`,
      kind: 'Role',
      metadata: inNamespace,
      rules: [
        { apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs },
        { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      ],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata: inNamespace,
      roleRef: { apiGroup: group, kind: 'Role', name },
      subjects,
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        {
          apiGroups: ['admissionregistration.k8s.io'],
          resources: ['mutatingwebhookconfigurations'],
          resourceNames: [name],
          verbs,
        },
      ],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name },
      subjects,
    },
  ];
}

function withoutBundle(configuration: unknown): unknown {
  const { webhooks } = configuration as { webhooks: { clientConfig: object }[] };
  return webhooks.map(({ clientConfig, ...webhook }) => ({
    ...webhook,
    clientConfig: { ...clientConfig, caBundle: 'left out' },
  }));
}
