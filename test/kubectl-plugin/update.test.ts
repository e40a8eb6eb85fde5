import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { before, describe, it } from 'node:test';
import { canonicalName, parseReference } from '../../core/reference.ts';
import { mustRun, type RunResult } from '../control-plane/run.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { digestOf, imageIndex, imageManifest, registryError, startFakeRegistry } from '../fakes/registry.ts';
import { buildPlugin, type Plugin } from './plugin.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const OLD = 'image: ghcr.io/acme/web:1.1.0 # {"$imagescan": "web"}\n';
const NEW = 'image: ghcr.io/acme/web:1.2.0 # {"$imagescan": "web"}\n';

/** An ImageScan with a value in its status. */
const scanOf = (name: string, metadata: object = {}): object => ({
  apiVersion: 'fleetscan.io/v1alpha1',
  kind: 'ImageScan',
  metadata: { name, ...metadata },
  spec: { image: `ghcr.io/acme/${name}` },
  status: { canonicalImageName: `ghcr.io/acme/${name}`, latestTag: '1.2.0', latestDigest: DIGEST },
});
const SCANS = JSON.stringify(scanOf('web'));

/** One with 1.2.0 in force, in JSON. */
function inForce(name: string, image: string, latestDigest: string): string {
  const canonicalImageName = canonicalName(parseReference(image));
  const status = { canonicalImageName, latestTag: '1.2.0', latestDigest };
  return JSON.stringify({ ...scanOf(name), spec: { image }, status });
}

let plugin: Plugin;
before(async () => {
  plugin = await buildPlugin();
});

/** A folder with these files. */
async function folderOf(files: Record<string, string | Buffer>): Promise<string> {
  const folder = temporaryFolder('update');
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

/** Runs `update` with the scan `web`, or with those on standard input. */
const update = (folder: string, args: readonly string[] = [], scans = SCANS): Promise<RunResult> =>
  plugin.run(['update', folder, '--scans', '-', ...args], { stdin: scans });

/** A table's rows with one space between cells. */
const rows = (stdout: string): string[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ {3,}/g, ' | '));

