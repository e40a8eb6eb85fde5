import assert from 'node:assert/strict';
import { delimiter } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OWN_SHARD, SHARD_LABEL } from '../../core/fleet-shard.ts';
import { connect, type KubeClient } from '../../kube/client.ts';
import { FLEET_API_VERSION } from '../../kube/kinds/common.ts';
import {
  DEPLOYMENTS,
  FLEET_GIT_REPOS,
  FLEET_IMAGE_SCANS,
  GIT_REPOS,
  IMAGE_SCANS,
  NAMESPACES,
} from '../../kube/resource.ts';
import { parseFleetImageScan } from '../../kube/kinds/fleet.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { helm } from '../control-plane/helm.ts';
import { freePort } from '../control-plane/processes.ts';
import type { RunResult } from '../control-plane/run.ts';
import { digestOf, gitRepo, imageScan, put, readGitRepo, readScan } from '../e2e/reconciling.ts';
import { installProduct } from '../e2e/product.ts';
import { buildPlugin } from '../kubectl-plugin/plugin.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds, removeFleetKind } from './kinds.ts';

const SYSTEM = 'cattle-fleet-system';
const IMAGE = 'registry.example/shop/web';

let cluster: Cluster;
let client: KubeClient;
let env: { PATH: string };

before(async () => {
  cluster = await startCluster();
  client = await connect({ kubeconfig: cluster.kubeconfig });
  const { folder } = await buildPlugin();
  env = { PATH: [folder, process.env['PATH']].join(delimiter) };
});

after(async () => {
  await client?.close();
  await cluster?.stop();
});

/** Runs `kubectl fleetscan fleet` with these words. */
function fleet(line: string, kubeconfig = cluster.kubeconfig): Promise<RunResult> {
  return cluster.kubectlWith({ env, kubeconfig }, 'fleetscan', 'fleet', ...line.split(' '));
}

interface Report {
  readonly case: string;
  readonly mode: string;
  readonly writers?: string;
  readonly nextStep?: { readonly name: string; readonly command: string };
  readonly findings: readonly {
    readonly type: string;
    readonly object?: { name: string };
    command?: string;
  }[];
  readonly notRead: readonly string[];
}

async function check(kubeconfig?: string): Promise<Report & { readonly code: number }> {
  const { code, stdout } = await fleet('check -o json', kubeconfig);
  return { ...(JSON.parse(stdout) as Report), code };
}

/** Carries out a command as a person pastes it. */
async function paste(command = ''): Promise<void> {
  const [program, ...words] = command.split(' ');
  const { code, stderr } = await (program === 'helm'
    ? helm(cluster, ...words)
    : cluster.kubectl(...words.map((word) => word.replaceAll("'", ''))));
  assert.equal(code, 0, `${command}: ${stderr}`);
}

async function namespace(name: string): Promise<void> {
  await client.create({ resource: NAMESPACES }, { metadata: { name } });
}

/** One of Fleet's Deployments; no pod of it ever runs here. */
async function deploy(name: 'fleet-controller' | 'gitjob', image: string, isOn?: boolean): Promise<void> {
  const labels = { app: name };
  const env = isOn === undefined ? [] : [{ name: 'IMAGESCAN_ENABLED', value: String(isOn) }];
  const body = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name, image, env }] } },
    },
  };
  const path = { resource: DEPLOYMENTS, namespace: SYSTEM, name };
  await client.patch(path, body, 'apply', { fieldManager: 'helm', force: true });
}

async function makeScan(namespace: string, name: string, spec: object, labels: object = {}): Promise<void> {
  const body = {
    apiVersion: FLEET_API_VERSION,
    kind: 'ImageScan',
    metadata: { name, labels },
    spec: { image: IMAGE, interval: '5m', policy: { semver: { range: '*' } }, ...spec },
  };
  await client.create({ resource: FLEET_IMAGE_SCANS, namespace }, body, { fieldManager: 'fleet' });
}

