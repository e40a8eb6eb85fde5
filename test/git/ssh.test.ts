import assert from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { SshKey } from '../../git/address.ts';
import { GitError, type GitErrorCode } from '../../git/errors.ts';
import type { Repository } from '../../git/repository.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { type KeyPair, makeKeyPair, type SshServer, startSshServer } from '../control-plane/sshd.ts';
import { waitFor } from '../wait.ts';
import {
  AUTHOR,
  gitText,
  open,
  privateFolders,
  processesWith,
  silentServer,
  temporaryFolder,
} from './support.ts';

const PASSPHRASE = 'correct horse "$(battery)" staple';

describe('a repository behind SSH', () => {
  let repositories: GitServer;
  let server: SshServer;
  let pair: KeyPair;
  let locked: KeyPair;
  let directory: string;
  let url: string;
  let key: SshKey;
  before(async () => {
    [repositories, pair, locked] = await Promise.all([
      startGitServer(),
      makeKeyPair('ed25519'),
      makeKeyPair('rsa', PASSPHRASE),
    ]);
    server = await startSshServer({ authorizedKeys: [pair.publicKey, locked.publicKey] });
    ({ directory } = await repositories.createRepository('app', { 'a.yaml': 'a: 1\n' }));
    url = await server.serve(directory);
    key = { privateKey: pair.privateKey, knownHosts: server.knownHosts };
  });
  after(() => Promise.all([repositories.stop(), server.stop()]));

  test('is read and pushed to', async (t) => {
    const repository = await open(t, { url, credential: key });
    const head = gitText(directory, ['rev-parse', 'main']);
    assert.equal(await repository.remoteHead('main'), head);
    const commit = await pushed(repository);
    assert.equal(gitText(directory, ['rev-parse', 'main']), commit);
    assert.equal(gitText(directory, ['rev-parse', 'main^']), head);
  });

  test('in the form of scp is asked for from the home of the user', async (t) => {
    const { folder, record } = await recordingSsh(t);
    const environment = { PATH: `${folder}:${process.env['PATH']}` };
    // The form has no room for a port, so that our server cannot be meant.
    const unknown = { ...key, knownHosts: '' };
    const repository = await open(t, { url: 'git@127.0.0.1:app.git', credential: unknown, environment });
    await assert.rejects(repository.remoteHead('main'), GitError);
    const [call = ''] = await record();
    assert.match(call, / git@127\.0\.0\.1 git-upload-pack 'app\.git'\n/);
  });

  test('lets in a key that has a passphrase', async (t) => {
    const given = { ...key, privateKey: locked.privateKey, passphrase: PASSPHRASE };
    const repository = await open(t, { url, credential: given });
    assert.equal(await repository.fetch('main'), gitText(directory, ['rev-parse', 'main']));
  });

  test('a passphrase that is wrong, or missing', async (t) => {
    const wrong = { ...key, privateKey: locked.privateKey, passphrase: 'wrong' };
    await fails(
      (await open(t, { url, credential: wrong })).remoteHead('main'),
      'InvalidKey',
      /^the passphrase of the private key is wrong$/,
    );
    const none = { ...key, privateKey: locked.privateKey };
    await fails(
      (await open(t, { url, credential: none })).remoteHead('main'),
      'InvalidKey',
      /has a passphrase, which is not given/,
    );
  });

  test('a key that the server does not know', async (t) => {
    const stranger = await makeKeyPair('ecdsa');
    const repository = await open(t, { url, credential: { ...key, privateKey: stranger.privateKey } });
    await fails(
      repository.fetch('main'),
      'Unauthorized',
      /the key is wrong or not allowed .*Permission denied/,
    );
  });

  test('a key that is broken inside', async (t) => {
    const privateKey = key.privateKey.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
    const repository = await open(t, { url, credential: { ...key, privateKey } });
    await fails(repository.fetch('main'), 'InvalidKey', /ssh cannot use the private key .*Load key key/);
  });

  test('a server whose host key nobody has made known', async (t) => {
    for (const knownHosts of ['', '# none yet', server.knownHosts.replace(/^\S+/, 'elsewhere.example')]) {
      const repository = await open(t, { url, credential: { ...key, knownHosts } });
      const advice = new RegExp(`of ssh://.*ssh-keyscan -p ${server.port} 127\\.0\\.0\\.1.*known_hosts`);
      await fails(repository.remoteHead('main'), 'HostKeyUnknown', advice);
    }
  });

  test('a server that shows another host key than the known one', async (t) => {
    const other = await makeKeyPair('ed25519');
    const knownHosts = `[${server.host}]:${server.port} ${other.publicKey}`;
    const repository = await open(t, { url, credential: { ...key, knownHosts } });
    await fails(repository.remoteHead('main'), 'HostKeyChanged', /another host key/);
  });

  test('a revoked host key', async (t) => {
    const knownHosts = `${server.knownHosts}@revoked ${server.knownHosts}`;
    const repository = await open(t, { url, credential: { ...key, knownHosts } });
    await fails(repository.remoteHead('main'), 'HostKeyChanged', /REVOKED/);
  });

  test('known hosts may have CRLF and lack the last newline', async (t) => {
    const knownHosts = `# hosts\r\n${server.knownHosts.trim()}`;
    const repository = await open(t, { url, credential: { ...key, knownHosts } });
    await repository.remoteHead('main');
  });

  test('no such repository, and no such branch', async (t) => {
    const nothing = await open(t, { url: `${url}-nothing`, credential: key });
    await fails(nothing.remoteHead('main'), 'RepositoryMissing', /no repository/);
    const repository = await open(t, { url, credential: key });
    await fails(repository.fetch('gone'), 'BranchMissing', /"gone"/);
  });

  test('nobody listens, and no such host', async (t) => {
    const gone = await startSshServer({ authorizedKeys: [] });
    await gone.stop();
    const nowhere = `ssh://git@127.0.0.1:${gone.port}/app.git`;
    await fails((await open(t, { url: nowhere, credential: key })).fetch('main'), 'Unreachable', /refused/);
    const unknown = await open(t, { url: 'git@no-such-host.invalid:app.git', credential: key });
    await fails(unknown.fetch('main'), 'Unreachable', /resolve/);
  });

  test('a server that accepts and says nothing is given up at the deadline, with its ssh', async (t) => {
    const port = new URL(await silentServer(t)).port;
    const silent = `ssh://git@127.0.0.1:${port}/app.git`;
    const repository = await open(t, { url: silent, credential: key, timeoutMs: 1000 });
    await fails(repository.remoteHead('main'), 'Timeout', /1 s/);
    assert.deepEqual(processesWith(`127.0.0.1:${port}`), []);
    assert.deepEqual(await privateFolders(), []);
  });

  test('neither agent nor configuration of the user decides, and the key is seen by ssh alone', async (t) => {
    const { folder, record } = await recordingSsh(t);
    const agent = await trapSocket(t);
    await writeFile(path.join(folder, 'config'), 'Host *\n  ProxyCommand false\n');
    const environment = {
      PATH: `${folder}:${process.env['PATH']}`,
      SSH_AUTH_SOCK: agent.path,
      SSH_ASKPASS: '/bin/false',
      HOME: folder,
      GIT_SSH: '/bin/false',
      GIT_SSH_COMMAND: 'false',
    };
    const repository = await open(t, { url, credential: key, environment });
    await pushed(repository);
    const calls = await record();
    assert.ok(calls.length >= 3);
    for (const call of calls) {
      assert.match(call, /^-F \S+\/config /m);
      assert.match(call, /^-rw------- /m);
      assert.doesNotMatch(call, /SSH_AUTH_SOCK|SSH_ASKPASS|HOME=(?!\/dev\/null)/);
      assert.doesNotMatch(call, /PRIVATE KEY/);
    }
    assert.equal(agent.connections(), 0);
    assert.deepEqual(await privateFolders(), []);
  });

  test('nothing of a key is left when a call is aborted', async (t) => {
    const controller = new AbortController();
    const silent = `ssh://git@127.0.0.1:${new URL(await silentServer(t)).port}/app.git`;
    const repository = await open(t, { url: silent, credential: key, signal: controller.signal });
    const work = repository.remoteHead('main');
    const stopped = assert.rejects(work, /stop/);
    await waitFor('the key of the call', async () =>
      (await privateFolders()).length > 0 ? true : undefined,
    );
    controller.abort(new Error('stop'));
    await stopped;
    assert.deepEqual(await privateFolders(), []);
  });
});

