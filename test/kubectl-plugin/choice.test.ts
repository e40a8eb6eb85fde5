import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { RunOptions, RunResult } from '../control-plane/run.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { FakeApiServer, sendStatus } from '../fakes/apiserver.ts';
import { type FakeRegistry, imageManifest, startFakeRegistry } from '../fakes/registry.ts';
import { buildPlugin, type Plugin } from './plugin.ts';

const SCANS = '/apis/fleetscan.io/v1alpha1/imagescans';
const SECRETS = '/api/v1/secrets';
const USER = { username: 'puller', password: 'correct-horse' };

let plugin: Plugin;
let server: FakeApiServer;
let registry: FakeRegistry;

before(async () => {
  plugin = await buildPlugin();
});

beforeEach(async () => {
  await server?.stop();
  await registry?.stop();
  server = await new FakeApiServer().start();
  server.unserved.add('fleet.cattle.io');
  registry = await startFakeRegistry();
  for (const tag of ['1.0.0', '1.1.0', '2.0.0-rc.1', 'latest']) registry.push('shop/web', tag);
});

after(async () => {
  await server?.stop();
  await registry?.stop();
});

function fleetscan(args: readonly string[], options?: RunOptions): Promise<RunResult> {
  return plugin.run(['-s', server.url, ...args], options);
}

function putScan(spec: object = {}, status: object = {}, name = 'web'): void {
  server.put(SCANS, {
    apiVersion: 'fleetscan.io/v1alpha1',
    kind: 'ImageScan',
    metadata: { namespace: 'shop', name },
    spec: { image: `${registry.host}/shop/web`, ...spec },
    status,
  });
}

/** A table's rows with one space between cells. */
const rows = (stdout: string): string[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ {3,}/g, ' | '));

describe('explain', () => {
  it('shows for each tag what the policy makes of it, the chosen one first', async () => {
    putScan();
    const { code, stdout, stderr } = await fleetscan(['explain', 'web', '-n', 'shop']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(rows(stdout), [
      'TAG | VERDICT | WHY',
      '1.1.0 | Chosen | the highest version in *',
      '1.0.0 | Lower | 1.1.0 is preferred',
      '2.0.0-rc.1 | PreRelease | a pre-release, and * names none',
      'latest | NotVersion | latest is not a version',
    ]);
    assert.ok(
      server.requests.every(({ method }) => method === 'GET'),
      'nothing is changed',
    );
  });

  it('says what the next scan brings, and what stays in force and why', async () => {
    putScan({}, { latestTag: '1.0.0' });
    assert.match(
      (await fleetscan(['explain', 'web', '-n', 'shop'])).stderr,
      /^1\.0\.0 is in force; the next scan brings 1\.1\.0\n$/,
    );
    putScan({ policy: { semver: { range: '^9' } } }, { latestTag: '1.0.0' });
    const { code, stdout, stderr } = await fleetscan(['explain', 'web', '-n', 'shop']);
    assert.equal(code, 0);
    assert.equal(stderr, '1.0.0 stays in force: no available version matching ^9\n');
    assert.match(stdout, /\n1\.1\.0 +OutOfRange +not in \^9\n/);
  });

  it('is for programs too', async () => {
    putScan({ policy: { semver: { range: '^1' } } });
    const { stdout } = await fleetscan(['explain', 'web', '-n', 'shop', '-o', 'json']);
    const explanation = JSON.parse(stdout);
    assert.equal(explanation.chosen.tag, '1.1.0');
    assert.match(explanation.chosen.digest, /^sha256:/);
    assert.equal(explanation.candidates.length, 4);
    assert.equal((await fleetscan(['explain', 'web', '-n', 'shop', '-o', 'name'])).stdout, '1.1.0\n');
    assert.match((await fleetscan(['explain', 'web', '-n', 'shop', '-o', 'yaml'])).stdout, /^candidates:\n/);
  });

  it('asks with the credentials of the ImageScan, or without where they may not be read', async () => {
    Object.assign(registry.dialect, { auth: 'Basic', users: { [USER.username]: USER.password } });
    const config = JSON.stringify({ auths: { [registry.host]: USER } });
    server.put(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'shop', name: 'pull' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
    });
    putScan({ secretRef: { name: 'pull' } });
    assert.equal((await fleetscan(['explain', 'web', '-n', 'shop', '-o', 'name'])).stdout, '1.1.0\n');
    server.plan(
      ({ path }) => path.includes('/secrets/'),
      (_, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
    );
    const { code, stderr } = await fleetscan(['explain', 'web', '-n', 'shop']);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /reading Secret shop\/pull is not allowed.*: the registry is asked without credentials\n/,
    );
    assert.match(stderr, /error: imagescan\.fleetscan\.io\/web: .*refuses the tags of shop\/web/);
  });

  it('shows what the reconciler noted where the registry cannot be asked from here', async () => {
    putScan(
      { image: '127.0.0.1:1/shop/web' },
      {
        latestTag: '1.0.0',
        lastScanTime: '2026-01-01T00:00:00Z',
        candidates: [{ tag: '1.0.0', verdict: 'Chosen', message: 'noted' }],
      },
    );
    const { code, stdout, stderr } = await fleetscan(['explain', 'web', '-n', 'shop']);
    assert.equal(code, 0);
    assert.deepEqual(rows(stdout), ['TAG | VERDICT | WHY', '1.0.0 | Chosen | noted']);
    assert.match(stderr, /cannot reach 127\.0\.0\.1:1.*noted at 2026-01-01T00:00:00Z/);
  });

  it('says that an ImageScan is not there', async () => {
    const { code, stderr } = await fleetscan(['explain', 'absent', '-n', 'shop']);
    assert.equal(code, 1);
    assert.equal(stderr, 'Error from server (NotFound): absent not found\n');
  });
});