async function makeRepo(namespace: string, name: string, spec: object = {}): Promise<void> {
  const body = {
    apiVersion: FLEET_API_VERSION,
    kind: 'GitRepo',
    metadata: { name },
    spec: { repo: `https://git.example/${name}`, branch: 'main', ...spec },
  };
  await client.create({ resource: FLEET_GIT_REPOS, namespace }, body);
}

/** The status that a scan of Fleet's writes. */
function found(tag: string, lastScanTime = '2026-01-02T03:04:05Z'): object {
  const latest = { latestTag: tag, latestImage: `${IMAGE}:${tag}`, latestDigest: digestOf(tag) };
  return { canonicalImageName: IMAGE, lastScanTime, ...latest };
}

async function writeScanStatus(
  named: Named,
  status: object,
  fieldManager = 'fleetcontroller',
): Promise<void> {
  const path = { resource: FLEET_IMAGE_SCANS, ...named, subresource: 'status' };
  await client.patch(path, { status }, 'merge', { fieldManager });
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** The API server keeps times to the second. */
async function nextSecond(): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  await waitFor('the next second', () => Math.floor(Date.now() / 1000) > now || undefined);
}

describe('fleet check', () => {
  it('leads from the image scan of Fleet to Fleetscan, a pasted command at a time', async () => {
    const none = await fleet('check');
    assert.equal(none.code, 0);
    assert.match(none.stdout, /^Case NotInstalled, Fleetscan NotInstalled:$[^]*^Next step: none\.$/m);

    await installFleetKinds(client);
    assert.equal((await check()).case, 'NoController');

    await namespace(SYSTEM);
    await deploy('fleet-controller', 'rancher/fleet:v0.14.2');
    await deploy('gitjob', 'rancher/fleet:v0.14.2');
    const web = { namespace: 'journey', name: 'imagescan-apps-web-0' };
    await namespace('journey');
    await makeRepo('journey', 'apps', { clientSecretName: 'git' });
    await makeScan('journey', web.name, { tagName: 'web', gitrepoName: 'apps' });
    await nextSecond();
    await writeScanStatus(web, found('1.0.0'));
    const before = await check();
    assert.deepEqual(
      [before.case, before.mode, before.nextStep?.name, before.code],
      ['ImageScanOn', 'NotInstalled', 'InstallTakeOver', 1],
    );

    await installProduct(cluster, { webhookPort: await freePort(), values: ['fleet.takeover=serve'] });
    const serving = await check();
    assert.deepEqual(
      [serving.mode, serving.writers, serving.nextStep?.name, serving.code],
      ['Serve', 'Both', 'TakeOver', 1],
    );

    await nextSecond();
    await paste(serving.nextStep?.command);
    const unlabelled = await check();
    assert.deepEqual([unlabelled.mode, unlabelled.code], ['TakeOver', 1]);
    assert.equal(unlabelled.nextStep?.name, 'AwaitLabels');
    assert.ok(
      unlabelled.findings.some(({ type, object }) => type === 'NotLabelled' && object?.name === web.name),
    );

    await label(web);
    await nextSecond();
    await writeScanStatus(web, { lastScanTime: new Date().toISOString() });
    const both = await check();
    assert.deepEqual([both.writers, both.nextStep?.name, both.code], ['Both', 'RestartFleet', 1]);
    assert.equal(both.nextStep?.command, `kubectl -n ${SYSTEM} rollout restart deployment/fleet-controller`);

    await nextSecond();
    await paste(both.nextStep?.command);
    const after = await check();
    assert.deepEqual(
      [after.writers, after.nextStep, after.findings, after.code],
      ['FleetscanAlone', undefined, [], 0],
    );
    const { stdout } = await fleet('check');
    assert.match(stdout, /fleet\.takeover=take-over, fleet\.compatibility=None$/m);
    assert.match(stdout, /^Next step: none\.$/m);

    await nextSecond();
    await writeScanStatus(web, { latestTag: '9.9.9' });
    const again = await check();
    assert.deepEqual([again.writers, again.code], ['Both', 1]);
    assert.match(
      (await fleet('check')).stdout,
      /^TwoWriters +journey +imagescan\/imagescan-apps-web-0 +fleetcontroller scanned too, at 20/m,
    );

    await nextSecond();
    await paste(again.nextStep?.command);
    await writeScanStatus(web, found('1.0.1', new Date().toISOString()), 'fleetscan-reconciler');
    assert.deepEqual([(await check()).writers, (await check()).code], ['FleetscanAlone', 0]);
    await client.delete({ resource: FLEET_IMAGE_SCANS, ...web });
  });

  /** What the reconciler does, which does not run here. */
  async function label(named: Named): Promise<void> {
    const labels = { [SHARD_LABEL]: OWN_SHARD };
    const path = { resource: FLEET_IMAGE_SCANS, ...named };
    await client.patch(path, { metadata: { labels } }, 'merge', { fieldManager: 'fleetscan-takeover' });
  }

  it('tells of what Fleet refuses to deploy, and turns its image scan on once it is taken over', async () => {
    await deploy('fleet-controller', 'rancher/fleet:v0.16.1', false);
    await deploy('gitjob', 'rancher/fleet:v0.16.1', false);
    assert.deepEqual((await check()).case, 'ImageScanOff');
    await namespace('refused');
    await makeRepo('refused', 'apps');
    const message = 'imagescan is disabled; remove imagescans from your config files, or enable imagescan';
    const conditions = [{ type: 'Stalled', status: 'True', message }];
    const path = { resource: FLEET_GIT_REPOS, namespace: 'refused', name: 'apps', subresource: 'status' };
    await client.patch(path, { status: { conditions } }, 'merge');
    const { case: found, nextStep, findings, code } = await check();
    assert.deepEqual([found, nextStep?.name, code], ['ImageScanRefused', 'TurnOnImageScan', 1]);
    assert.match(
      nextStep?.command ?? '',
      /--version 0\.16\.1 --namespace cattle-fleet-system .*imagescan\.enabled=true$/,
    );
    assert.deepEqual(
      findings.map(({ type, object }) => [type, object?.name]),
      [['ImageScanRefused', 'apps']],
    );

    await deploy('fleet-controller', 'rancher/fleet:v0.16.1', true);
    await deploy('gitjob', 'rancher/fleet:v0.16.1', true);
    const on = await check();
    assert.deepEqual([on.case, on.code], ['ImageScanOn', 1]);
    await paste(on.findings[0]?.command);
    await client.delete({ resource: FLEET_GIT_REPOS, namespace: 'refused', name: 'apps' });
  });

  it('finds orphans, scans without a GitRepo and GitRepos without a Secret, and leaves the exit code at 0', async () => {
    await namespace('left');
    await makeRepo('left', 'apps');
    const labels = (commit: string) => ({
      'fleet.cattle.io/repo-name': 'apps',
      'fleet.cattle.io/commit': commit,
      [SHARD_LABEL]: OWN_SHARD,
    });
    await makeScan('left', 'apps-0', { tagName: 'a', gitrepoName: 'apps' }, labels('new'));
    await makeScan('left', 'apps-1', { tagName: 'b', gitrepoName: 'apps' }, labels('new'));
    await makeScan('left', 'apps-2', { tagName: 'c', gitrepoName: 'apps' }, labels('old'));
    await makeScan('left', 'lost', { gitrepoName: 'nowhere' }, { [SHARD_LABEL]: OWN_SHARD });
    const { findings, code } = await check();
    assert.equal(code, 0);
    assert.deepEqual(
      findings.map(({ type, object }) => [type, object?.name]),
      [
        ['Orphaned', 'apps-2'],
        ['GitRepoMissing', 'lost'],
        ['NoWriteAccess', 'apps'],
      ],
    );
    await paste(findings[0]?.command);
    assert.deepEqual(
      (await check()).findings.map(({ type }) => type),
      ['GitRepoMissing', 'NoWriteAccess'],
    );
    await client.delete({ resource: NAMESPACES, name: 'left' });
  });

  it('goes by what the user may read, and says what that is not', async () => {
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'nobody', namespace: 'default' },
    });
    const kubeconfig = await cluster.serviceAccountKubeconfig('default', 'nobody');
    const report = await check(kubeconfig);
    assert.deepEqual(
      [report.case, report.mode, report.nextStep?.name, report.code],
      ['ImageScanUnknown', 'Unknown', 'ReadAsSomebodyElse', 1],
    );
    assert.equal(report.notRead.length, 5);
    const { stderr } = await fleet('check', kubeconfig);
    assert.match(stderr, /^not read: deployments\.apps is forbidden: /m);

    const rule = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] };
    const meta = { name: 'reads', namespace: SYSTEM };
    const rbac = 'rbac.authorization.k8s.io';
    await cluster.apply(
      { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: meta, rules: [rule] },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata: meta,
        roleRef: { apiGroup: rbac, kind: 'Role', name: 'reads' },
        subjects: [{ kind: 'ServiceAccount', name: 'nobody', namespace: 'default' }],
      },
    );
    const more = await check(kubeconfig);
    assert.deepEqual([more.case, more.mode], ['ImageScanOn', 'Unknown']);
    assert.ok(more.notRead.some((text) => text.endsWith(`; read were those of ${SYSTEM}`)));
  });
});