describe('update', () => {
  it('writes what is to be written and nothing else, tells of it, and has nothing to do the next time', async () => {
    const folder = await folderOf({
      'apps/web.yaml': `# licence\n---\n${OLD}`,
      'apps/gone.yaml': 'image: x # {"$imagescan": "gone"}\n',
      'other.txt': OLD,
    });
    await chmod(`${folder}/apps/web.yaml`, 0o754);
    const first = await update(folder);
    assert.equal(first.code, 2);
    assert.deepEqual(rows(first.stdout), [
      'FILE | SCAN | OLD | NEW',
      'apps/web.yaml:3 | default/web | ghcr.io/acme/web:1.1.0 | ghcr.io/acme/web:1.2.0',
      '',
      'LEFT ALONE | REASON | WHY',
      'apps/gone.yaml:1 | UnknownScan | no scan gone in namespace default, and none exported to it',
    ]);
    assert.equal(first.stderr, 'markers: 1 written, 0 up to date, 1 left alone\n');
    assert.equal(await readFile(`${folder}/apps/web.yaml`, 'utf8'), `# licence\n---\n${NEW}`);
    assert.equal((await lstat(`${folder}/apps/web.yaml`)).mode & 0o777, 0o754);
    assert.equal(await readFile(`${folder}/other.txt`, 'utf8'), OLD);
    assert.deepEqual(
      (await readdir(`${folder}/apps`)).toSorted(),
      ['gone.yaml', 'web.yaml'],
      'no draft is left',
    );

    const second = await update(folder, ['--all']);
    assert.equal(second.code, 0);
    assert.deepEqual(rows(second.stdout).slice(0, 2), [
      'UP TO DATE | SCAN | VALUE',
      'apps/web.yaml:3 | default/web | ghcr.io/acme/web:1.2.0',
    ]);
    const strict = await update(folder, ['--strict']);
    assert.deepEqual([strict.code, /--strict/.test(strict.stderr)], [1, true]);
  });

  it('writes nothing in a dry run, and its exit code tells of what is pending', async () => {
    const folder = await folderOf({ 'web.yaml': OLD });
    const { code, stderr } = await update(folder, ['--dry-run']);
    assert.deepEqual([code, stderr], [2, 'markers: 1 to be written, 0 up to date, 0 left alone\n']);
    assert.equal(await readFile(`${folder}/web.yaml`, 'utf8'), OLD);
  });

  it('gives all in JSON: each marker is an edit, up to date, or left alone', async () => {
    const folder = await folderOf({
      'a.yaml': `kind: Pod\nmetadata: {name: p, namespace: shop}\n${OLD}`,
      'b.yaml': NEW,
      'c.yaml': 'image: x # {"$imagescan": "gone"}\n',
    });
    const { code, stdout } = await update(folder, ['-o', 'json', '--dry-run']);
    assert.equal(code, 2);
    const image = { scan: 'default/web', form: 'image', marker: 'web' };
    assert.deepEqual(JSON.parse(stdout), {
      dryRun: true,
      counts: { markers: 3, files: 1, edits: 1, upToDate: 1, leftAlone: 1, errors: 0 },
      edits: [
        {
          ...image,
          file: 'a.yaml',
          line: 3,
          object: { kind: 'Pod', namespace: 'shop', name: 'p' },
          before: 'ghcr.io/acme/web:1.1.0',
          after: 'ghcr.io/acme/web:1.2.0',
        },
      ],
      upToDate: [
        {
          ...image,
          file: 'b.yaml',
          line: 1,
          before: 'ghcr.io/acme/web:1.2.0',
          after: 'ghcr.io/acme/web:1.2.0',
        },
      ],
      leftAlone: [
        {
          file: 'c.yaml',
          line: 1,
          reason: 'UnknownScan',
          message: 'no scan gone in namespace default, and none exported to it',
        },
      ],
      errors: [],
    });
  });

  it('gives a table in Markdown that nothing in a file can break', async () => {
    const folder = await folderOf({ 'a|`b.yaml': OLD });
    const { stdout } = await update(folder, ['-o', 'markdown', '--dry-run']);
    const [head, rule, row = ''] = stdout.split('\n');
    assert.deepEqual([head, rule], ['| Image | From | To | Digest | Where |', '|---|---|---|---|---|']);
    assert.match(
      row,
      /^\| `ghcr\.io\/acme\/web` \| `1\.1\.0` \| `1\.2\.0` \| `sha256:\w{64}` \| <code>a&#124;&#96;b&#46;yaml/,
    );
  });

  it('looks under the paths that it is given, read as those of a GitRepo', async () => {
    const folder = await folderOf({ 'apps/a.yaml': OLD, 'base/b.yaml': OLD, 'base/c.yaml': OLD });
    await update(folder, ['--path', '/apps/', '--path', 'base/c.yaml']);
    const contents = ['apps/a.yaml', 'base/b.yaml', 'base/c.yaml'].map((file) =>
      readFile(path.join(folder, file), 'utf8'),
    );
    assert.deepEqual(await Promise.all(contents), [NEW, OLD, NEW]);
    for (const [given, message] of [
      ['../x', /resolves outside the repository root/],
      ['nowhere', /is not in the repository/],
    ] as const) {
      const { code, stderr } = await update(folder, ['--path', given]);
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
  });
});

describe('what update leaves of a file', () => {
  const helm = `{{- if .Values.on }}\n${OLD}tag: {{ .Values.tag }} # {"$imagescan": "web:tag"}\n{{- end }}\n`;
  const files: [name: string, content: string][] = [
    ['crlf.yaml', `a: 1\r\n${OLD.trimEnd()}\r\nb:   'x'\r\n`],
    ['no-end.yaml', `b: [1,2]\n${OLD.trimEnd()}`],
    ['bom.yaml', `\uFEFF${OLD}`],
    [
      'many.yaml',
      Array.from(
        { length: 40 },
        (_, index) => `k${index}: {${index === 3 || index === 30 ? '}' : ' }'}\n`,
      ).join('') + OLD,
    ],
    [
      'flow.yaml',
      `spec: { "image": "ghcr.io/acme/web:1.1.0" } # none\nlist:\n  - >-  # {"$imagescan": "web:tag"}\n    1.1.0\n\n${OLD}`,
    ],
    ['templates/helm.yaml', helm],
    ['o d"d\\ é\t*?[x].yaml', OLD],
    ['-n.yaml', OLD],
    ['new\nline.yaml', OLD],
  ];

  it('is every byte outside the marked values; git apply and patch make the same of its diff', async () => {
    const folder = await folderOf(Object.fromEntries(files));
    const [copy, other] = [`${folder}-git`, `${folder}-patch`];
    await cp(folder, copy, { recursive: true });
    await cp(folder, other, { recursive: true });
    const { code, stdout, stderr } = await update(folder, ['-o', 'diff']);
    assert.equal(code, 2, stderr);
    await mustRun('git', ['apply', '-p1', '-'], {
      cwd: copy,
      stdin: stdout,
      env: { GIT_CEILING_DIRECTORIES: path.dirname(copy) },
    });
    await mustRun('patch', ['-p1', '--binary'], { cwd: other, stdin: stdout });
    for (const [name, content] of files) {
      const expected = content.replaceAll('web:1.1.0 #', 'web:1.2.0 #').replace('    1.1.0\n', '    1.2.0\n');
      for (const root of [folder, copy, other])
        assert.equal(await readFile(path.join(root, name), 'utf8'), expected, `${name} in ${root}`);
    }
    assert.match(stderr, /templates\/helm\.yaml:3: left alone: TemplateValue: /);
  });
});

describe('what update does not write', () => {
  it('is behind symbolic links: out of the folder, in it, dangling, or of a folder', async () => {
    const outside = await folderOf({ 'target.yaml': OLD });
    const folder = await folderOf({ 'real/web.yaml': OLD });
    await symlink(`${outside}/target.yaml`, `${folder}/out.yaml`);
    await symlink('real/web.yaml', `${folder}/in.yaml`);
    await symlink('nowhere', `${folder}/dangling.yaml`);
    await symlink(outside, `${folder}/folder`);
    const { code, stdout } = await update(folder);
    assert.equal(code, 2);
    assert.deepEqual(
      rows(stdout)
        .filter((row) => row.includes('SymbolicLink'))
        .map((row) => row.split(' | ')[0]),
      ['dangling.yaml', 'in.yaml', 'out.yaml'],
    );
    assert.equal(await readFile(`${outside}/target.yaml`, 'utf8'), OLD);
    assert.equal(await readFile(`${folder}/real/web.yaml`, 'utf8'), NEW);
    assert.ok((await lstat(`${folder}/in.yaml`)).isSymbolicLink());
    assert.equal((await update(folder, ['--path', 'folder/target.yaml'])).code, 1);
  });

  it('is .git, and a repository within', async () => {
    const folder = await folderOf({
      '.git/config.yaml': OLD,
      'sub/.git': 'gitdir: x',
      'sub/a.yaml': OLD,
      'a.yaml': NEW,
    });
    assert.equal((await update(folder)).code, 0);
  });

  it('is a file that nobody may write; the others land', async () => {
    const folder = await folderOf({ 'a.yaml': OLD, 'b.yaml': OLD });
    await chmod(`${folder}/a.yaml`, 0o444);
    const { code, stdout, stderr } = await update(folder);
    assert.equal(code, 1);
    assert.match(stderr, /^error: a\.yaml: not written: nobody may write it/m);
    assert.ok(
      rows(stdout).some((row) => row.startsWith('a.yaml:1 | ReadOnly | ')),
      stdout,
    );
    assert.deepEqual(
      [await readFile(`${folder}/a.yaml`, 'utf8'), await readFile(`${folder}/b.yaml`, 'utf8')],
      [OLD, NEW],
    );
  });

  it('is in a folder that may not be written, nor what may not be read', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('has to become another user');
    const folder = await folderOf({
      'closed/a.yaml': OLD,
      'secret.yaml': OLD,
      'b.yaml': OLD,
      'scans.yaml': SCANS,
    });
    await chmod(folder, 0o777);
    await chmod(`${folder}/closed`, 0o755);
    await chmod(`${folder}/secret.yaml`, 0o600);
    await chmod(plugin.folder, 0o755);
    const args = [plugin.file, 'update', folder, '--scans', `${folder}/scans.yaml`];
    const env = { ...process.env, KUBECONFIG: '/dev/null' };
    const child = spawn(process.execPath, args, { uid: 65534, gid: 65534, env, cwd: '/' });
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^error: secret\.yaml: EACCES/m);
    assert.match(stderr, /^error: closed\/a\.yaml: not written: EACCES/m);
    assert.equal(await readFile(`${folder}/b.yaml`, 'utf8'), NEW);
    assert.equal(await readFile(`${folder}/closed/a.yaml`, 'utf8'), OLD);
  });

  it('is a folder that is not there', async () => {
    const { code, stderr } = await update('/nowhere');
    assert.deepEqual([code, stderr.startsWith('error: /nowhere is no folder')], [1, true]);
  });
});

