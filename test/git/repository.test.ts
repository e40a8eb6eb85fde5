import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GitError } from '../../git/errors.ts';
import { type Change, openRepository, type Repository } from '../../git/repository.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import {
  AUTHOR,
  commitOnServer,
  contentOf,
  DATE,
  type Entry,
  git,
  gitText,
  open,
  temporaryFolder,
} from './support.ts';

const credential = { username: 'robot', password: 'pä55:w0rd' };

describe('a repository over smart HTTP with a password', () => {
  let server: GitServer;
  before(async () => {
    server = await startGitServer({ credential });
  });
  after(() => server.stop());

  test('fetch, read, commit and push change exactly the bytes that were changed', async (t) => {
    const { url, directory } = await server.createRepository('trip', { 'untouched.yaml': 'u: 1\n' });
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0x00, 0xff, 0xfe]);
    const odd = 'dir/"odd" name\n- ü\\.yaml';
    const before = commitOnServer(directory, {
      'bin/run.sh': { mode: '100755', content: 'old\n' },
      'bin/link': { mode: '120000', content: 'run.sh' },
      [odd]: 'odd',
      'crlf.yaml': bytes,
    });
    const repository = await open(t, { url, credential });

    assert.equal(await repository.remoteHead('main'), before);
    assert.equal(await repository.fetch('main'), before);
    const files = await repository.files(before, []);
    const contents = await contentsOf(repository, files);
    assert.deepEqual(contents.get('crlf.yaml'), bytes);
    const changes: Change[] = files
      .filter((file) => file.path !== 'untouched.yaml')
      .map(({ path, mode }) => ({
        path,
        mode,
        content: Buffer.concat([contents.get(path)!, Buffer.from([0, 0x0a, 0xff])]),
      }));
    const message = '  subject with "quotes"\n\n# no comment\nlast line without end';
    const commit = await repository.commit({ parent: before, changes, author: AUTHOR, message, date: DATE });
    assert.equal(await server.head('trip', 'main'), before, 'a commit alone changes nothing on the server');
    await repository.push(commit, 'main', before);

    assert.equal(await server.head('trip', 'main'), commit);
    assert.deepEqual(changedOnServer(directory, before, commit), [
      [':100755', '100755', 'M', 'bin/run.sh'],
      [':100644', '100644', 'M', 'crlf.yaml'],
      [':100644', '100644', 'M', odd],
    ]);
    for (const change of changes)
      assert.deepEqual(git(directory, ['show', `${commit}:${change.path}`]), change.content);
    assert.equal(
      git(directory, ['cat-file', 'commit', commit]).toString(),
      expectedCommit(directory, commit, before, message),
    );
    git(directory, ['fsck', '--strict']);
    assert.equal(await repository.fetch('main'), commit, 'the next round stands on our own commit');
  });

  test('the same commit of the same changes at the same time has the same id, and an author may be nameless', async (t) => {
    const { url, directory } = await server.createRepository('same', { f: 'a' });
    const repository = await open(t, { url, credential });
    const parent = await repository.fetch('main');
    const options = {
      parent,
      changes: [{ path: 'f', mode: '100644' as const, content: Buffer.from('b') }],
      author: { name: '', email: '' },
      message: '',
      date: DATE,
    };
    const commit = await repository.commit(options);
    assert.equal(await repository.commit(options), commit);
    await repository.push(commit, 'main', parent);
    assert.match(gitText(directory, ['cat-file', 'commit', 'main']), /^author {2}<> 1714979289 \+0000$/m);
    git(directory, ['fsck', '--strict']);
    const other = await repository.commit({ ...options, author: { name: 'A <B>\nC', email: 'x>y' } });
    assert.notEqual(other, commit);
  });

  test('an unfit commit is refused before git is asked', async (t) => {
    const { url } = await server.createRepository('unfit', { f: 'a' });
    const repository = await open(t, { url, credential });
    const parent = await repository.fetch('main');
    const change = (path: string): Change => ({ path, mode: '100644', content: Buffer.from('x') });
    const commit = (changes: Change[], message = 'm'): Promise<string> =>
      repository.commit({ parent, changes, author: AUTHOR, message });
    await assert.rejects(commit([]), code('Failed', 'without changes'));
    await assert.rejects(commit([change('f')], 'a\0b'), code('Failed', 'NUL'));
    for (const path of ['', '/f', 'a/', 'a//b', './f'])
      await assert.rejects(commit([change(path)]), code('Failed', 'no path'));
    await assert.rejects(commit([change('../f')]), { code: 'PathEscapes' });
    assert.throws(() => repository.read(['--help']), code('Failed', 'no full object id'));
    await assert.rejects(repository.push('main', 'main', parent), code('Failed', 'no full object id'));
  });

  test('another branch, with a slash in its name, is read and written apart', async (t) => {
    const { url, directory } = await server.createRepository('branches', { f: 'main' });
    commitOnServer(directory, { f: 'team' }, 'team/a', true);
    const repository = await open(t, { url, credential });
    await repository.fetch('main');
    const parent = await repository.fetch('team/a');
    await pushChange(repository, parent, 'team/a', 'new');
    assert.equal(await server.readFile('branches', 'f', 'team/a'), 'new');
    assert.equal(await server.readFile('branches', 'f', 'main'), 'main');
    gitText(directory, ['branch', '-D', 'team/a']);
    commitOnServer(directory, { f: 'plain' }, 'team', true);
    assert.equal(await repository.fetch('team'), gitText(directory, ['rev-parse', 'refs/heads/team']));
  });

  test('a blob is read in the order asked for, and leaving early leaves no process', async (t) => {
    const { url, directory } = await server.createRepository('blobs', { first: '' });
    const entries: Record<string, Entry> = { big: Buffer.alloc(3_000_000, 'x') };
    for (let i = 0; i < 500; i++) entries[`f${i}`] = `content ${i}\n`.repeat(i);
    commitOnServer(directory, entries);
    const repository = await open(t, { url, credential });
    const files = [...(await repository.files(await repository.fetch('main'), []))].reverse();
    let i = 0;
    for await (const blob of repository.read(files.map(({ oid }) => oid))) {
      assert.equal(blob.oid, files[i]?.oid);
      assert.equal(repository.blobId(contentOf(blob)), blob.oid);
      i++;
    }
    assert.equal(i, files.length);
    for await (const blob of repository.read(files.map(({ oid }) => oid))) {
      assert.equal(blob.oid, files[0]?.oid);
      assert.equal(readers(), 1);
      break;
    }
    assert.equal(readers(), 0);
    for await (const blob of repository.read([])) assert.fail(`no blob was asked for: ${blob.oid}`);
  });

  describe('a push', () => {
    test('that lost a race is rejected, and the other commit is intact', async (t) => {
      const { repository, directory, parent } = await fetched(t, 'race');
      const theirs = commitOnServer(directory, { f: 'theirs' });
      await assert.rejects(pushChange(repository, parent, 'main', 'ours'), rejected('Moved'));
      assert.equal(gitText(directory, ['rev-parse', 'main']), theirs);
      const next = await repository.fetch('main');
      assert.equal(next, theirs);
      await pushChange(repository, next, 'main', 'ours');
      assert.equal(gitText(directory, ['log', '--format=%an', 'main']).split('\n').length, 3);
    });

    test('does not bring back a commit of ours that a person took away', async (t) => {
      const { repository, directory, parent } = await fetched(t, 'rewound');
      const ours = await pushChange(repository, parent, 'main', 'ours');
      gitText(directory, ['update-ref', 'refs/heads/main', parent]);
      await assert.rejects(pushChange(repository, ours, 'main', 'more'), rejected('Moved'));
      assert.equal(gitText(directory, ['rev-parse', 'main']), parent);
    });

    test('does not make a deleted branch anew', async (t) => {
      const { repository, directory, parent } = await fetched(t, 'deleted');
      gitText(directory, ['update-ref', '-d', 'refs/heads/main']);
      await assert.rejects(pushChange(repository, parent, 'main', 'ours'), rejected('Moved'));
      assert.equal(gitText(directory, ['for-each-ref', 'refs/heads']), '');
    });

    test('goes nowhere but forward: a commit that does not stand on the expected one is refused', async (t) => {
      const { repository, directory, parent } = await fetched(t, 'forward');
      const head = commitOnServer(directory, { f: 'theirs' });
      assert.equal(await repository.fetch('main'), head);
      const commit = await commitChange(repository, parent, 'ours');
      await assert.rejects(repository.push(commit, 'main', head), rejected('Moved'));
      assert.equal(gitText(directory, ['rev-parse', 'main']), head);
    });

    test('that a hook declines gives the words of the hook, on one line', async (t) => {
      const { repository, directory, parent } = await fetched(t, 'hook');
      const hook = path.join(directory, 'hooks', 'pre-receive');
      const words = `printf '\\033[31mGH006: Protected branch\\033[0m\\nask \\007 the release team\\n' >&2; yes long | head -c 5000 >&2`;
      await writeFile(hook, `#!/bin/sh\n${words}\nexit 1\n`).catch(async () => {
        throw new Error(`no hooks folder in ${directory}: ${String(await readdir(directory))}`);
      });
      await chmod(hook, 0o755);
      await assert.rejects(pushChange(repository, parent, 'main', 'ours'), (error) => {
        assert.ok(error instanceof GitError);
        assert.equal(error.rejection, 'Declined');
        assert.match(
          error.message,
          /pre-receive hook declined.*; GH006: Protected branch; ask the release team; long/,
        );
        assert.doesNotMatch(error.message, /\p{Cc}/u);
        assert.ok(error.message.length < 1000, String(error.message.length));
        return true;
      });
      assert.equal(gitText(directory, ['rev-parse', 'main']), parent);
    });

    test('of two at the same moment, one lands and the other is told', async (t) => {
      const { url, directory } = await server.createRepository('pair', { f: 'a' });
      const writers = await Promise.all(Array.from({ length: 4 }, () => open(t, { url, credential })));
      const parent = gitText(directory, ['rev-parse', 'main']);
      await Promise.all(writers.map((writer) => writer.fetch('main')));
      const ends = await Promise.allSettled(
        writers.map((writer, i) => pushChange(writer, parent, 'main', `from ${i}`)),
      );
      const lost = ends.filter((end) => end.status === 'rejected').map(({ reason }) => reason as unknown);
      assert.equal(lost.length, 3);
      for (const error of lost) assert.ok(rejected('Moved')(error), String(error));
      assert.equal(gitText(directory, ['rev-list', '--count', 'main']), '2');
    });
  });

  test('the credential is nowhere in the local copy', async (t) => {
    const directory = path.join(temporaryFolder(t), 'cache');
    const { url } = await server.createRepository('secret', { f: 'a' });
    const withPassword = url.replace('://', `://robot:${encodeURIComponent(credential.password)}@`);
    const repository = await openRepository({ directory, url: withPassword });
    await pushChange(repository, await repository.fetch('main'), 'main', 'b');
    const secret = new RegExp(
      [credential.password, encodeURIComponent(credential.password), 'robot', basic()].map(escaped).join('|'),
    );
    for (const name of await readdir(directory, { recursive: true })) {
      const content = await readFile(path.join(directory, name), 'utf8').catch(() => '');
      assert.doesNotMatch(content, secret, name);
    }
  });

  test('10,000 files, 1 and 1,000 of them changed: time of each step', async (t) => {
    const { url, directory } = await server.createRepository('large', { first: '' });
    const name = (i: number): string => `d${i % 100}/e${Math.floor(i / 100) % 10}/f${i}.yaml`;
    const entries = Array.from({ length: 10_000 }, (_, i): [string, string] => [
      name(i),
      `image: app:${i} # {"$imagescan": "app"}\n${`# line ${i}\n`.repeat(60)}`,
    ]);
    commitOnServer(directory, Object.fromEntries(entries));
    const measured: string[] = [];
    const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
      const start = performance.now();
      const result = await work();
      measured.push(`${what} ${(performance.now() - start).toFixed(0)} ms`);
      return result;
    };
    const repository = await timed('open', () => open(t, { url, credential }));
    for (const count of [1, 1000]) {
      const head = await timed('remoteHead', () => repository.remoteHead('main'));
      assert.equal(await timed('fetch', () => repository.fetch('main')), head);
      const files = await timed('files', () => repository.files(head, ['/']));
      assert.equal(files.length, 10_001);
      const contents = await timed('read', () => contentsOf(repository, files));
      const changes = files.slice(0, count).map(({ path, mode }): Change => {
        return { path, mode, content: Buffer.from(`${contents.get(path)!.toString()}${count}\n`) };
      });
      const commit = await timed(`commit ${count}`, () =>
        repository.commit({ parent: head, changes, author: AUTHOR, message: 'm' }),
      );
      await timed(`push ${count}`, () => repository.push(commit, 'main', head));
      assert.equal(changedOnServer(directory, head, commit).length, count);
    }
    t.diagnostic(measured.join(', '));
  });

  async function fetched(
    t: Parameters<typeof open>[0],
    name: string,
  ): Promise<{ repository: Repository; directory: string; parent: string }> {
    const { url, directory } = await server.createRepository(name, { f: 'first' });
    const repository = await open(t, { url, credential });
    return { repository, directory, parent: await repository.fetch('main') };
  }
});

