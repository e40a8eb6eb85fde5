import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { type BinariesOptions, binaries } from './binaries.ts';
import { type FileServer, startFileServer } from './file-server.ts';
import { filesOf } from './module-files.ts';
import { currentPlatform } from './platform.ts';
import { temporaryFolder } from './processes.ts';
import { silent } from './progress.ts';
import { releaseOf } from './releases.ts';
import { mustRun } from './run.ts';
import { type BinaryName, PROGRAMS, VERSIONS, versionOf } from './versions.ts';

const platform = currentPlatform();
let server: FileServer;
before(async () => {
  server = await startFileServer();
});
after(() => server.stop());

/** Options under which nothing of this machine is found. */
function bare(more: BinariesOptions = {}): BinariesOptions {
  const cacheFolder = temporaryFolder('bin');
  return { assets: '', cacheFolder, mirror: server.url, progress: silent, go: 'no-such-go', ...more };
}

function pathAt(url: string): string {
  const { host, pathname } = new URL(url);
  return `/${host}${pathname}`;
}

/** Publishes a release that prints `from a release`. */
async function publish(name: BinaryName): Promise<string> {
  const { url, checksumUrl, member } = releaseOf(name, platform);
  const program = '#!/bin/sh\necho from a release\n';
  if (member === undefined) {
    server.publish(pathAt(url), Buffer.from(program));
    return pathAt(url);
  }
  const folder = temporaryFolder('archive');
  const path = join(folder, member);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, program);
  await mustRun('tar', ['-czf', 'archive', member], { cwd: folder });
  server.publish(pathAt(url), await readFile(join(folder, 'archive')));
  server.publish(pathAt(checksumUrl), await checksumOf(url));
  return pathAt(url);
}

async function checksumOf(url: string): Promise<Buffer> {
  const { body } = await request(`${server.url}${pathAt(url)}.sha256`);
  return Buffer.from(`${(await body.text()).trim()}  ${url.split('/').at(-1)}\n`);
}

test('programs come from their releases, whole and executable, and only once', async () => {
  const paths = [await publish('kubectl'), await publish('etcd'), await publish('helm')];
  const options = bare();
  const got = await binaries(['kubectl', 'etcd', 'helm'], options);
  for (const path of Object.values(got)) assert.equal((await mustRun(path, [])).stdout, 'from a release\n');
  assert.equal(got.helm, join(options.cacheFolder!, `helm-v3.22.0-${platform.os}-${platform.arch}`));
  assert.deepEqual(
    (await readdir(options.cacheFolder!)).length,
    3,
    'nothing but the programs is left in the cache',
  );
  await binaries(['kubectl', 'etcd', 'helm'], options);
  for (const path of paths)
    assert.equal(server.requests.filter(({ path: asked }) => asked === path).length, 1);
});

test('KUBEBUILDER_ASSETS comes first, for those that it holds', async () => {
  await publish('kubectl');
  const assets = temporaryFolder('assets');
  await writeFile(join(assets, 'etcd'), '#!/bin/sh\n');
  await chmod(join(assets, 'etcd'), 0o755);
  const options = bare({ assets });
  const got = await binaries(['etcd', 'kubectl'], options);
  assert.equal(got.etcd, join(assets, 'etcd'));
  assert.ok(got.kubectl.startsWith(options.cacheFolder!));
});

test('without a release, Go builds, and shows what it does', async () => {
  const go = join(temporaryFolder('go'), 'go');
  await writeFile(go, FAKE_GO);
  await chmod(go, 0o755);
  const lines: string[] = [];
  const progress = { line: (text: string) => lines.push(text), update: () => {} };
  const { registry } = await binaries(['registry'], bare({ go, progress }));
  assert.match(lines[0]!, /^no release to download, so Go has to build: .* answered 404$/);
  assert.equal(lines[1], 'building registry v3.1.2 with Go (1 of 1)');
  const said = await readFile(registry, 'utf8');
  assert.match(said, /modules\/registry\n/);
  assert.match(
    said,
    / -trimpath .* -mod=readonly .* github\.com\/distribution\/distribution\/v3\/cmd\/registry\n/,
  );
  assert.match(said, /CGO_ENABLED=0 GOWORK=off\n/);
  assert.notEqual((await stat(registry)).mode & 0o111, 0);
});

