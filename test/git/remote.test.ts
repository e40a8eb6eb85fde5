import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import forge from 'node-forge';
import { GitError, type GitErrorCode } from '../../git/errors.ts';
import { openRepository, type Repository } from '../../git/repository.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { waitFor } from '../wait.ts';
import { AUTHOR, front, gitText, listen, open, silentServer, temporaryFolder } from './support.ts';

const credential = { username: 'robot', password: 'pa55:w0rd' };
const HEADER = `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;

describe('a server that does not give what is asked', () => {
  let server: GitServer;
  let url: string;
  let directory: string;
  before(async () => {
    server = await startGitServer({ credential });
    ({ url, directory } = await server.createRepository('app', { f: 'content' }));
  });
  after(() => server.stop());

  test('wrong password, no password', async (t) => {
    for (const wrong of [
      { username: 'robot', password: 'n0pe' },
      { username: '', password: 'n0pe' },
      undefined,
    ]) {
      const repository = await open(t, { url, ...(wrong !== undefined && { credential: wrong }) });
      await fails(repository.remoteHead('main'), 'Unauthorized', url);
      await fails(repository.fetch('main'), 'Unauthorized', url);
    }
  });

  test('a credential that may read but not write', async (t) => {
    const readOnly = await front(t, server.url, (incoming, answer) => {
      if (!incoming.url?.includes('git-receive-pack')) return 'pass';
      answer.writeHead(403).end();
      return 'answered';
    });
    const repository = await open(t, { url: `${readOnly}/app.git`, credential });
    await fails(pushed(repository), 'Unauthorized', '403');
  });

  test('no such repository, and a page that is none', async (t) => {
    await fails(
      (await open(t, { url: `${server.url}/nothing.git`, credential })).remoteHead('main'),
      'RepositoryMissing',
      '/nothing.git',
    );
    const page = await answering(t, 200, '<html>\n<body>welcome</body>\n</html>\n', 'text/html');
    await fails((await open(t, { url: `${page}/x` })).fetch('main'), 'RepositoryMissing', page);
  });

  test('no such branch, also when another ref ends like it', async (t) => {
    gitText(directory, ['update-ref', 'refs/x/refs/heads/gone', 'refs/heads/main']);
    const repository = await open(t, { url, credential });
    await fails(repository.remoteHead('gone'), 'BranchMissing', '"gone"');
    await fails(repository.fetch('gone'), 'BranchMissing', '"gone"');
    await assert.rejects(repository.fetch('--upload-pack=x'), { code: 'InvalidBranch' });
  });

  test('a repository without a commit', async (t) => {
    const { url, directory } = await server.createRepository('empty', { f: 'x' });
    gitText(directory, ['update-ref', '-d', 'refs/heads/main']);
    await fails((await open(t, { url, credential })).remoteHead('main'), 'BranchMissing', '"main"');
  });

  test('nobody listens, and no such host', async (t) => {
    const gone = await startGitServer();
    await gone.stop();
    await fails(
      (await open(t, { url: `${gone.url}/app.git`, credential })).remoteHead('main'),
      'Unreachable',
      gone.url,
    );
    const nowhere = await open(t, { url: 'https://no-such-host.invalid/app.git' });
    await fails(nowhere.fetch('main'), 'Unreachable', 'no-such-host.invalid');
  });

  test('out of service, or too busy', async (t) => {
    for (const status of [429, 500, 503]) {
      const busy = await answering(t, status, 'later');
      await fails((await open(t, { url: `${busy}/x` })).remoteHead('main'), 'Unreachable', String(status));
    }
  });

  test('the connection is cut when a push begins: nothing has moved', async (t) => {
    const cutting = await front(t, server.url, (incoming, answer) => {
      if (!isPush(incoming)) return 'pass';
      answer.destroy();
      return 'answered';
    });
    const repository = await open(t, { url: `${cutting}/app.git`, credential });
    const head = gitText(directory, ['rev-parse', 'main']);
    await fails(pushed(repository), 'Unreachable', cutting);
    assert.equal(gitText(directory, ['rev-parse', 'main']), head);
  });

  test('the answer to a push is lost: the push failed, and the next look finds that it landed', async (t) => {
    const losing = await front(t, server.url, (incoming) => (isPush(incoming) ? 'loseAnswer' : 'pass'));
    const repository = await open(t, { url: `${losing}/app.git`, credential });
    const head = gitText(directory, ['rev-parse', 'main']);
    await fails(pushed(repository), 'Unreachable', losing);
    assert.equal(gitText(directory, ['rev-parse', 'main~1']), head);
    assert.equal(await repository.fetch('main'), gitText(directory, ['rev-parse', 'main']));
  });

  test('a server that repeats the credential in its text does not get it into our error', async (t) => {
    const echoing = await front(t, server.url, (incoming, answer) => {
      answer.writeHead(403, { 'content-type': 'text/plain' });
      answer.end(`you sent ${incoming.headers.authorization}, that is ${credential.password}\n`);
      return 'answered';
    });
    const repository = await open(t, { url: `${echoing}/app.git`, credential });
    await assert.rejects(repository.remoteHead('main'), (error) => {
      assert.ok(error instanceof GitError);
      assert.match(error.message, /you sent Basic \*\*\*, that is \*\*\*/);
      return true;
    });
  });

  describe('a redirect', () => {
    test('on the same origin is followed, for reading and for writing', async (t) => {
      const origin = await front(t, server.url, (incoming, answer) => {
        if (incoming.url?.startsWith('/app.git/')) return 'pass';
        redirect(answer, incoming.url?.replace('/app/', '/app.git/') ?? '/');
        return 'answered';
      });
      const repository = await open(t, { url: `${origin}/app`, credential });
      assert.equal(await repository.remoteHead('main'), gitText(directory, ['rev-parse', 'main']));
      const commit = await pushed(await open(t, { url: `${origin}/app/`, credential }));
      assert.equal(gitText(directory, ['rev-parse', 'main']), commit);
    });

    test('to another host is not followed with a credential', async (t) => {
      const asked: (string | undefined)[] = [];
      const elsewhere = await front(t, server.url, (incoming) => {
        asked.push(incoming.headers.authorization);
        return 'pass';
      });
      const here = await front(t, server.url, (incoming, answer) =>
        redirect(answer, `${elsewhere}${incoming.url}`),
      );
      const repository = await open(t, { url: `${here}/app.git`, credential });
      await fails(repository.remoteHead('main'), 'RepositoryMissing', `redirects to ${elsewhere}/app.git`);
      await fails(repository.fetch('main'), 'RepositoryMissing', 'another host');
      assert.deepEqual(asked, []);
    });

    test('to another host is followed without one', async (t) => {
      const open_ = await startGitServer();
      t.after(() => open_.stop());
      const { directory } = await open_.createRepository('app', { f: 'x' });
      const here = await front(t, server.url, (incoming, answer) =>
        redirect(answer, `${open_.url}${incoming.url}`),
      );
      const repository = await open(t, { url: `${here}/app.git` });
      assert.equal(await repository.fetch('main'), gitText(directory, ['rev-parse', 'main']));
    });

    test('that leads nowhere, or in a circle, ends', async (t) => {
      for (const location of ['/login', '/app.git/info/refs', 'file:///etc/info/refs', '::']) {
        const here = await front(t, server.url, (_, answer) => redirect(answer, location));
        const repository = await open(t, { url: `${here}/app.git`, credential });
        await assert.rejects(repository.remoteHead('main'), GitError, location);
      }
    });
  });

  test('TLS: a server that is not trusted, its CA given, its certificate not checked', async (t) => {
    const folder = temporaryFolder(t);
    const { key, certificate } = selfSigned();
    const caFile = path.join(folder, 'ca.pem');
    await writeFile(caFile, certificate);
    const target = new URL(server.url);
    const tls = createTlsServer({ key, cert: certificate }, (socket) => {
      const onward = connect(Number(target.port), target.hostname);
      socket.on('error', () => onward.destroy());
      onward.on('error', () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
    const secure = `https://127.0.0.1:${await listen(t, tls)}/app.git`;
    const head = gitText(directory, ['rev-parse', 'main']);

    await fails((await open(t, { url: secure, credential })).remoteHead('main'), 'TLS', 'certificate');
    assert.equal(await (await open(t, { url: secure, credential, caFile })).fetch('main'), head);
    assert.equal(
      await (await open(t, { url: secure, credential, insecureSkipTLSVerify: true })).fetch('main'),
      head,
    );
    await fails(
      (await open(t, { url: secure.replace('https:', 'http:') })).remoteHead('main'),
      'Unreachable',
      '',
    );
    const plain = await open(t, { url: url.replace('http:', 'https:') });
    await fails(plain.remoteHead('main'), 'TLS', '');
  });

  describe('a server that never answers', () => {
    test('is left at the deadline, with all processes, and its name is in no list of processes', async (t) => {
      const silent = await silentServer(t);
      const repository = await open(t, { url: `${silent}/app.git`, credential, timeoutMs: 700 });
      const failure = fails(repository.remoteHead('main'), 'Timeout', '0.7 s');
      const seen = await waitFor('git in the list of processes', () => processesAt(silent), { everyMs: 5 });
      assert.doesNotMatch(seen, new RegExp(`${credential.password}|${HEADER}|robot`));
      await failure;
      await waitFor('all of git gone', () => (processesAt(silent) === undefined ? true : undefined));
    });

    test('is left when the signal aborts, with the reason of the signal', async (t) => {
      const silent = await silentServer(t);
      const stop = new AbortController();
      const repository = await open(t, { url: `${silent}/app.git`, signal: stop.signal });
      const reason = new Error('shutting down');
      const failure = assert.rejects(repository.fetch('main'), reason);
      await waitFor('git in the list of processes', () => processesAt(silent), { everyMs: 5 });
      stop.abort(reason);
      await failure;
      await waitFor('all of git gone', () => (processesAt(silent) === undefined ? true : undefined));
      await assert.rejects(repository.remoteHead('main'), reason);
    });
  });

  test('what the machine configures for git has no say', async (t) => {
    const folder = temporaryFolder(t);
    await writeFile(
      path.join(folder, '.netrc'),
      `machine 127.0.0.1 login robot password ${credential.password}\n`,
    );
    await writeFile(
      path.join(folder, '.gitconfig'),
      `[url "https://no-such-host.invalid/"]\n\tinsteadOf = ${server.url}\n`,
    );
    const environment = {
      PATH: process.env['PATH'],
      HOME: folder,
      GIT_CONFIG_GLOBAL: path.join(folder, '.gitconfig'),
      GIT_ASKPASS: '/bin/echo',
      GIT_DIR: folder,
    };
    const directory = path.join(folder, 'cache');
    await fails(
      (await openRepository({ directory, url, environment })).remoteHead('main'),
      'Unauthorized',
      server.url,
    );
    await (await openRepository({ directory, url, environment, credential })).fetch('main');
  });
});

