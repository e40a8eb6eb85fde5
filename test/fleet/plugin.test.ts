import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { connect, type KubeClient } from '../../kube/client.ts';
import { HANDLED_REQUEST_ANNOTATION } from '../../kube/kinds/fleet.ts';
import { SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { FLEET_IMAGE_SCANS } from '../../kube/resource.ts';
import { binaries } from '../control-plane/binaries.ts';
import { type Cluster, startCluster } from '../control-plane/cluster.ts';
import { startProcess, temporaryFolder } from '../control-plane/processes.ts';
import type { RunResult } from '../control-plane/run.ts';
import { digestOf, gitRepo, imageScan, type Named, namespaceObject, put } from '../e2e/reconciling.ts';
import { type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts';
import { buildPlugin } from '../kubectl-plugin/plugin.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds } from './kinds.ts';
import {
  applyAsFleet,
  deleteFleet,
  fleetGitRepo,
  fleetImageScan,
  fleetScanName,
  overwriteStatusAsFleet,
  readFleetScan,
} from './objects.ts';

const CRDS = fileURLToPath(new URL('../../manifests/crds/', import.meta.url));
const NAMESPACE = 'fleet-default';
const OURS = 'imagescan.fleetscan.io';
const FLEETS = 'imagescan.fleet.cattle.io';
/** As `fleet apply` names the first scan of the bundle of `apps` at the root. */
const FIRST = fleetScanName({ namespace: NAMESPACE, gitRepo: 'apps' });

let cluster: Cluster;
let client: KubeClient;
let registry: FakeRegistry;
let env: { PATH: string };

before(async () => {
  cluster = await startCluster();
  client = await connect({ kubeconfig: cluster.kubeconfig });
  registry = await startFakeRegistry();
  const { folder } = await buildPlugin();
  env = { PATH: [folder, process.env['PATH']].join(delimiter) };
  const { code, stderr } = await cluster.kubectl('apply', '--server-side', '-f', CRDS);
  assert.equal(code, 0, stderr);
  await waitFor('our kinds to be served', async () => {
    const { code } = await cluster.kubectl('get', 'imagescans.fleetscan.io,gitrepos.fleetscan.io');
    return code === 0 || undefined;
  });
});

after(async () => {
  await client?.close();
  await registry?.stop();
  await cluster?.stop();
});

/** Runs `kubectl fleetscan` with these words. */
function fleetscan(line: string): Promise<RunResult> {
  return cluster.kubectlWith({ env }, 'fleetscan', ...line.split(' '));
}

/** A table's lines with one bar between cells. */
const rows = (stdout: string): string[] => stdout.split('\n').map((line) => line.replace(/ {3,}/g, '|'));

/** The status of a scan of ours of that image and tag. */
function inForce(image: string, tag: string): object {
  return {
    canonicalImageName: image,
    latestTag: tag,
    latestImage: `${image}:${tag}`,
    latestDigest: digestOf(tag),
  };
}

const readyState = (tag: string) => ({
  type: 'Ready',
  status: 'True',
  reason: 'InForce',
  message: `${tag} is in force`,
});

async function makeFleetScan(
  entry: { readonly namespace: string; readonly gitRepo: string; readonly index?: number },
  spec: object,
  tag: string,
): Promise<Named> {
  await applyAsFleet(
    client,
    fleetImageScan(entry, { image: 'registry.example/shop/web', interval: '5m', ...spec }),
  );
  const named = fleetScanName(entry);
  await overwriteStatusAsFleet(client, 'ImageScan', named, {
    ...inForce('registry.example/shop/web', tag),
    lastScanTime: new Date().toISOString(),
    conditions: [{ type: 'ImageScanned', status: 'True' }, readyState(tag)],
  });
  return named;
}

/** Answers the next request for a scan as the reconciler does: first the status, then the annotation. */
async function answerNextRequest(named: Named, tag: string): Promise<void> {
  const request = await waitFor(`a request for ${named.name}`, async () => {
    const { metadata, status } = await readFleetScan(client, named);
    const wanted = metadata.annotations[SCAN_REQUEST_ANNOTATION];
    return wanted === status.lastHandledScanRequest ? undefined : wanted;
  });
  const path = { resource: FLEET_IMAGE_SCANS, ...named };
  const { image } = (await readFleetScan(client, named)).spec;
  await client.patch({ ...path, subresource: 'status' }, { status: inForce(image, tag) }, 'merge');
  await client.patch(path, { metadata: { annotations: { [HANDLED_REQUEST_ANNOTATION]: request } } }, 'merge');
}

describe('a cluster without Fleet', () => {
  it('looks as if there were no other group', async () => {
    await put(
      client,
      namespaceObject('alone'),
      imageScan({ namespace: 'alone', name: 'web' }, { image: 'registry.example/web' }),
    );
    const { code, stdout, stderr } = await fleetscan('status -n alone');
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(rows(stdout), [
      'NAME|IMAGE|TAG|DIGEST|SINCE|READY|SCANNED|LAST SCAN',
      'web|registry.example/web|<none>|<none>|<none>|Unknown|Unknown|<none>',
      '',
    ]);
    const notFound = `Error from server (NotFound): imagescans.fleetscan.io "nope" not found\n`;
    for (const verb of ['status', 'scan', 'explain', 'lint'])
      assert.equal((await fleetscan(`${verb} nope -n alone`)).stderr, notFound, verb);
    const empty = await fleetscan('status -n nowhere');
    assert.deepEqual(empty, { code: 0, stdout: '', stderr: 'No resources found in nowhere namespace.\n' });
  });

  it('is told as such to who names an object of Fleet', async () => {
    const { code, stderr } = await fleetscan(`status ${FLEETS}/web`);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      'error: the server does not have the ImageScans of fleet.cattle.io/v1alpha1; is Rancher Fleet installed in this cluster?\n',
    );
  });

  it('gives who may see our kinds alone the same answers', async () => {
    await letAnnSeeOurs('alone');
    assert.equal((await fleetscan('status -n alone --as ann')).stderr, '');
    assert.equal(
      (await fleetscan('status nope -n alone --as ann')).stderr,
      'Error from server (NotFound): imagescans.fleetscan.io "nope" not found\n',
    );
  });
});

describe('a cluster with Fleet', () => {
  before(async () => {
    await installFleetKinds(client);
    const repo = { repo: 'https://git.example/apps', branch: 'main' };
    await put(client, namespaceObject(NAMESPACE), namespaceObject('other'));
    await put(
      client,
      imageScan({ namespace: NAMESPACE, name: 'api' }, { image: 'registry.example/shop/api', suspend: true }),
    );
    await put(client, gitRepo({ namespace: NAMESPACE, name: 'own' }, { ...repo, suspend: true }));
    await makeFleetScan({ namespace: NAMESPACE, gitRepo: 'apps' }, { tagName: 'test-scan' }, '1.0.0');
    for (const name of ['apps', 'deploys-only'])
      await applyAsFleet(client, fleetGitRepo({ namespace: NAMESPACE, name }, repo));
    await overwriteStatusAsFleet(
      client,
      'GitRepo',
      { namespace: NAMESPACE, name: 'apps' },
      {
        lastSyncedImageScanTime: new Date().toISOString(),
        conditions: [
          {
            type: 'ImageSynced',
            status: 'False',
            reason: 'Error',
            message: 'PushRejected: the branch is protected',
          },
          { type: 'Ready', status: 'True' },
        ],
      },
    );
    await overwriteStatusAsFleet(
      client,
      'GitRepo',
      { namespace: NAMESPACE, name: 'deploys-only' },
      {
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    );
  });

  it('has a table for each kind of each group, without the GitRepos that only deploy', async () => {
    const { code, stdout, stderr } = await fleetscan(`status -n ${NAMESPACE}`);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(rows(stdout.replace(/\d+s$/gm, 'now')), [
      'NAME|IMAGE|TAG|DIGEST|SINCE|READY|SCANNED|LAST SCAN',
      'api|registry.example/shop/api|<none>|<none>|<none>|Unknown|Suspended|<none>',
      '',
      'NAME|TAGNAME|IMAGE|TAG|DIGEST|READY|SCANNED|LAST SCAN',
      `${FLEETS}/imagescan-apps-0|test-scan|registry.example/shop/web|1.0.0|${digestOf('1.0.0').slice(7, 19)}|True|True|now`,
      '',
      'GITREPO|REPO|BRANCH|SYNCED|MARKERS|COMMIT|PUSHED',
      'own|https://git.example/apps|main|Suspended|<none>|<none>|<none>',
      '',
      'GITREPO|REPO|BRANCH|SYNCED|LAST SYNC',
      'gitrepo.fleet.cattle.io/apps|https://git.example/apps|main|PushRejected|now',
      '',
    ]);
  });

  it('gives the very objects that kubectl get gives, and names that kubectl takes', async () => {
    const { stdout: names } = await fleetscan(`status -n ${NAMESPACE} -o name`);
    const expected = [
      `${OURS}/api`,
      `${FLEETS}/${FIRST.name}`,
      'gitrepo.fleetscan.io/own',
      'gitrepo.fleet.cattle.io/apps',
    ];
    assert.deepEqual(names.trim().split('\n'), expected);
    const theirs = await cluster.kubectl('get', '-n', NAMESPACE, '-o', 'json', ...expected);
    const ours = await fleetscan(`status -n ${NAMESPACE} -o json`);
    assert.deepEqual(JSON.parse(ours.stdout), JSON.parse(theirs.stdout));
    const one = await cluster.kubectl('get', '-n', NAMESPACE, '-o', 'json', `${FLEETS}/${FIRST.name}`);
    const named = await fleetscan(`status ${FIRST.name} -n ${NAMESPACE} -o json`);
    assert.deepEqual(JSON.parse(named.stdout), JSON.parse(one.stdout));
    const yaml = (await fleetscan(`status ${FIRST.name} -n ${NAMESPACE} -o yaml`)).stdout;
    assert.match(yaml, /^apiVersion: fleet\.cattle\.io\/v1alpha1\nkind: ImageScan\n/);
  });

  it('shows the namespaces and, when it may be wide, why something is wrong', async () => {
    const { stdout } = await fleetscan('status -A -o wide');
    assert.match(stdout, /^NAMESPACE +NAME +TAGNAME .* MESSAGE$/m);
    assert.match(
      stdout,
      /^fleet-default +gitrepo\.fleet\.cattle\.io\/apps .* PushRejected +\d+s +the branch is protected$/m,
    );
  });

  it('finds a scan by its name, ours before that of Fleet, exactly with its group, and by its tagName', async () => {
    const named = { namespace: 'other', name: 'imagescan-apps-0' };
    await makeFleetScan({ namespace: 'other', gitRepo: 'apps' }, { tagName: 'web' }, '2.0.0');
    const first = async (line: string): Promise<string | undefined> =>
      (await fleetscan(`status ${line} -n other -o name`)).stdout.trim();
    assert.equal(await first(named.name), `${FLEETS}/${named.name}`);
    assert.equal(await first('web'), `${FLEETS}/${named.name}`);
    assert.equal(await first(`imagescans.fleet.cattle.io/${named.name}`), `${FLEETS}/${named.name}`);
    await put(client, imageScan(named, { image: 'registry.example/shop/web' }));
    assert.equal(await first(named.name), `${OURS}/${named.name}`);
    assert.equal(await first(`${FLEETS}/${named.name}`), `${FLEETS}/${named.name}`);
    assert.equal(await first(`imagescan.v1alpha1.fleet.cattle.io/${named.name}`), `${FLEETS}/${named.name}`);
    const { stderr } = await fleetscan(`status ${FLEETS}/web -n other`);
    assert.equal(stderr, 'Error from server (NotFound): imagescans.fleet.cattle.io "web" not found\n');
  });

  it('says which scans a tagName may mean, that a group has none, and that a name is in neither', async () => {
    for (const index of [0, 1])
      await makeFleetScan({ namespace: 'other', gitRepo: 'twice', index }, { tagName: 'twin' }, '1');
    const told = async (words: string): Promise<string> => (await fleetscan(`${words} -n other`)).stderr;
    assert.equal(
      await told('scan twin --wait'),
      `error: twin is the tagName of 2 ImageScans in other, and the name of none; name one of ${FLEETS}/imagescan-twice-0, ${FLEETS}/imagescan-twice-1\n`,
    );
    assert.equal(
      await told('status imagescan.fleet.io/web'),
      `error: "imagescan.fleet.io/web": fleet.io has no ImageScans; say ${OURS}/NAME or ${FLEETS}/NAME\n`,
    );
    const neither = ['fleetscan.io', 'fleet.cattle.io'].map(
      (group) => `Error from server (NotFound): imagescans.${group} "nope" not found\n`,
    );
    for (const verb of ['status', 'scan', 'explain', 'lint', 'status --watch'])
      assert.equal(await told(`${verb} nope`), neither.join(''), verb);
  });

  it('is scanned by the tagName, and the result is waited for', async () => {
    const [{ code, stdout, stderr }] = await Promise.all([
      fleetscan(`scan test-scan --wait -n ${NAMESPACE}`),
      answerNextRequest(FIRST, '1.1.0'),
    ]);
    assert.deepEqual([code, stdout, stderr], [0, `${FLEETS}/${FIRST.name} 1.0.0 -> 1.1.0\n`, '']);
    const asked = await fleetscan(`scan test-scan ${FIRST.name} ${FLEETS}/${FIRST.name} -n ${NAMESPACE}`);
    assert.equal(asked.stdout, `${FLEETS}/${FIRST.name} scan requested\n`, 'once, however it is called');
  });

  it('is asked in both groups by scan --all, and tells what may be wrong when nobody answers', async () => {
    const { code, stdout, stderr } = await fleetscan(`scan --all --wait --timeout 1s -n ${NAMESPACE}`);
    assert.deepEqual([code, stdout], [1, '']);
    assert.deepEqual(stderr.trim().split('\n'), [
      `${OURS}/api is suspended, so it is not scanned`,
      `error: ${FLEETS}/${FIRST.name} was not scanned within 1s; is the reconciler running, and does it serve Fleet's objects (chart value fleet.takeover)?`,
    ]);
  });

  it('tells the reason of a failure as of our own', async () => {
    const failing = await makeFleetScan({ namespace: 'other', gitRepo: 'failing' }, {}, '1.0.0');
    const message = 'NotFound: registry.example has no shop/web';
    await overwriteStatusAsFleet(client, 'ImageScan', failing, {
      conditions: [
        { type: 'ImageScanned', status: 'False', reason: 'Error', message },
        { type: 'Stalled', status: 'True', reason: 'Stalled', message },
      ],
    });
    const { stdout } = await fleetscan(`status ${failing.name} -n other -o wide`);
    assert.match(
      rows(stdout)[1] ?? '',
      /\|Unknown\|NotFound\|.*\|NotFound: registry\.example has no shop\/web$/,
    );
  });

  it('shows what the policy of a scan of Fleet makes of each tag, and what is wrong with it', async () => {
    for (const tag of ['1.0.0', '1.1.0']) registry.push('shop/web', tag);
    const image = `${registry.host}/shop/web`;
    await makeFleetScan(
      { namespace: 'other', gitRepo: 'looked' },
      { tagName: 'looked', image, policy: { semver: { range: '^1' } } },
      '1.0.0',
    );
    const explained = await fleetscan('explain looked -n other -o name');
    assert.deepEqual([explained.code, explained.stdout], [0, '1.1.0\n']);
    assert.deepEqual(await fleetscan('lint looked -n other'), { code: 0, stdout: '', stderr: '' });
    await makeFleetScan(
      { namespace: 'other', gitRepo: 'looked' },
      { tagName: 'looked', image, policy: { semver: { range: '^9' } } },
      '1.0.0',
    );
    const linted = await fleetscan('lint looked -n other');
    assert.equal(
      linted.stdout,
      `${FLEETS}/imagescan-looked-0: error: NoMatch: no available version matching ^9\n`,
    );
    assert.equal(linted.code, 1);
    assert.match((await fleetscan('lint --offline -n other')).stderr, /^$/);
  });

  it('shows the changes of both groups, and what is deleted', async () => {
    const namespace = 'watched';
    await put(
      client,
      namespaceObject(namespace),
      imageScan({ namespace, name: 'api' }, { image: 'registry.example/api' }),
    );
    const named = await makeFleetScan({ namespace, gitRepo: 'apps' }, { tagName: 'web' }, '1.0.0');
    const { kubectl } = await binaries(['kubectl']);
    const lines: string[] = [];
    const running = startProcess({
      name: 'kubectl',
      command: kubectl,
      args: ['fleetscan', 'status', '-n', namespace, '--watch'],
      env: { ...env, KUBECONFIG: cluster.kubeconfig },
      onLine: (text) => lines.push(text),
    });
    const line = (pattern: RegExp) =>
      waitFor(String(pattern), () => lines.find((text) => pattern.test(text)));
    await line(/^api +registry\.example\/api /);
    await line(/^imagescan\.fleet\.cattle\.io\/imagescan-apps-0 +registry\.example\/shop\/web +1\.0\.0 /);
    await makeFleetScan({ namespace, gitRepo: 'apps' }, { tagName: 'web' }, '1.1.0');
    await line(/^imagescan\.fleet\.cattle\.io\/imagescan-apps-0 .* 1\.1\.0 /);
    await deleteFleet(client, 'ImageScan', named);
    await line(/^imagescan\.fleet\.cattle\.io "imagescan-apps-0" deleted from watched namespace$/);
    assert.equal(lines.filter((text) => text.startsWith('NAME')).length, 1);
    running.kill('SIGINT');
    assert.equal(await running.exited, 1);
  });

  it('shows our kinds alone to who may not see those of Fleet, and says so when one is named', async () => {
    await letAnnSeeOurs(NAMESPACE);
    const { code, stdout, stderr } = await fleetscan(`status -n ${NAMESPACE} --as ann`);
    assert.deepEqual([code, stderr], [0, '']);
    assert.doesNotMatch(stdout, /fleet\.cattle\.io/);
    assert.match(stdout, /^api /m);
    const named = await fleetscan(`status test-scan -n ${NAMESPACE} --as ann`);
    assert.match(
      named.stderr,
      /^Error from server \(NotFound\): imagescans\.fleetscan\.io "test-scan" not found\nError from server \(Forbidden\): imagescans\.fleet\.cattle\.io "test-scan" is forbidden: User "ann" cannot get .*\n$/,
    );
  });

  it('gives values to files', async () => {
    const folder = temporaryFolder('plugin-files');
    await mkdir(`${folder}/apps`);
    const file = (content: string) => writeFile(`${folder}/apps/deploy.yaml`, content);
    await file('image: registry.example/shop/web:0.9.0 # {"$imagescan": "test-scan"}\n');
    const list = await cluster.kubectl('get', 'imagescans.fleet.cattle.io', '-n', NAMESPACE, '-o', 'yaml');
    const updated = await cluster.kubectlWith(
      { env, stdin: list.stdout },
      ...`fleetscan update ${folder}/apps --scans - --offline --dry-run`.split(' '),
    );
    assert.equal(updated.code, 2, updated.stderr);
    assert.match(
      updated.stdout,
      /^deploy\.yaml:1 +fleet\.cattle\.io\/fleet-default\/imagescan-apps-0 .*:1\.1\.0$/m,
    );
  });
});

/** A user who knows nothing of Fleet. */
async function letAnnSeeOurs(namespace: string): Promise<void> {
  const metadata = { namespace, name: 'ours' };
  const group = 'rbac.authorization.k8s.io';
  await cluster.apply(
    {
      apiVersion: `${group}/v1`,
      kind: 'Role',
      metadata,
      rules: [
        {
          apiGroups: ['fleetscan.io'],
          resources: ['imagescans', 'gitrepos'],
          verbs: ['get', 'list', 'watch'],
        },
      ],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name: 'ours' },
      subjects: [{ apiGroup: group, kind: 'User', name: 'ann' }],
    },
  );
}