describe('fleet migrate', () => {
  const repoSpec = {
    paths: ['apps'],
    clientSecretName: 'git',
    imageScanInterval: '5m',
    imageScanCommit: { authorName: 'Bot', authorEmail: 'bot@example.com' },
    targets: [{ clusterSelector: {} }],
    pollingInterval: '1m',
  };

  /** A namespace with a GitRepo, an ImageScan that `fleet apply` made, and one that a person made. */
  async function shop(name: string): Promise<void> {
    await namespace(name);
    await makeRepo(name, 'apps', repoSpec);
    await makeRepo(name, 'deploys-only');
    const labels = { 'fleet.cattle.io/repo-name': 'apps', 'fleet.cattle.io/commit': 'c' };
    await makeScan(name, 'imagescan-apps-0', { tagName: 'web', gitrepoName: 'apps' }, labels);
    await makeScan(name, 'by-hand', { tagName: 'api', gitrepoName: 'apps', secretRef: { name: 'pull' } });
    await writeScanStatus({ namespace: name, name: 'imagescan-apps-0' }, found('1.2.3'));
  }

  it('makes objects of ours with the value in force, and a second time changes nothing', async () => {
    await shop('moved');
    const { code, stdout, stderr } = await fleet('migrate -n moved');
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n');
    assert.deepEqual(lines.slice(0, 3).sort(), [
      'gitrepo.fleetscan.io/apps created',
      'imagescan.fleetscan.io/api created',
      'imagescan.fleetscan.io/apps-web created',
    ]);
    const web = await readScan(client, { namespace: 'moved', name: 'apps-web' });
    assert.deepEqual(web.metadata.labels, { 'fleetscan.io/defined-by': 'apps' });
    assert.deepEqual(web.spec, {
      image: IMAGE,
      tagName: 'web',
      gitrepoName: 'apps',
      interval: '5m',
      policy: { semver: { range: '*' } },
    });
    const { latestTag, latestDigest, latestImage, canonicalImageName, lastScanTime, history } = web.status;
    assert.deepEqual(
      { latestTag, latestDigest, latestImage, canonicalImageName, lastScanTime },
      found('1.2.3'),
    );
    const entry = { tag: '1.2.3', digest: digestOf('1.2.3'), image: `${IMAGE}:1.2.3` };
    assert.deepEqual(history, [{ ...entry, since: '2026-01-02T03:04:05Z', cause: 'Scan' }]);
    const api = await readScan(client, { namespace: 'moved', name: 'api' });
    assert.deepEqual([api.spec.secretRef, api.metadata.labels, api.status], [{ name: 'pull' }, {}, {}]);
    const apps = await readGitRepo(client, { namespace: 'moved', name: 'apps' });
    const { targets: _, pollingInterval: __, ...wanted } = repoSpec;
    assert.deepEqual(apps.spec, { repo: 'https://git.example/apps', branch: 'main', ...wanted });

    assert.match(
      stdout,
      /^ {4}kubectl -n moved delete imagescans\.fleet\.cattle\.io by-hand imagescan-apps-0$/m,
    );
    const again = await fleet('migrate -n moved');
    assert.deepEqual(
      again.stdout
        .split('\n')
        .slice(0, 3)
        .map((line) => line.split(' ')[1]),
      ['unchanged', 'unchanged', 'unchanged'],
    );
    assert.equal(again.code, 0);
    await paste(/kubectl -n moved delete .*/.exec(stdout)?.[0]);
    const after = await fleet('migrate -n moved');
    assert.equal(after.stdout, 'gitrepo.fleetscan.io/apps unchanged\n');
  });

  it("leaves Fleet's own objects as they are", async () => {
    await shop('kept');
    const read = async () =>
      [
        await client.list({ resource: FLEET_IMAGE_SCANS, namespace: 'kept' }),
        await client.list({ resource: FLEET_GIT_REPOS, namespace: 'kept' }),
      ].map((list) => (list as { items: unknown }).items);
    const before = await read();
    await fleet('migrate -n kept');
    assert.deepEqual(await read(), before);
  });

  it('with -o yaml prints what kubectl apply takes, and changes nothing', async () => {
    await shop('printed');
    const { code, stdout } = await fleet('migrate -n printed -o yaml');
    assert.equal(code, 0);
    assert.deepEqual(await namesIn('printed'), []);
    const applied = await cluster.kubectlWith({ stdin: stdout }, 'apply', '--validate=strict', '-f', '-');
    assert.deepEqual([applied.code, applied.stderr], [0, '']);
    assert.deepEqual(await namesIn('printed'), ['api', 'apps', 'apps-web']);
    const json = await fleet('migrate -n printed -o json');
    assert.deepEqual(JSON.parse(json.stdout).kind, 'List');
    const later = await fleet('migrate -n printed');
    assert.deepEqual([later.code, later.stderr], [0, '']);
    assert.equal(
      (await readScan(client, { namespace: 'printed', name: 'apps-web' })).status.latestTag,
      '1.2.3',
    );
  });

  it('with --dry-run asks the API server, which stores nothing', async () => {
    await shop('tried');
    for (const flag of ['--dry-run', '--dry-run=server']) {
      const { code, stdout, stderr } = await fleet(`migrate -n tried ${flag}`);
      assert.deepEqual([code, stderr], [0, '']);
      assert.deepEqual(stdout.trim().split('\n').sort(), [
        'gitrepo.fleetscan.io/apps created (server dry run)',
        'imagescan.fleetscan.io/api created (server dry run)',
        'imagescan.fleetscan.io/apps-web created (server dry run)',
      ]);
    }
    assert.deepEqual(await namesIn('tried'), []);
  });

  async function namesIn(namespace: string): Promise<string[]> {
    const lists = await Promise.all(
      [IMAGE_SCANS, GIT_REPOS].map((resource) => client.list({ resource, namespace })),
    );
    return lists
      .flatMap((list) => (list as { items: { metadata: { name: string } }[] }).items)
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  it('leaves alone what a person made or changed, says so, and goes on', async () => {
    await shop('mixed');
    await put(
      client,
      imageScan(
        { namespace: 'mixed', name: 'hand-made' },
        { image: 'x.example/other', tagName: 'api', gitrepoName: 'apps' },
      ),
      gitRepo({ namespace: 'mixed', name: 'apps' }, { repo: 'https://other.example/apps' }),
    );
    const { code, stdout, stderr } = await fleet('migrate -n mixed');
    assert.equal(code, 1);
    assert.match(stdout, /^imagescan\.fleetscan\.io\/apps-web created$/m);
    assert.match(
      stderr,
      /^error: imagescan\.fleet\.cattle\.io\/by-hand: ImageScan hand-made, which somebody else made, /m,
    );
    assert.match(
      stderr,
      /^error: gitrepo\.fleet\.cattle\.io\/apps: there is a GitRepo apps that somebody else made/m,
    );
    assert.equal(
      (await readGitRepo(client, { namespace: 'mixed', name: 'apps' })).spec.repo,
      'https://other.example/apps',
    );
    assert.match(stdout, /delete imagescans\.fleet\.cattle\.io imagescan-apps-0$/m);

    const edit = { spec: { interval: '1h' } };
    const path = { resource: IMAGE_SCANS, namespace: 'mixed', name: 'apps-web' };
    await client.patch(path, edit, 'merge', { fieldManager: 'kubectl-edit' });
    const again = await fleet('migrate -n mixed');
    assert.equal(again.code, 1);
    assert.match(
      again.stderr,
      /apps-web was changed by somebody else, and is left alone: .*"kubectl-edit".* \.spec\.interval/,
    );
    assert.equal((await readScan(client, path)).spec.interval, '1h');
  });

  it('tells what Fleet allowed and we refuse, and what to do', async () => {
    await namespace('odd');
    await makeScan('odd', 'url', { image: 'https://registry.example/web' });
    await makeScan('odd', 'one', { tagName: 'same' });
    await makeScan('odd', 'two', { tagName: 'same' });
    await makeScan('odd', 'long', { interval: `${'9'.repeat(20)}h` });
    const { code, stdout, stderr } = await fleet('migrate -n odd');
    assert.equal(code, 1);
    assert.match(stdout, /^imagescan\.fleetscan\.io\/long created$/m);
    assert.match(stdout, /^imagescan\.fleetscan\.io\/same created$/m);
    assert.match(
      stderr,
      /^error: imagescan\.fleet\.cattle\.io\/url: spec\.image "https:.*leave out the scheme/m,
    );
    assert.match(stderr, /^error: imagescan\.fleet\.cattle\.io\/two: has the tagName of another ImageScan/m);
    assert.match(stderr, /^Warning: imagescan\.fleet\.cattle\.io\/long: .*it is the default now$/m);
  });

  it('carries over no value of another image than the spec names, and none over one of our own', async () => {
    await shop('values');
    const stale = { namespace: 'values', name: 'by-hand' };
    await writeScanStatus(stale, { ...found('0.1.0'), canonicalImageName: 'registry.example/former' });
    await put(
      client,
      imageScan({ namespace: 'values', name: 'apps-web' }, { image: IMAGE, tagName: 'other' }),
    );
    await fleet('migrate -n values');
    assert.equal((await readScan(client, { namespace: 'values', name: 'api' })).status.latestTag, undefined);
    const web = { namespace: 'values', name: 'web' };
    assert.equal((await readScan(client, web)).status.latestTag, '1.2.3');
    const path = { resource: IMAGE_SCANS, ...web, subresource: 'status' };
    await client.patch(path, { status: { latestTag: '2.0.0' } }, 'merge');
    const { stdout } = await fleet('migrate -n values');
    assert.match(stdout, /^imagescan\.fleetscan\.io\/web unchanged$/m);
    assert.equal((await readScan(client, web)).status.latestTag, '2.0.0');
    assert.equal(
      parseFleetImageScan(await client.get({ resource: FLEET_IMAGE_SCANS, ...stale })).status.latestTag,
      '0.1.0',
    );
  });

  it('says that there is nothing, also where Fleet is gone', async () => {
    assert.deepEqual(await fleet('migrate -n nowhere'), {
      code: 0,
      stdout: '',
      stderr: 'No resources found in nowhere namespace.\n',
    });
    await removeFleetKind(client, 'imagescans');
    const { case: found, mode, code } = await check();
    assert.deepEqual([found, mode, code], ['FeatureRemoved', 'TakeOver', 0]);
    await removeFleetKind(client, 'gitrepos');
    assert.equal((await fleet('migrate -A')).stderr, 'No resources found\n');
  });
});