describe('try', () => {
  const tags = [
    '1.0.0',
    '1.1.0',
    'main-9-abc',
    'main-10-def',
    '7',
    '12',
    `sha256-${'a'.repeat(64)}.sig`,
  ].join('\n');

  for (const [args, expected] of [
    [['--semver', '<1.1'], '1.0.0'],
    [['--semver', '>=1', '--versions', 'Strict'], '1.1.0'],
    [['--alphabetical', 'asc'], '1.0.0'],
    [['--alphabetical', 'desc'], 'main-9-abc'],
    [['--alphabetical', 'desc', '--exclude', '^main'], '7'],
    [['--numerical', 'asc'], '12'],
    [['--numerical', 'desc'], '7'],
    [['--numerical', 'asc', '--filter', '^main-(?P<n>\\d+)-', '--extract', '$n'], 'main-10-def'],
    [['--exclude', '^12$', '--exclude', '^7'], '1.1.0'],
  ] as const) {
    it(`${args.join(' ')} chooses ${expected} of standard input`, async () => {
      const { code, stdout, stderr } = await plugin.run(['try', '--tags-from', '-', '-o', 'name', ...args], {
        stdin: tags,
      });
      assert.deepEqual([code, stdout], [0, `${expected}\n`], stderr);
    });
  }

  it('takes tags as a registry lists them, too, and warns', async () => {
    const file = `${temporaryFolder('tags')}/tags.json`;
    await writeFile(file, JSON.stringify({ name: 'app', tags: ['1.2.3', '20240101'] }));
    const { stdout, stderr } = await plugin.run(['try', '--tags-from', file]);
    assert.match(stdout, /^TAG +VERDICT +WHY\n20240101 +Chosen/);
    assert.match(stderr, /^warning: 20240101 counts as version 20240101\.0\.0 and wins over full versions/);
  });

  it('asks a registry, and passes over what is no image', async () => {
    const config = {
      mediaType: 'application/vnd.cncf.helm.config.v1+json',
      digest: `sha256:${'0'.repeat(64)}`,
    };
    registry.push('shop/web', '3.0.0', { ...imageManifest('chart'), config });
    const { code, stdout } = await plugin.run(['try', '--image', `${registry.host}/shop/web`]);
    assert.equal(code, 0);
    assert.deepEqual(rows(stdout).slice(1, 5), [
      '1.1.0 | Chosen | the highest version in *',
      '1.0.0 | Lower | 1.1.0 is preferred',
      '2.0.0-rc.1 | PreRelease | a pre-release, and * names none',
      '3.0.0 | NotImage | is a Helm chart',
    ]);
    const { stdout: digest } = await plugin.run([
      'try',
      '--image',
      `${registry.host}/shop/web`,
      '--digest',
      'latest',
      '-o',
      'json',
    ]);
    assert.equal(JSON.parse(digest).chosen.tag, 'latest');
  });

  it('takes credentials from a Docker configuration, and a registry in plain HTTP by name', async () => {
    Object.assign(registry.dialect, { auth: 'Basic', users: { [USER.username]: USER.password } });
    const folder = temporaryFolder('docker');
    const file = `${folder}/config.json`;
    await writeFile(file, JSON.stringify({ auths: { [registry.host]: USER } }));
    const args = ['try', '--image', `${registry.host}/shop/web`, '-o', 'name'];
    const { stdout } = await plugin.run([
      ...args,
      '--docker-config',
      file,
      '--insecure-registry',
      registry.host,
    ]);
    assert.equal(stdout, '1.1.0\n');
    const { code, stderr } = await plugin.run(args);
    assert.equal(code, 1);
    assert.match(stderr, /it wants credentials/);
  });

  for (const [args, message] of [
    [[], /say which tags: --image or --tags-from/],
    [['--image', 'a/b', '--tags-from', '-'], /use either --image or --tags-from/],
    [['--tags-from', '-', '--newest'], /--newest has to ask the registry/],
    [['--tags-from', '-', '--digest', 'a'], /--digest has to ask the registry/],
    [['--tags-from', '-', '--semver', '*', '--numerical', 'asc'], /name one policy only/],
    [['--tags-from', '-', '--extract', '$1'], /--extract goes with --filter/],
    [['--tags-from', '-', '--semver', 'newest'], /improper constraint/],
    [['--tags-from', '-', '--filter', '('], /filterTags\.pattern is no regular expression/],
    [['--tags-from', '/nowhere'], /ENOENT/],
    [['--tags-from', '-', '--semver', '^9'], /no available version matching \^9/],
    [['--image', 'UPPER/x'], /could not parse reference/],
  ] as const) {
    it(`${args.join(' ')} fails and says why`, async () => {
      const { code, stderr } = await plugin.run(['try', ...args], { stdin: '1.0.0\n' });
      assert.equal(code, 1);
      assert.match(stderr, message);
    });
  }
});

