import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from '../../kube/client.ts';
import { GIT_REPOS } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { helm } from '../control-plane/helm.ts';
import type { RunResult } from '../control-plane/run.ts';
import { waitFor } from '../wait.ts';
import { CHART, only, type Release, ROOT, render, valueArguments } from './chart.ts';
import { ANY_SECRET, AT_HOME, EVERYWHERE, FLEET, type Rule, ruleLines } from './rules.ts';

const HOME = 'fleetscan-system';

describe('the chart on a cluster', () => {
  let cluster: Cluster;
  let programs: string;

  before(async () => {
    cluster = await startCluster();
    const enforce = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await cluster.apply(namespace(HOME, enforce), namespace('team-a'), namespace('team-b'));
    await upgrade();
    programs = await cluster.serviceAccountKubeconfig(HOME, 'fleetscan');
  });

  after(() => cluster.stop());

  /** Installs or upgrades the release, with these values and no others. @returns what helm says of it, with the notes */
  async function upgrade(release: Release = {}): Promise<string> {
    const args = ['upgrade', '--install', 'fleetscan', CHART, `--namespace=${HOME}`, '--reset-values'];
    return succeeded(await helm(cluster, ...args, ...valueArguments(release)));
  }

  async function read<T>(...args: string[]): Promise<T> {
    return JSON.parse(succeeded(await cluster.kubectl('get', ...args, '-o', 'json'))) as T;
  }

  const asPrograms = (...args: string[]): Promise<RunResult> =>
    cluster.kubectlWith({ kubeconfig: programs }, ...args);

  /** What the API server says that the programs may do in a namespace. */
  async function rightsIn(where: string): Promise<string[]> {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: where },
    };
    const options = { kubeconfig: programs, stdin: JSON.stringify(review) };
    const { status } = JSON.parse(
      succeeded(await cluster.kubectlWith(options, 'create', '--validate=false', '-f', '-', '-o', 'json')),
    ) as { status: { resourceRules: Rule[] } };
    // Everybody may ask who they are and what they may do.
    const own = status.resourceRules.filter(({ apiGroups }) => !apiGroups[0]?.startsWith('auth'));
    return ruleLines(own).sort();
  }

  it('starts its pods in a namespace that enforces the "restricted" standard', async () => {
    const refused = await cluster.kubectl('run', 'plain', '--image=nginx', `--namespace=${HOME}`);
    assert.match(refused.stderr, /violates PodSecurity "restricted/);
    const pods = await waitFor('two pods', async () => {
      const { items } = await read<{ items: unknown[] }>('pods', `--namespace=${HOME}`);
      return items.length === 2 ? items : undefined;
    });
    assert.equal(pods.length, 2);
  });

  it('gives the programs these rights and no others', async () => {
    assert.deepEqual(await rightsIn(HOME), [...EVERYWHERE, ...FLEET.off, ANY_SECRET, ...AT_HOME].sort());
    assert.deepEqual(await rightsIn('team-a'), [...EVERYWHERE, ...FLEET.off, ANY_SECRET].sort());
  });

  it('lets the programs do their work and nothing near it', async () => {
    succeeded(
      await cluster.kubectl('create', 'secret', 'generic', 'login', '-n', 'team-a', '--from-literal=a=b'),
    );
    succeeded(await asPrograms('get', 'secret', 'login', '-n', 'team-a'));
    const certificate = 'fleetscan-webhook-cert';
    succeeded(await asPrograms('create', 'secret', 'generic', certificate, '--from-literal=a=b'));
    // As a watch of one object is asked for, which a list of its one name is authorized as.
    succeeded(await asPrograms('get', 'secrets', `--field-selector=metadata.name=${certificate}`));
    const forbidden = [
      ['get', 'secrets', '-n', 'team-a'],
      ['get', 'secrets', '--all-namespaces'],
      ['get', 'secrets'],
      ['delete', 'secret', certificate],
      ['patch', 'secret', 'login', '-n', 'team-a', '-p', '{"data":{}}'],
      ['get', 'pods', '-n', 'team-a'],
      ['get', 'mutatingwebhookconfigurations'],
      ['delete', 'mutatingwebhookconfiguration', 'fleetscan'],
      ['get', 'serviceaccounts', '-n', 'team-a'],
      ['create', 'namespace', 'more'],
    ];
    for (const args of forbidden) {
      assert.match((await asPrograms(...args)).stderr, /is forbidden|Forbidden/, args.join(' '));
    }
  });

  it('lets them write the status of a GitRepo and leaves its spec alone', async () => {
    await cluster.apply(gitRepo('team-a', 'app'));
    const client = await connect({ kubeconfig: programs });
    const repo = { resource: GIT_REPOS, namespace: 'team-a', name: 'app' };
    const status = { lastPushCommit: 'a'.repeat(40) };
    await client.patch({ ...repo, subresource: 'status' }, { status }, 'merge');
    await assert.rejects(client.patch(repo, { spec: { suspend: true } }, 'merge'), { code: 'Forbidden' });
    await client.close();
  });

  it('narrows the Secrets to some namespaces', async () => {
    await upgrade({ set: { 'rbac.secretNamespaces': ['team-a'] } });
    assert.deepEqual(await rightsIn('team-a'), [...EVERYWHERE, ...FLEET.off, ANY_SECRET].sort());
    assert.deepEqual(await rightsIn('team-b'), [...EVERYWHERE, ...FLEET.off].sort());
    await upgrade();
  });

  it('lets whoever may edit a namespace edit its ImageScans, and whoever may view it see them', async () => {
    for (const role of ['edit', 'view']) {
      const who = [`--clusterrole=${role}`, `--user=who-may-${role}`];
      succeeded(await cluster.kubectl('create', 'rolebinding', role, ...who, '-n', 'team-a'));
    }
    const may = async (...args: string[]): Promise<boolean> =>
      (await cluster.kubectl('auth', 'can-i', ...args, '-n', 'team-a')).code === 0;
    await waitFor('the roles to be aggregated', async () => {
      const edit = await may('patch', 'imagescans.fleetscan.io', '--as=who-may-edit');
      return (edit && (await may('list', 'gitrepos.fleetscan.io', '--as=who-may-view'))) || undefined;
    });
    assert.ok(!(await may('patch', 'imagescans.fleetscan.io', '--as=who-may-view')));
  });

  interface Configuration {
    webhooks: { clientConfig: { caBundle?: string; url?: string; service?: { name: string } } }[];
  }
  const clientConfig = async (): Promise<Configuration['webhooks'][0]['clientConfig']> =>
    (await read<Configuration>('mutatingwebhookconfiguration', 'fleetscan')).webhooks[0]!.clientConfig;

  it('keeps the CA that the reconciler wrote, through an upgrade and through server-side apply', async () => {
    const caBundle = await readFile(cluster.caFile, 'base64');
    const webhooks = [{ name: 'pods.fleetscan.io', clientConfig: { caBundle } }];
    const patch = ['--type=strategic', '-p', JSON.stringify({ webhooks })];
    succeeded(await asPrograms('patch', 'mutatingwebhookconfiguration', 'fleetscan', ...patch));

    const changed = { set: { 'webhook.excludeNamespaces': ['team-b'] } };
    await upgrade(changed);
    assert.equal((await clientConfig()).caBundle, caBundle);

    // As Helm 4 upgrades: by server-side apply, to which a field of another manager is a conflict.
    const rendered = only(await render(changed), 'MutatingWebhookConfiguration');
    const apply = [
      'apply',
      '--server-side',
      '--dry-run=server',
      '--field-manager=helm4',
      '-o',
      'json',
      '-f',
      '-',
    ];
    const stdin = JSON.stringify(rendered);
    const applied = JSON.parse(succeeded(await cluster.kubectlWith({ stdin }, ...apply))) as Configuration;
    assert.equal(applied.webhooks[0]!.clientConfig.caBundle, caBundle);
    await upgrade();
  });

  it('changes to a URL without pods, and back to the Service', async () => {
    await upgrade({ values: 'webhook-url-values.yaml' });
    const outside = await clientConfig();
    assert.deepEqual([outside.url, outside.service], ['https://127.0.0.1:9443/mutate', undefined]);
    await waitFor('the pods to go', async () => {
      const { items } = await read<{ items: unknown[] }>('pods', `--namespace=${HOME}`);
      return items.length === 0 || undefined;
    });
    await upgrade();
    const inside = await clientConfig();
    assert.deepEqual([inside.url, inside.service?.name], [undefined, 'fleetscan']);
  });

  it("says what it does with Fleet's objects, and what comes next", async () => {
    const notes = async (takeover: unknown): Promise<string> =>
      upgrade({ set: { 'fleet.takeover': takeover } });
    for (const takeover of ['serve', 'take-over']) {
      const text = await notes(takeover);
      assert.match(text, new RegExp(`fleet\\.takeover is ${takeover}: `));
      assert.match(text, /kubectl fleetscan fleet check/);
    }
    // As YAML reads `off` without quotes.
    for (const off of ['off', false]) assert.doesNotMatch(await notes(off), /Fleet's|fleet\.takeover/);
  });

  it('has examples that apply as they are', async () => {
    const folder = path.join(ROOT, 'manifests', 'examples');
    const { stdout, stderr, code } = await cluster.kubectl('apply', '-f', folder, '--namespace=team-b');
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.match(stdout, /imagescan\.fleetscan\.io\/podinfo created/);
    assert.match(stdout, /gitrepo\.fleetscan\.io\/deployments created/);
  });

  it('is uninstalled but for its kinds and their objects, and can be installed over them again', async () => {
    succeeded(await helm(cluster, 'uninstall', 'fleetscan', `--namespace=${HOME}`));
    const gone = [
      'clusterroles,clusterrolebindings,mutatingwebhookconfigurations',
      '-l',
      'app.kubernetes.io/instance',
    ];
    assert.deepEqual((await read<{ items: unknown[] }>(...gone)).items, []);
    succeeded(await cluster.kubectl('get', 'gitrepo', 'app', '-n', 'team-a'));
    await upgrade({ set: { 'crds.keep': false } });
    succeeded(await cluster.kubectl('get', 'gitrepo', 'app', '-n', 'team-a'));
  });

  it('takes the kinds along when told not to keep them', async () => {
    succeeded(await helm(cluster, 'uninstall', 'fleetscan', `--namespace=${HOME}`));
    await waitFor('the kinds to go', async () => {
      const { code } = await cluster.kubectl(
        'get',
        'crd',
        'imagescans.fleetscan.io',
        'gitrepos.fleetscan.io',
      );
      return code !== 0 || undefined;
    });
  });
});

function namespace(name: string, labels: Record<string, string> = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function gitRepo(where: string, name: string): object {
  return {
    apiVersion: 'fleetscan.io/v1alpha1',
    kind: 'GitRepo',
    metadata: { namespace: where, name },
    spec: { repo: 'https://git.example.com/apps.git' },
  };
}

/** What a program printed; the test fails with its complaint when it had one. */
function succeeded({ code, stdout, stderr }: RunResult): string {
  assert.equal(code, 0, stderr);
  return stdout;
}