async function fails(work: Promise<unknown>, code: GitErrorCode, text: string): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof GitError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(text), error.message);
    assert.doesNotMatch(error.message, /pa55|n0pe|\p{Cc}/u);
    return true;
  });
}

async function pushed(repository: Repository): Promise<string> {
  const parent = await repository.fetch('main');
  const content = Buffer.from(`on ${parent}`);
  const commit = await repository.commit({
    parent,
    changes: [{ path: 'f', mode: '100644', content }],
    author: AUTHOR,
    message: 'Update',
  });
  await repository.push(commit, 'main', parent);
  return commit;
}

function isPush(incoming: IncomingMessage): boolean {
  return incoming.method === 'POST' && incoming.url?.endsWith('git-receive-pack') === true;
}

function redirect(answer: ServerResponse, location: string): 'answered' {
  answer.writeHead(301, { location }).end();
  return 'answered';
}

function answering(t: TestContext, status: number, body: string, type = 'text/plain'): Promise<string> {
  return front(t, 'http://127.0.0.1', (_incoming: IncomingMessage, answer) => {
    answer.writeHead(status, { 'content-type': type }).end(body);
    return 'answered';
  });
}

/** Command lines that name the URL. */
function processesAt(url: string): string | undefined {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  const found = lines.filter((line) => line.includes(`${url}/`));
  return found.length === 0 ? undefined : found.join('\n');
}

function selfSigned(): { key: string; certificate: string } {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 3_600_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  const name = [{ name: 'commonName', value: 'fleetscan test' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(pair.privateKey), forge.md.sha256.create());
  return { key: pair.privateKey, certificate: forge.pki.certificateToPem(certificate) };
}