describe('lint', () => {
  const scan = (name: string, spec: string): string =>
    `apiVersion: fleetscan.io/v1alpha1\nkind: ImageScan\nmetadata:\n  name: ${name}\nspec:\n  ${spec}\n`;

  it('finds mistakes in files, with file and line, and asks no registry when offline', async () => {
    const folder = temporaryFolder('lint');
    await mkdir(`${folder}/scans`);
    await writeFile(
      `${folder}/scans/a.yaml`,
      [
        '# two',
        scan('good', 'image: ghcr.io/a/b'),
        '---',
        scan('bad', '{image: ghcr.io/a/b, policy: {semver: {range: x.y.z.w}}}'),
      ].join('\n'),
    );
    await writeFile(`${folder}/scans/b.yaml`, 'a: [\n');
    await writeFile(`${folder}/scans/c.yaml`, 'kind: ConfigMap\n');
    await writeFile(
      `${folder}/scans/d.json`,
      JSON.stringify({
        apiVersion: 'fleetscan.io/v1alpha1',
        kind: 'ImageScan',
        metadata: { name: 'no-image' },
        spec: {},
      }),
    );
    const { code, stdout, stderr } = await plugin.run(['lint', '-f', `${folder}/scans`, '--offline']);
    assert.equal(code, 1);
    assert.equal(stderr, 'error: there are 3 errors\n');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replaceAll(`${folder}/scans/`, ''));
    assert.equal(lines.length, 3);
    assert.ok(
      lines.some((line) => /^a\.yaml:10: error: InvalidRange: improper constraint: "x\.y\.z\.w"$/.test(line)),
      stdout,
    );
    assert.ok(
      lines.some((line) => /^b\.yaml:\d: error: cannot be read: /.test(line)),
      stdout,
    );
    assert.ok(
      lines.some((line) => /^d\.json:1: error: .*spec\.image/.test(line)),
      stdout,
    );
  });

  it('looks over what a fleet.yaml defines, and objects of Fleet, alone and in lists', async () => {
    const folder = temporaryFolder('lint-fleet');
    const fleets = (name: string, range: string): object => ({
      apiVersion: 'fleet.cattle.io/v1alpha1',
      kind: 'ImageScan',
      metadata: { name },
      spec: { image: 'ghcr.io/a/b', interval: '5m', policy: { semver: { range } } },
    });
    await writeFile(
      `${folder}/fleet.yaml`,
      'imageScans:\n- {tagName: web, image: ghcr.io/a/b}\n- {image: ghcr.io/a/c}\n- {tagName: web, image: ghcr.io/a/d}\n',
    );
    await writeFile(
      `${folder}/list.json`,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [fleets('good', '^1'), fleets('bad', 'x.y.z.w')],
      }),
    );
    const { code, stdout, stderr } = await plugin.run(['lint', '-f', folder, '--offline']);
    assert.deepEqual([code, stderr], [1, 'error: there are 3 errors\n']);
    assert.deepEqual(stdout.replaceAll(`${folder}/`, '').trimEnd().split('\n'), [
      'fleet.yaml:3: error: imageScans[1]: tagName is missing: markers name the scan by it',
      'fleet.yaml:4: error: imageScans[2]: tagName web is taken by line 2, and no marker could tell the two apart',
      'list.json:1: error: InvalidRange: improper constraint: "x.y.z.w"',
    ]);
    const map = await plugin.run(['lint', '-f', '-', '--offline'], {
      stdin: 'imageScans:\n  web: {image: a}\n',
    });
    assert.match(map.stdout, /^-:2: error: imageScans is a mapping and has to be a list/);
  });

  it('warns of a partial version that wins over full ones, in the cluster and in files', async () => {
    registry.push('shop/web', '20240101');
    putScan();
    putScan({ policy: { semver: { range: '^9' } } }, {}, 'none');
    const { code, stdout } = await fleetscan(['lint', '-n', 'shop']);
    assert.equal(code, 1);
    assert.deepEqual(stdout.trimEnd().split('\n').toSorted(), [
      'imagescan.fleetscan.io/none: error: NoMatch: no available version matching ^9',
      'imagescan.fleetscan.io/web: warning: 20240101 counts as version 20240101.0.0 and wins over full versions; versions: Strict passes over such tags',
    ]);
    const one = await fleetscan(['lint', 'web', '-n', 'shop']);
    assert.equal(one.code, 0);
    assert.match(one.stdout, /warning: 20240101/);
    const file = await plugin.run(['lint', '-f', '-'], {
      stdin: scan('web', `image: ${registry.host}/shop/web`),
    });
    assert.deepEqual([file.code, file.stdout.split(' counts')[0]], [0, '-:1: warning: 20240101']);
  });

  it('says nothing of what is right, and that a name is not there', async () => {
    putScan();
    const { code, stdout, stderr } = await fleetscan(['lint', '-n', 'shop']);
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
    assert.match(
      (await fleetscan(['lint', 'absent', '-n', 'shop'])).stderr,
      /^Error from server \(NotFound\): absent not found\n$/,
    );
    assert.match((await fleetscan(['lint', 'web', '-f', '-'])).stderr, /use either names or --filename/);
  });
});