describe('the scans of update', () => {
  it('are objects, lists and documents of any number, of several files', async () => {
    const folder = await folderOf({
      'a.yaml': ['web', 'api', 'job', 'db']
        .map((name) => `${name}: ghcr.io/acme/${name}:1 # {"$imagescan": "${name}"}\n`)
        .join(''),
      'list.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [scanOf('api'), { kind: 'ConfigMap' }],
      }),
      'scans.txt': `# two\n${JSON.stringify(scanOf('job'))}\n---\n${JSON.stringify(scanOf('db'))}\n`,
    });
    const more = ['--scans', `${folder}/list.json`, '--scans', `${folder}/scans.txt`];
    const { code, stderr } = await update(folder, more);
    assert.deepEqual([code, stderr], [2, 'markers: 4 written, 0 up to date, 0 left alone\n']);
  });

  it('are objects of Fleet, too, and ours count where both have a name', async () => {
    const folder = await folderOf({ 'a.yaml': OLD });
    const fleets = {
      apiVersion: 'fleet.cattle.io/v1alpha1',
      kind: 'ImageScan',
      metadata: { name: 'imagescan-apps-0' },
      spec: { image: 'ghcr.io/acme/web', tagName: 'web', interval: '0s' },
      status: { canonicalImageName: 'ghcr.io/acme/web', latestTag: '1.9.0', latestDigest: DIGEST },
    };
    const alone = await update(folder, ['--dry-run'], JSON.stringify(fleets));
    assert.deepEqual(
      rows(alone.stdout)[1],
      'a.yaml:1 | fleet.cattle.io/default/imagescan-apps-0 | ghcr.io/acme/web:1.1.0 | ghcr.io/acme/web:1.9.0',
    );
    const both = JSON.stringify({ kind: 'List', items: [fleets, scanOf('web')] });
    assert.match((await update(folder, ['--dry-run'], both)).stdout, / default\/web .*:1\.2\.0\n/);
  });

  it('are looked up in their namespace, or that of the flag, as a GitRepo would', async () => {
    const own = JSON.stringify({
      ...scanOf('web', { namespace: 'shop' }),
      spec: { image: 'ghcr.io/acme/web', gitrepoName: 'apps' },
    });
    const folder = await folderOf({ 'a.yaml': OLD });
    assert.match((await update(folder, ['--dry-run'], own)).stdout, /shop\/web/);
    assert.match((await update(folder, ['-n', 'other'], own)).stdout, /UnknownScan/);
    assert.match((await update(folder, ['--gitrepo', 'others'], own)).stdout, /UnknownScan/);
    assert.equal((await update(folder, ['--gitrepo', 'apps', '--dry-run'], own)).code, 2);
    const two = `${own}\n---\n${JSON.stringify(scanOf('api', { namespace: 'mine' }))}`;
    assert.match((await update(folder, [], two)).stderr, /several namespaces \(mine, shop\): say with -n/);
    assert.match(
      (await update(folder, [], 'kind: ConfigMap\n')).stderr,
      /- has no ImageScan and no imageScans/,
    );
    assert.equal((await plugin.run(['update', folder])).code, 1);
  });

  it('have no value where the status is of another image than the spec, and that is told', async () => {
    const folder = await folderOf({ 'a.yaml': OLD });
    const moved = JSON.stringify({ ...scanOf('web'), spec: { image: 'ghcr.io/acme/moved' } });
    const { stdout } = await update(folder, ['--offline'], moved);
    assert.match(
      stdout,
      /NoValue +.*: its status is of another image, ghcr\.io\/acme\/web, and --offline asks/,
    );
  });

  it('ask the registry where they have no status, unless that is forbidden', async () => {
    await using registry = await startFakeRegistry();
    for (const tag of ['1.1.0', '1.2.0', 'latest']) registry.push('acme/web', tag);
    const image = `${registry.host}/acme/web`;
    const fleet = `imageScans:\n- tagName: web\n  image: ${image}\n  policy: {semver: {range: "*"}, alphabetical: {order: asc}}\n  interval: 5m\n`;
    const folder = await folderOf({ 'a.yaml': `image: ${image}:1.1.0 # {"$imagescan": "web"}\n` });
    const offline = await update(folder, ['--offline'], fleet);
    assert.equal(offline.code, 0);
    assert.match(offline.stdout, /NoValue +scan default\/web has no value: .*--offline asks no registry/);
    assert.equal(registry.requests.length, 0);
    assert.equal((await update(folder, [], fleet)).code, 2);
    assert.equal(
      await readFile(`${folder}/a.yaml`, 'utf8'),
      `image: ${image}:1.2.0 # {"$imagescan": "web"}\n`,
    );
  });

  it('give what Fleet writes with --compatibility Fleet, for which the registry is asked', async () => {
    await using registry = await startFakeRegistry();
    const index = imageIndex('acme/web', ['linux/arm64', 'linux/amd64']);
    const digest = registry.push('acme/web', '1.2.0', index);
    const arm = registry.push('acme/arm', '1.2.0', imageIndex('acme/arm', ['linux/arm64']));
    const scans = [
      inForce('web', `${registry.host}/acme/web`, digest),
      inForce('arm', `${registry.host}/acme/arm`, arm),
      inForce('nginx', 'nginx', DIGEST),
    ];
    const folder = await folderOf({
      'a.yaml': 'web: x # {"$imagescan": "web:digest"}\narm: x # {"$imagescan": "arm:digest"}\n',
      'b.yaml': 'image: nginx # {"$imagescan": "nginx"}\n',
    });
    const fleet = ['--compatibility', 'Fleet', '--insecure-registry', registry.host];
    const { code, stdout } = await update(folder, fleet, scans.join('\n---\n'));
    assert.equal(code, 2);
    const child = digestOf(Buffer.from(JSON.stringify(imageManifest('acme/web linux/amd64'))));
    assert.equal(
      await readFile(`${folder}/a.yaml`, 'utf8'),
      `web: ${registry.host}/acme/web:1.2.0@${child} # {"$imagescan": "web:digest"}\narm: x # {"$imagescan": "arm:digest"}\n`,
    );
    assert.equal(
      await readFile(`${folder}/b.yaml`, 'utf8'),
      'image: index.docker.io/library/nginx:1.2.0 # {"$imagescan": "nginx"}\n',
    );
    assert.match(
      stdout,
      /a\.yaml:2 +NoValue +.*no child with platform linux\/amd64 in index .*\/acme\/arm@sha256/,
    );
    const again = await update(folder, [...fleet, '--all'], scans.join('\n---\n'));
    assert.equal(again.code, 0);
    assert.match(again.stdout, new RegExp(`a\\.yaml:1 +default/web +.*@${child}`));
  });

  it('give no digest with --compatibility Fleet where the registry is not asked, or does not answer', async () => {
    await using registry = await startFakeRegistry();
    const digest = registry.push('acme/web', '1.2.0');
    registry.fail({ path: /manifests/, respond: registryError(403, 'DENIED') });
    const text = 'a: x # {"$imagescan": "web:digest"}\nb: x # {"$imagescan": "web:tag"}\n';
    const scan = inForce('web', `${registry.host}/acme/web`, digest);
    const folder = await folderOf({ 'a.yaml': text });
    const offline = await update(folder, ['--compatibility', 'Fleet', '--offline', '--dry-run'], scan);
    assert.equal(offline.code, 2);
    assert.match(offline.stdout, /a\.yaml:1 +NoValue +.*--offline asks no registry/);
    assert.equal(registry.requests.length, 0);
    const refused = await update(folder, ['--compatibility', 'Fleet'], scan);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /a\.yaml:1 +NoValue +.*refuses/);
    assert.match(refused.stderr, /^error: \w+: .*refuses/m);
    assert.equal(
      await readFile(`${folder}/a.yaml`, 'utf8'),
      text.replace('b: x', 'b: 1.2.0'),
      'and the rest is written',
    );
  });

  it('that fail are told of; their markers stay, the others are written, and the exit code says so', async () => {
    await using registry = await startFakeRegistry();
    registry.fail({ path: /tags\/list/, respond: registryError(403, 'DENIED') });
    const failing = { ...scanOf('api'), spec: { image: `${registry.host}/acme/api` }, status: {} };
    const folder = await folderOf({ 'a.yaml': OLD, 'b.yaml': 'image: x # {"$imagescan": "api"}\n' });
    const { code, stdout, stderr } = await update(folder, [], `${SCANS}\n---\n${JSON.stringify(failing)}`);
    assert.equal(code, 1);
    assert.match(stdout, /b\.yaml:1 +NoValue +scan default\/api has no value: \w+: .*refuses/);
    assert.match(stderr, /^error: -:3: \w+: .*refuses/m);
    assert.equal(await readFile(`${folder}/a.yaml`, 'utf8'), NEW);
  });

  it('that are wrong are told of with their lines', async () => {
    const folder = await folderOf({ 'a.yaml': OLD });
    const scans = `${SCANS}\n---\n${JSON.stringify({ ...scanOf('bad'), spec: {} })}\n---\n${SCANS}\n---\na: [\n`;
    const { code, stderr } = await update(folder, [], scans);
    assert.equal(code, 1);
    assert.match(stderr, /^error: -:3: ImageScan bad: spec\.image/m);
    assert.match(stderr, /^error: -:5: the ImageScan web is at -:1, too$/m);
    assert.match(stderr, /^error: -:\d: cannot be read/m);
    assert.equal(await readFile(`${folder}/a.yaml`, 'utf8'), NEW);
  });
});

describe('ten thousand files', () => {
  it('take seconds', async () => {
    const folder = temporaryFolder('many');
    for (let index = 0; index < 100; index++) await mkdir(`${folder}/d${index}`);
    const filler = 'key: value\n'.repeat(50);
    await Promise.all(
      Array.from({ length: 10_000 }, (_, index) =>
        writeFile(`${folder}/d${index % 100}/f${index}.yaml`, index % 10 === 0 ? `${filler}${OLD}` : filler),
      ),
    );
    const began = performance.now();
    const { code, stderr } = await update(folder);
    const seconds = (performance.now() - began) / 1000;
    assert.deepEqual([code, stderr], [2, 'markers: 1000 written, 0 up to date, 0 left alone\n']);
    assert.ok(seconds < 30, `${seconds} s`);
  });
});