// Writes where and how it was run to the file after -o.
const FAKE_GO = `#!/bin/sh
all="$*"
while [ "$1" != -o ]; do shift; done
echo example.com/a/package >&2
printf '%s\\n%s\\nCGO_ENABLED=%s GOWORK=%s\\n' "$PWD" "$all" "$CGO_ENABLED" "$GOWORK" > "$2"
`;

test('what a program reads when it runs is copied from its module, and can be deleted', async () => {
  const module = temporaryFolder('module');
  await mkdir(join(module, 'templates', 'repo'), { recursive: true });
  for (const folder of ['options', 'public']) await mkdir(join(module, folder));
  await writeFile(join(module, 'templates', 'repo', 'home.tmpl'), 'Home', { mode: 0o444 });
  await writeFile(join(module, 'main.go'), 'package main');
  await chmod(join(module, 'templates', 'repo'), 0o555);
  const go = join(temporaryFolder('go'), 'go');
  const list = `if [ "$1" = list ]; then echo '${module}'; exit; fi`;
  await writeFile(go, FAKE_GO.replace('\n', `\n${list}\n`), { mode: 0o755 });
  const { gitea } = await binaries(['gitea'], bare({ go }));
  const files = await readdir(filesOf(gitea), { recursive: true });
  assert.deepEqual(files.sort(), ['templates', 'templates/repo', 'templates/repo/home.tmpl']);
  assert.notEqual((await stat(join(filesOf(gitea), 'templates', 'repo'))).mode & 0o200, 0);
});

test('a machine that can do none gets one error with all that was tried', async () => {
  await assert.rejects(binaries(['kube-controller-manager'], bare()), {
    code: 'NotAvailable',
    message:
      /^kube-controller-manager v1\.36\.3 cannot be had .*\n- KUBEBUILDER_ASSETS: not set\n- the cache: .* does not hold it\n- the official release: .* answered 404\n- a build with Go: there is no no-such-go on this machine\nGive this machine /,
  });
});

test('a build that fails shows what Go said', async () => {
  const go = join(temporaryFolder('go'), 'go');
  await writeFile(go, '#!/bin/sh\necho "go: module lookup disabled" >&2\nexit 1\n');
  await chmod(go, 0o755);
  await assert.rejects(binaries(['kube-controller-manager'], bare({ go })), {
    message: /module lookup disabled/,
  });
});

test('a wrong checksum is no reason to look elsewhere', async () => {
  const path = await publish('kube-apiserver');
  server.publish(`${path}.sha256`, Buffer.from('0'.repeat(64)));
  await assert.rejects(binaries(['kube-apiserver'], bare()), { code: 'WrongChecksum' });
});

test('two processes at once do it once', async () => {
  const path = await publish('kubectl');
  const before = server.requests.filter(({ path: asked }) => asked === path).length;
  const script = fileURLToPath(new URL('binaries.child.ts', import.meta.url));
  const cacheFolder = temporaryFolder('bin');
  const args = [script, cacheFolder, server.url];
  const results = await Promise.all([1, 2].map(() => mustRun(process.execPath, args)));
  for (const { stdout } of results)
    assert.equal(
      stdout,
      join(cacheFolder, `kubectl-${versionOf('kubectl')}-${platform.os}-${platform.arch}`),
    );
  assert.equal(server.requests.filter(({ path: asked }) => asked === path).length, before + 1);
});

test('go.mod of each project pins the version of the table', async () => {
  for (const { project, goPackage } of Object.values(PROGRAMS)) {
    const file = fileURLToPath(new URL(`modules/${project}/go.mod`, import.meta.url));
    const required = /^require (\S+) (\S+)$/m.exec(await readFile(file, 'utf8'));
    assert.ok(goPackage.startsWith(required![1]!), file);
    assert.equal(required![2], VERSIONS[project], file);
  }
});
