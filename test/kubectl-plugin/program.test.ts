import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { FakeApiServer, sendStatus } from '../fakes/apiserver.ts';
import type { RunResult } from '../control-plane/run.ts';
import { waitFor } from '../wait.ts';
import { buildPlugin, type Plugin } from './plugin.ts';

const SCANS = '/apis/fleetscan.io/v1alpha1/imagescans';
const FLEET_SCANS = '/apis/fleet.cattle.io/v1alpha1/imagescans';
const REPOS = '/apis/fleetscan.io/v1alpha1/gitrepos';
const REQUEST = 'fleetscan.io/scan-requested-at';

let plugin: Plugin;
let server: FakeApiServer;

before(async () => {
  plugin = await buildPlugin();
});

beforeEach(async () => {
  await server?.stop();
  server = await new FakeApiServer().start();
  server.unserved.add('fleet.cattle.io');
});

after(() => server?.stop());

describe('status', () => {
  it('shows a table for each kind, an empty line between them, and nothing on standard error', async () => {
    putScan('web', { latestTag: '1.2.0' });
    server.put(REPOS, {
      metadata: { name: 'apps', namespace: 'shop' },
      spec: { repo: 'https://git.example/apps' },
    });
    const { code, stdout, stderr } = await fleetscan('status -n shop');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^NAME .*\nweb .*1\.2\.0.*\n\nGITREPO .*\napps .*\n$/);
  });

  it('reads long lists page by page', async () => {
    for (let index = 0; index < 1001; index++) putScan(`scan-${index}`);
    const { stdout } = await fleetscan('status -n shop -o name');
    assert.equal(
      stdout.split('\n').filter((line) => line.startsWith('imagescan.fleetscan.io/scan-')).length,
      1001,
    );
    assert.equal(server.requests.filter(({ path }) => /fleetscan\.io.*\/imagescans$/.test(path)).length, 3);
  });

  it('ends quietly when its reader has enough', async () => {
    for (let index = 0; index < 2000; index++) putScan(`scan-${index}`);
    const child = spawn(
      process.execPath,
      [plugin.file, '-s', server.url, 'status', '-n', 'shop', '-o', 'json'],
      {
        env: { ...process.env, KUBECONFIG: '/dev/null' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = await once(child, 'close');
    assert.deepEqual([code, Buffer.concat(errors).toString()], [0, '']);
  });

  it('shows what it may, and tells what it may not', async () => {
    putScan('web');
    server.plan(
      ({ path }) => path === '/apis/fleetscan.io/v1alpha1/namespaces/shop/gitrepos',
      (_, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
    );
    const { code, stdout, stderr } = await fleetscan('status -n shop');
    assert.equal(code, 1);
    assert.match(stdout, /\nweb /);
    assert.equal(stderr, 'Error from server (Forbidden): not you\n');
  });

  it('shows the other objects when one is not as it should be, and tells of it', async () => {
    putScan('web');
    server.put(SCANS, { metadata: { name: 'odd', namespace: 'shop' }, spec: { image: 7 } });
    const { code, stdout, stderr } = await fleetscan('status -n shop');
    assert.equal(code, 1);
    assert.match(stdout, /^NAME .*\nweb .*\n$/);
    assert.match(stderr, /^error: ImageScan shop\/odd: spec\.image: /);
  });

  it('gives up a server that does not answer when the request timeout is over', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => sockets.push(socket));
    const { code, stdout, stderr } = await plugin.run(
      `status -s http://${address} --request-timeout 300ms`.split(' '),
    );
    for (const socket of sockets) socket.destroy();
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(stderr, `error: ${address} gave no answer within 300 ms\n`);
  });
});

describe('status of a cluster with Fleet', () => {
  beforeEach(() => server.unserved.clear());

  it('passes over kinds of Fleet that the user may not see, but not over other failures', async () => {
    putScan('web');
    const refuse = (code: number, reason: string): void =>
      server.plan(
        ({ path }) => path.startsWith('/apis/fleet.cattle.io/') && path.endsWith('/imagescans'),
        (_, response) => sendStatus(response, code, reason, 'not now'),
      );
    refuse(403, 'Forbidden');
    const forbidden = await fleetscan('status -n shop -o name');
    assert.deepEqual(forbidden, { code: 0, stdout: 'imagescan.fleetscan.io/web\n', stderr: '' });
    refuse(500, 'InternalError');
    const failed = await fleetscan('status -n shop -o name');
    assert.deepEqual([failed.code, failed.stdout], [1, 'imagescan.fleetscan.io/web\n']);
    assert.equal(failed.stderr, 'Error from server: not now\n');
  });

  it('prints no document when ours are refused and there are none of Fleet', async () => {
    for (const plural of ['imagescans', 'gitrepos'])
      server.plan(
        ({ path }) => path === `/apis/fleetscan.io/v1alpha1/namespaces/shop/${plural}`,
        (_, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
      );
    const { code, stdout, stderr } = await fleetscan('status -n shop -o json');
    assert.deepEqual([code, stdout, stderr], [1, '', 'Error from server (Forbidden): not you\n']);
  });

  it('shows the other objects when one of Fleet is not as it should be', async () => {
    putFleetScan('web', { latestTag: '1' });
    server.put(FLEET_SCANS, { metadata: { name: 'odd', namespace: 'shop' }, spec: { image: 7 } });
    const { code, stdout, stderr } = await fleetscan('status -n shop');
    assert.equal(code, 1);
    assert.match(stdout, /^NAME +TAGNAME .*\nimagescan\.fleet\.cattle\.io\/web +web .*\n$/);
    assert.match(stderr, /^error: ImageScan shop\/odd: spec\.image: /);
  });
});

describe('status --watch', () => {
  it('shows each change as a line of its own, aligned, and ends with 1 when interrupted', async () => {
    putScan('web', { latestTag: '1.2.0' });
    const { lines, running } = watch('status -n shop --watch');
    await waitFor('the first line', () => lines[1]);
    putScan('web', { latestTag: '1.3.0' });
    await waitFor('the second line', () => lines[2]);
    running.kill('SIGINT');
    assert.equal(await running.exited, 1);
    assert.match(lines.join('\n'), /^NAME .*\nweb .*1\.2\.0.*\nweb .*1\.3\.0.*$/);
    assert.equal(lines[1]?.indexOf('1.2.0'), lines[0]?.indexOf('TAG'));
    assert.equal(lines[2]?.indexOf('1.3.0'), lines[0]?.indexOf('TAG'));
  });

  it('goes on after an interruption, and shows only what is new or gone', async () => {
    putScan('web');
    putScan('api');
    const { lines, running } = watch('status -n shop --watch -o name');
    await waitFor('both', () => lines[1]);
    await waitFor('the watch', () => (server.openWatches === 1 ? true : undefined));
    server.endWatches();
    await waitFor('it to end', () => (server.openWatches === 0 ? true : undefined));
    server.remove(SCANS, 'shop', 'api');
    putScan('new');
    server.compact();
    server.resetWatches();
    await waitFor('the new', () => lines.find((line) => line.endsWith('/new')));
    running.kill('SIGINT');
    await running.exited;
    const said = lines.filter((line) => !line.endsWith('trying again'));
    assert.deepEqual(said.sort(), [
      'imagescan.fleetscan.io "api" deleted from shop namespace',
      'imagescan.fleetscan.io/api',
      'imagescan.fleetscan.io/new',
      'imagescan.fleetscan.io/web',
    ]);
  });

  it('gives documents in JSON and YAML', async () => {
    putScan('web');
    const json = watch('status web -n shop --watch -o json');
    await waitFor('the end of the document', () => json.lines.find((line) => line === '}'));
    json.running.kill('SIGINT');
    assert.equal(JSON.parse(json.lines.join('\n')).metadata.name, 'web');

    const yaml = watch('status web -n shop -w -o yaml');
    await waitFor('the document', () => yaml.lines.find((line) => line.startsWith('spec:')));
    await waitFor('the watch', () => (server.openWatches === 1 ? true : undefined));
    putScan('web', { latestTag: '9' });
    await waitFor('the next', () => yaml.lines.find((line) => line === '---'));
    yaml.running.kill('SIGINT');
    await Promise.all([json.running.exited, yaml.running.exited]);
  });

  it('watches ours alone where those of Fleet may not be seen', async () => {
    server.unserved.clear();
    server.plan(
      ({ path }) => path.startsWith('/apis/fleet.cattle.io/'),
      (_, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
    );
    putScan('web');
    const { lines, running } = watch('status -n shop --watch -o name');
    await waitFor('the refusal', () => server.requests.find(({ path }) => path.includes('fleet.cattle.io')));
    await waitFor('the watch', () => (server.openWatches === 1 ? true : undefined));
    putScan('api');
    await waitFor('the new', () => lines[1]);
    running.kill('SIGINT');
    assert.equal(await running.exited, 1);
    assert.deepEqual(lines, ['imagescan.fleetscan.io/web', 'imagescan.fleetscan.io/api']);
  });

  it('does not wait for a scan that does not exist, nor for a server that is not there', async () => {
    const missing = await fleetscan('status nope -n shop --watch');
    assert.equal(missing.code, 1);
    const url = server.url;
    await server.stop();
    const { code, stderr } = await plugin.run(['-s', url, 'status', '--watch']);
    server = await new FakeApiServer().start();
    assert.equal(code, 1);
    assert.match(stderr, /^error: cannot reach the API server at .*connection refused/);
  });
});

describe('scan --wait', () => {
  it('tells the results in the order in which the scans were named', async () => {
    for (const name of ['a', 'b', 'c']) putScan(name, { latestTag: '1' });
    const running = fleetscan('scan c a b --wait -n shop');
    const request = await asked('b');
    for (const name of ['b', 'a', 'c']) putAnswer(name, '2', { handled: request, latest: request });
    const { code, stdout } = await running;
    assert.equal(code, 0);
    assert.deepEqual(stdout.trim().split('\n'), [
      'imagescan.fleetscan.io/c 1 -> 2',
      'imagescan.fleetscan.io/a 1 -> 2',
      'imagescan.fleetscan.io/b 1 -> 2',
    ]);
    assert.ok(server.requests.filter(({ isWatch }) => isWatch).length <= 1, 'one watch serves them all');
  });

  it('is answered by the scan for who asked later, and not by one for who asked before', async () => {
    putScan('web', { latestTag: '1' });
    const running = fleetscan('scan web --wait -n shop');
    const mine = await asked('web');
    await waitFor('the watch', () => (server.openWatches === 1 ? true : undefined));
    putAnswer('web', '2', { handled: 'asked before', latest: mine });
    putAnswer('web', '2', { handled: 'asked before', latest: 'asked later' });
    putAnswer('web', '3', { handled: 'asked later', latest: 'asked later' });
    const { stdout } = await running;
    assert.equal(stdout, 'imagescan.fleetscan.io/web 1 -> 3\n');
  });

  it('tells that there was no answer in time, that a scan was deleted, that one is suspended', async () => {
    putScan('late');
    putScan('gone');
    putScan('idle', {}, { suspend: true });
    const running = fleetscan('scan late gone idle --wait --timeout 1500ms -n shop');
    await asked('gone');
    server.remove(SCANS, 'shop', 'gone');
    const { code, stdout, stderr } = await running;
    assert.deepEqual([code, stdout], [1, '']);
    assert.deepEqual(stderr.trim().split('\n'), [
      'error: imagescan.fleetscan.io/late was not scanned within 1500ms; is the reconciler running?',
      'error: imagescan.fleetscan.io/gone was deleted before it was scanned',
      'error: imagescan.fleetscan.io/idle is suspended, so it is not scanned',
    ]);
  });

  it('waits on while the server is away', async () => {
    putScan('web', { latestTag: '1' });
    const running = fleetscan('scan web --wait -n shop');
    const mine = await asked('web');
    await waitFor('the watch', () => (server.openWatches === 1 ? true : undefined));
    server.plan(
      ({ isWatch }) => isWatch,
      (_, response) => sendStatus(response, 500, 'InternalError', 'not now'),
    );
    server.resetWatches();
    putAnswer('web', '2', { handled: mine, latest: mine });
    const { code, stdout, stderr } = await running;
    assert.deepEqual([code, stdout], [0, 'imagescan.fleetscan.io/web 1 -> 2\n']);
    assert.match(stderr, /trying again/);
  });

  it('does not wait for what it may not see', async () => {
    putScan('web');
    server.plan(
      ({ path, method }) => method === 'GET' && path.endsWith('/imagescans'),
      (_, response) => sendStatus(response, 403, 'Forbidden', 'not you'),
    );
    const { code, stderr } = await fleetscan('scan web --wait -n shop');
    assert.deepEqual([code, stderr], [1, 'Error from server (Forbidden): not you\n']);
  });
});

describe('scan --wait of both groups', () => {
  beforeEach(() => server.unserved.clear());

  it('tells the results in the order of the names, with one watch for each group', async () => {
    putScan('a', { latestTag: '1' });
    putFleetScan('b', { latestTag: '1' });
    putFleetScan('c', { latestTag: '1' });
    const running = fleetscan('scan c a b --wait -n shop');
    const request = await asked('b');
    await waitFor('both watches', () => (server.openWatches === 2 ? true : undefined));
    for (const name of ['b', 'c'])
      putFleetScan(name, { latestTag: '2' }, { [REQUEST]: request, 'fleetscan.io/scan-handled': request });
    putAnswer('a', '2', { handled: request, latest: request });
    const { code, stdout } = await running;
    assert.equal(code, 0);
    assert.deepEqual(stdout.trim().split('\n'), [
      'imagescan.fleet.cattle.io/c 1 -> 2',
      'imagescan.fleetscan.io/a 1 -> 2',
      'imagescan.fleet.cattle.io/b 1 -> 2',
    ]);
    assert.equal(server.requests.filter(({ isWatch }) => isWatch).length, 2);
  });

  it('reads the tagNames once for all names that are none', async () => {
    for (const name of ['one', 'two']) putFleetScan(`imagescan-${name}-0`, {}, {}, name);
    const { code, stdout } = await fleetscan('scan two one -n shop');
    assert.equal(code, 0);
    assert.deepEqual(stdout.trim().split('\n'), [
      'imagescan.fleet.cattle.io/imagescan-two-0 scan requested',
      'imagescan.fleet.cattle.io/imagescan-one-0 scan requested',
    ]);
    assert.equal(server.requests.filter(({ path }) => path.endsWith('/imagescans')).length, 2);
  });
});

describe('scan --all', () => {
  it('passes over suspended scans with a note', async () => {
    putScan('web');
    putScan('idle', {}, { suspend: true });
    const { code, stdout, stderr } = await fleetscan('scan --all -n shop');
    assert.equal(code, 0);
    assert.equal(stdout, 'imagescan.fleetscan.io/web scan requested\n');
    assert.equal(stderr, 'imagescan.fleetscan.io/idle is suspended, so it is not scanned\n');
  });

  it('names the namespaces when there are several', async () => {
    putScan('web');
    server.put(SCANS, { metadata: { name: 'web', namespace: 'other' }, spec: { image: 'example.com/web' } });
    const { stdout } = await fleetscan('scan --all -A');
    assert.deepEqual(stdout.trim().split('\n').sort(), [
      'imagescan.fleetscan.io/web (other) scan requested',
      'imagescan.fleetscan.io/web (shop) scan requested',
    ]);
  });
});

it('version and --help load no more than the command line', async () => {
  // Prints the URL of each module that is loaded.
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { process._rawDebug('loads ' + url); return next(url, context); } });`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hook)}`;
  for (const args of [['version'], ['--help'], ['status', '--help']]) {
    const { code, stderr } = await plugin.run(args, { env: { NODE_OPTIONS } });
    assert.equal(code, 0);
    const files = [...stderr.matchAll(/^loads file:\/\/(.*)$/gm)].map(([, file]) => file);
    assert.ok(files.includes(plugin.file), stderr);
    // What esbuild puts into every bundle is a file of its own.
    assert.ok(files.length <= 2, `${args.join(' ')} loads ${files.join(', ')}`);
  }
});

async function fleetscan(line: string): Promise<RunResult> {
  return plugin.run(['-s', server.url, ...line.split(' ')]);
}

function watch(line: string) {
  const lines: string[] = [];
  const running = plugin.start(['-s', server.url, ...line.split(' ')], (text) => lines.push(text));
  return { lines, running };
}

function putScan(name: string, status = {}, spec = {}): void {
  const metadata = { name, namespace: 'shop' };
  server.put(SCANS, { metadata, spec: { image: `example.com/${name}`, ...spec }, status });
}

function putFleetScan(name: string, status = {}, annotations = {}, tagName = name): void {
  const metadata = { name, namespace: 'shop', annotations };
  const spec = { image: `example.com/${name}`, interval: '5m', tagName };
  server.put(FLEET_SCANS, { metadata, spec, status });
}

/** Waits until a scan was asked for. @returns the request */
function asked(name: string): Promise<string> {
  return waitFor(`the request for ${name}`, () => {
    const patch = server.requests.find(({ method, path }) => method === 'PATCH' && path.endsWith(`/${name}`));
    return patch && (JSON.parse(patch.body).metadata.annotations[REQUEST] as string);
  });
}

/** Stores a scan as the reconciler leaves it when it has handled a request. */
function putAnswer(
  name: string,
  latestTag: string,
  { handled, latest }: { handled: string; latest: string },
): void {
  const metadata = { name, namespace: 'shop', annotations: { [REQUEST]: latest } };
  server.put(SCANS, {
    metadata,
    spec: { image: `example.com/${name}` },
    status: { latestTag, lastHandledScanRequest: handled },
  });
}
