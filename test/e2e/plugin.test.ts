import assert from 'node:assert/strict';
import { delimiter } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildBundle } from '../../build.ts';
import manifest from '../../package.json' with { type: 'json' };
import { binaries } from '../control-plane/binaries.ts';
import { startProcess, temporaryFolder } from '../control-plane/processes.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { type RunResult, run } from '../control-plane/run.ts';
import { waitFor } from '../wait.ts';
import {
  gitRepo,
  imageScan,
  namespaceObject,
  readScan,
  type Reconciling,
  startReconciling,
  untilGitRepo,
  untilInForce,
} from './reconciling.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('kubectl fleetscan', () => {
  let registry: Registry;
  let bench: Reconciling;
  /** The environment in which kubectl finds the plugin. */
  let env: { PATH: string };

  before(async () => {
    registry = await startRegistry();
    bench = await startReconciling({ insecureRegistries: [registry.host] });
    const folder = temporaryFolder('plugin');
    await buildBundle('kubectl-fleetscan', folder);
    env = { PATH: [folder, process.env['PATH']].join(delimiter) };
  });

  after(async () => {
    await bench?.stop();
    await registry?.stop();
  });

  /** Runs `kubectl fleetscan` with these words. */
  function fleetscan(line: string): Promise<RunResult> {
    return bench.cluster.kubectlWith({ env }, 'fleetscan', ...line.split(' '));
  }

  /** A namespace with an ImageScan `web` that has 1.0.0 in force. */
  async function follow(namespace: string): Promise<void> {
    await pushImage(registry.host, namespace, '1.0.0');
    const named = { namespace, name: 'web' };
    const spec = { image: `${registry.host}/${namespace}`, policy: { semver: { range: '>=1.0.0' } } };
    await bench.cluster.apply(namespaceObject(namespace), imageScan(named, spec));
    await untilInForce(bench.client, named, '1.0.0');
  }

  it('is found by kubectl, which passes its exit code through', async () => {
    assert.deepEqual(await fleetscan('version'), {
      code: 0,
      stdout: `Client Version: v${manifest.version}\n`,
      stderr: '',
    });
    const { code, stdout, stderr } = await fleetscan('stauts');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error: unknown command 'stauts'\n\(Did you mean status\?\)\n$/);
  });

  it('runs from the checkout too', async () => {
    const KUBECONFIG = bench.cluster.kubeconfig;
    const npm = (line: string) =>
      run('npm', ['run', '--silent', 'kubectl-fleetscan', '--', ...line.split(' ')], {
        cwd: ROOT,
        env: { KUBECONFIG },
      });
    const [empty, missing] = await Promise.all([npm('status -n nowhere'), npm('status nope -n nowhere')]);
    const note = 'No resources found in nowhere namespace.\n';
    assert.deepEqual(empty, { code: 0, stdout: '', stderr: note });
    const error = 'Error from server (NotFound): imagescans.fleetscan.io "nope" not found\n';
    assert.deepEqual(missing, { code: 1, stdout: '', stderr: error });
  });

  it('scan says what the scan came to', async () => {
    await follow('scanned');
    await pushImage(registry.host, 'scanned', '1.1.0');
    const name = 'imagescan.fleetscan.io/web';
    const changed = await fleetscan('scan web --wait -n scanned');
    assert.deepEqual(changed, { code: 0, stdout: `${name} 1.0.0 -> 1.1.0\n`, stderr: '' });

    const unchanged = await fleetscan('-n scanned scan --all --wait');
    const text = `${name} 1.1.0 unchanged: chose 1.1.0 among 2 tags\n`;
    assert.deepEqual(unchanged, { code: 0, stdout: text, stderr: '' });

    const asked = await fleetscan('scan web nope -n scanned');
    assert.equal(asked.stdout, `${name} scan requested\n`);
    assert.equal(asked.stderr, 'Error from server (NotFound): imagescans.fleetscan.io "nope" not found\n');
    assert.equal(asked.code, 1);
  });

  it('scan says why it failed, and what stays in force', async () => {
    await follow('failing');
    const broken = { spec: { image: `${registry.host}/failing/nowhere` } };
    const patch = ['patch', 'imagescan/web', '-n', 'failing', '--type=merge', '-p', JSON.stringify(broken)];
    assert.equal((await bench.cluster.kubectl(...patch)).code, 0);
    const { code, stdout, stderr } = await fleetscan('scan web --wait -n failing');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^error: imagescan\.fleetscan\.io\/web NotFound: .*\(pods do not get 1\.0\.0: StaleValue: .*\)\n$/,
    );
  });

  it('scan answers two people who ask at the same time', async () => {
    await follow('both');
    await pushImage(registry.host, 'both', '1.1.0');
    const results = await Promise.all([1, 2].map(() => fleetscan('scan web --wait -n both')));
    for (const { code, stdout } of results) {
      assert.equal(code, 0);
      assert.match(stdout, /1\.0\.0 -> 1\.1\.0|1\.1\.0 unchanged/);
    }
    assert.ok(results.some(({ stdout }) => stdout.includes('1.0.0 -> 1.1.0')));
  });

  it('scan says that a scan is suspended, and that a namespace is empty', async () => {
    const spec = { image: `${registry.host}/idle`, suspend: true };
    await bench.cluster.apply(namespaceObject('idle'), imageScan({ namespace: 'idle', name: 'web' }, spec));
    const suspended = await fleetscan('scan web --wait -n idle');
    assert.equal(suspended.code, 1);
    assert.equal(suspended.stderr, 'error: imagescan.fleetscan.io/web is suspended, so it is not scanned\n');
    assert.equal((await fleetscan('scan --all -n idle')).code, 0);
    const none = await fleetscan('scan --all -n nowhere');
    assert.deepEqual(none, { code: 0, stdout: '', stderr: 'No resources found in nowhere namespace.\n' });
  });

  it('status shows what is in force, and where it is written to', async () => {
    await follow('shown');
    const repo = { namespace: 'shown', name: 'apps' };
    await bench.cluster.apply(gitRepo(repo, { repo: 'http://127.0.0.1:1/apps.git', branch: 'main' }));
    await untilGitRepo(bench.client, repo, 'a condition', ({ status }) => status.conditions !== undefined);
    const { code, stdout, stderr } = await fleetscan('status -A');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^NAMESPACE +NAME +IMAGE +TAG +DIGEST +SINCE +READY +SCANNED +LAST SCAN\n/);
    assert.match(stdout, /^shown +web +\S+\/shown +1\.0\.0 +[0-9a-f]{12} +\d+s +True +True +\d+s$/m);
    assert.match(stdout, /\n\nNAMESPACE +GITREPO +REPO +BRANCH +SYNCED +MARKERS +COMMIT +PUSHED\n/);
    assert.match(stdout, /^shown +apps +http:\S+ +main +Unreachable +<none> +<none> +<none>$/m);
    assert.match(
      (await fleetscan('status web -n shown -o wide')).stdout,
      / semver >=1\.0\.0 +15m +chose 1\.0\.0 /,
    );
  });

  it('status gives the very objects that kubectl get gives', async () => {
    await follow('objects');
    const same = async (ours: string, theirs: string): Promise<void> => {
      const { stdout } = await bench.cluster.kubectl('get', '-n', 'objects', ...theirs.split(' '));
      assert.deepEqual(JSON.parse((await fleetscan(`status -n objects ${ours}`)).stdout), JSON.parse(stdout));
    };
    await same('web -o json', 'imagescan web -o json');
    await same('-o=json', 'imagescans -o json');
    await same('web -o json --show-managed-fields', 'imagescan web -o json --show-managed-fields');
    const { stdout } = await bench.cluster.kubectl('get', 'imagescan', '-n', 'objects', '-o', 'name');
    assert.equal((await fleetscan('status -n objects -o name')).stdout, stdout);

    const yaml = (await fleetscan('status -n objects -o yaml')).stdout;
    const applied = await bench.cluster.kubectlWith(
      { stdin: yaml },
      'replace',
      '--dry-run=server',
      '-f',
      '-',
      '-o',
      'json',
    );
    const stored = await readScan(bench.client, { namespace: 'objects', name: 'web' });
    assert.deepEqual(JSON.parse(applied.stdout).spec, stored.spec);
  });

  it('status --watch shows changes and ends on Ctrl-C with the exit code of kubectl get --watch', async () => {
    await follow('watched');
    await pushImage(registry.host, 'watched', '1.1.0');
    const { kubectl } = await binaries(['kubectl']);
    const watch = (line: string) => {
      const lines: string[] = [];
      const running = startProcess({
        name: 'kubectl',
        command: kubectl,
        args: [...line.split(' '), '-n', 'watched', '--watch'],
        env: { ...env, KUBECONFIG: bench.cluster.kubeconfig },
        onLine: (text) => lines.push(text),
      });
      return { lines, running };
    };
    const [ours, theirs] = [watch('fleetscan status'), watch('get imagescans')];
    await waitFor('both to show what is there', () => ours.lines[1] && theirs.lines[1]);
    await fleetscan('scan web --wait -n watched');
    await waitFor('the new tag', () => ours.lines.find((line) => / 1\.1\.0 /.test(line)));
    await bench.cluster.kubectl('delete', 'imagescan/web', '-n', 'watched');
    const gone = 'imagescan.fleetscan.io "web" deleted from watched namespace';
    await waitFor('the deletion', () => ours.lines.find((line) => line === gone));
    for (const { running } of [ours, theirs]) running.kill('SIGINT');
    assert.equal(await ours.running.exited, await theirs.running.exited);
  });

  it('connects as its flags say, and says clearly why it cannot', async () => {
    const cases: readonly (readonly [flags: string, stderr: RegExp])[] = [
      ['--context nope', /^error: the kubeconfig has no context "nope"; it has \S+\n$/],
      ['--kubeconfig /nowhere', /^error: there is no kubeconfig \/nowhere\n$/],
      ['--token wrong', /^error: You must be logged in to the server \(Unauthorized\)\n$/],
      ['-s https://127.0.0.1:1', /^error: cannot reach the API server at 127\.0\.0\.1:1: connection refused/],
      [
        '--as ann',
        /^Error from server \(Forbidden\): imagescans.fleetscan.io is forbidden: User "ann" cannot list/,
      ],
      ['--request-timeout soon', /^error: --request-timeout: "soon" is not a duration/],
      ['-n ..', /^error: "\.\." is not the name of a namespace\n$/],
      ['nope', /^Error from server \(NotFound\): imagescans.fleetscan.io "nope" not found\n$/],
    ];
    const results = await Promise.all(cases.map(([flags]) => fleetscan(`status ${flags}`)));
    for (const [index, { code, stdout, stderr }] of results.entries()) {
      assert.match(stderr, cases[index]![1]);
      assert.deepEqual([code, stdout], [1, '']);
    }
    const allowed = await fleetscan('status -n nowhere --as ann --as-group dev --as-group system:masters');
    const note = 'No resources found in nowhere namespace.\n';
    assert.deepEqual(allowed, { code: 0, stdout: '', stderr: note });
  });

  it('says that a cluster is without Fleetscan', async () => {
    const removed = await bench.cluster.kubectl(
      'delete',
      'crd',
      'imagescans.fleetscan.io',
      'gitrepos.fleetscan.io',
    );
    assert.equal(removed.code, 0, removed.stderr);
    const stderr = await waitFor('the API to be gone', async () => {
      const result = await fleetscan('status');
      return result.code === 0 ? undefined : result.stderr;
    });
    assert.equal(
      stderr,
      'error: the server does not have the resources of fleetscan.io/v1alpha1; is Fleetscan installed in this cluster?\n',
    );
  });
});