/** How many processes of ours read blobs at this moment. */
function readers(): number {
  const lines = execFileSync('ps', ['-eo', 'ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.trim().startsWith(`${process.pid} `) && line.includes('cat-file'))
    .length;
}

function basic(): string {
  return Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function commitChange(repository: Repository, parent: string, content: string): Promise<string> {
  const changes: Change[] = [{ path: 'f', mode: '100644', content: Buffer.from(content) }];
  return repository.commit({ parent, changes, author: AUTHOR, message: 'Update' });
}

async function pushChange(
  repository: Repository,
  parent: string,
  branch: string,
  content: string,
): Promise<string> {
  const commit = await commitChange(repository, parent, content);
  await repository.push(commit, branch, parent);
  return commit;
}

async function contentsOf(
  repository: Repository,
  files: readonly { path: string; oid: string }[],
): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  let i = 0;
  for await (const blob of repository.read(files.map(({ oid }) => oid)))
    contents.set(files[i++]!.path, contentOf(blob));
  return contents;
}

/** Mode before and after, kind of change, path. */
function changedOnServer(directory: string, before: string, commit: string): string[][] {
  const raw = git(directory, ['diff-tree', '-r', '-z', '--no-renames', before, commit])
    .toString()
    .split('\0');
  const changed: string[][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [modeBefore = '', mode = '', , , kind = ''] = raw[i]!.split(' ');
    changed.push([modeBefore, mode, kind, raw[i + 1]!]);
  }
  return changed;
}

function expectedCommit(directory: string, commit: string, parent: string, message: string): string {
  const who = `${AUTHOR.name} <${AUTHOR.email}> ${DATE.getTime() / 1000} +0000`;
  const tree = gitText(directory, ['rev-parse', `${commit}^{tree}`]);
  return `tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\n${message}`;
}

function code(wanted: string, text = ''): (error: unknown) => boolean {
  return (error) => error instanceof GitError && error.code === wanted && error.message.includes(text);
}

function rejected(rejection: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof GitError && error.code === 'PushRejected' && error.rejection === rejection;
}