async function fails(work: Promise<unknown>, code: GitErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof GitError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n|PRIVATE KEY/);
    return true;
  });
}

async function pushed(repository: Repository): Promise<string> {
  const parent = await repository.fetch('main');
  const content = Buffer.from(`at: ${parent}\n`);
  const changes = [{ path: 'a.yaml', mode: '100644' as const, content }];
  const commit = await repository.commit({ parent, changes, author: AUTHOR, message: 'Update' });
  await repository.push(commit, 'main', parent);
  return commit;
}

/** An ssh that notes its arguments, its variables and the modes of the files beside its configuration, and goes on as ssh. */
async function recordingSsh(t: TestContext): Promise<{ folder: string; record: () => Promise<string[]> }> {
  const folder = temporaryFolder(t);
  const ssh = path.join(folder, 'ssh');
  const script = [
    '#!/bin/sh',
    `out=$(mktemp ${folder}/call.XXXXXX)`,
    '{ echo "$*"; env; ls -l "$(dirname "$2")"/key; } > "$out"',
    'PATH=${PATH#*:} exec ssh "$@"',
  ];
  await writeFile(ssh, `${script.join('\n')}\n`);
  await chmod(ssh, 0o755);
  const record = async (): Promise<string[]> => {
    const names = (await readdir(folder)).filter((name) => name.startsWith('call.'));
    return Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  };
  return { folder, record };
}

async function trapSocket(t: TestContext): Promise<{ path: string; connections: () => number }> {
  let connections = 0;
  const socket = path.join(temporaryFolder(t), 'agent');
  const server = createServer((connection) => {
    connections++;
    connection.destroy();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  return { path: socket, connections: () => connections };
}
