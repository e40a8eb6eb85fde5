import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { MAX_BLOB } from '../../git/blobs.ts';
import { GitError } from '../../git/errors.ts';
import { type Notice, openRepository, type Repository } from '../../git/repository.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import {
  AUTHOR,
  commitOnServer,
  contentOf,
  type Entry,
  front,
  git,
  gitText,
  open,
  temporaryFolder,
} from './support.ts';

const COUNT = process.env['SOAK'] ? 100_000 : 10_001;

describe('a filtered copy', () => {
  let server: GitServer;
  before(async () => {
    server = await startGitServer();
  });
  after(() => server.stop());

  /** A repository with manifests, of which those in `b/` are not asked for, and a large picture. */
  async function fixture(t: TestContext, name: string, more: Record<string, Entry> = {}) {
    const { url, directory } = await server.createRepository(name, { first: '' });
    const entries: Record<string, Entry> = { 'picture.png': randomBytes(5_000_000), ...more };
    for (let i = 0; i < 200; i++) entries[`${i % 2 ? 'a' : 'b'}/f${i}.yaml`] = `content: ${i}\n`;
    const head = commitOnServer(directory, entries);
    const cache = path.join(temporaryFolder(t), 'cache');
    const reopen = (from = url): Promise<Repository> => openRepository({ directory: cache, url: from });
    return { url, directory, head, cache, reopen };
  }

  const missingIn = (directory: string, head: string): string[] =>
    gitText(directory, ['rev-list', '--objects', '--missing=print', '--no-object-names', head])
      .split('\n')
      .filter((line) => line.startsWith('?'));

  test('has the blobs that were read, which came in one call, and no others', async (t) => {
    const { head, cache, reopen } = await fixture(t, 'filtered');
    const repository = await reopen();
    assert.equal(await repository.fetch('main'), head);
    const files = await repository.files(head, ['a']);
    const asked = server.requests().length;
    assert.equal((await contents(repository, files)).get('a/f7.yaml'), 'content: 7\n');
    assert.deepEqual(
      server.requests().slice(asked),
      ['GET /filtered.git/info/refs?service=git-upload-pack', 'POST /filtered.git/git-upload-pack'],
      'all in one request',
    );
    await contents(repository, files);
    await contents(await reopen(), files);
    assert.equal(server.requests().length, asked + 2, 'and never again');
    assert.equal(missingIn(cache, head).length, 102, '100 in b/, the picture, the first file');
  });

  test('never fetches by itself: to list, compare, commit and push needs no blob', async (t) => {
    const { directory, head, cache, reopen } = await fixture(t, 'lazy');
    const theirs = commitOnServer(directory, { 'a/f1.yaml': 'theirs' });
    const repository = await reopen();
    await repository.fetch('main', 2);
    const asked = server.requests().length;
    await repository.list(theirs, []);
    assert.equal((await repository.changedFiles(head, theirs)).size, 1);
    const changes = [{ path: 'a/f1.yaml', mode: '100644' as const, content: Buffer.from('ours') }];
    const commit = await repository.commit({ parent: theirs, changes, author: AUTHOR, message: 'm' });
    assert.equal(server.requests().length, asked);
    await repository.push(commit, 'main', theirs);
    assert.ok(
      !server
        .requests()
        .slice(asked)
        .some((request) => request.includes('upload-pack')),
    );
    assert.equal(missingIn(cache, theirs).length, 203);
    git(directory, ['fsck', '--strict']);
    assert.equal(await repository.fetch('main'), commit);
  });

  test('moves few bytes after a new commit, however large the rest', async (t) => {
    const { directory, reopen } = await fixture(t, 'bytes');
    const repository = await reopen();
    const before = server.sent();
    await contents(repository, await repository.files(await repository.fetch('main'), []), isYaml);
    const cold = server.sent() - before;
    const head = commitOnServer(directory, { 'a/f1.yaml': 'new', 'other.png': randomBytes(3_000_000) });
    assert.equal(await repository.fetch('main'), head);
    await contents(repository, await repository.files(head, []), isYaml);
    const next = server.sent() - before - cold;
    t.diagnostic(`cold ${cold} bytes, after one new commit ${next} bytes`);
    assert.ok(cold < 60_000, `${cold}`);
    assert.ok(next < 10_000, `${next}`);
  });

  test(`of a repository of ${COUNT} files is read in batches, and told what changed`, async (t) => {
    const { directory } = await server.createRepository('many', { first: '' });
    const entries = Array.from({ length: COUNT }, (_, i) => [`d${i % 300}/${i}.yaml`, `a: ${i}\n`]);
    const head = commitOnServer(directory, Object.fromEntries(entries) as Record<string, string>);
    const repository = await open(t, { url: `${server.url}/many.git` });
    await repository.fetch('main');
    const asked = server.requests().length;
    const read = await contents(repository, await repository.files(head, ['/']), isYaml);
    assert.equal(read.size, COUNT);
    assert.ok(entries.every(([file = '', content]) => read.get(file) === content));
    assert.equal(server.requests().length - asked, 2 * Math.ceil(COUNT / 10_000));
    const changes = [{ path: 'd0/0.yaml', mode: '100644' as const, content: Buffer.from('ours') }];
    const commit = await repository.commit({ parent: head, changes, author: AUTHOR, message: 'm' });
    await repository.push(commit, 'main', head);
    assert.equal(gitText(directory, ['diff-tree', '-r', '--name-only', head, 'main']), 'd0/0.yaml');
    assert.deepEqual([...(await repository.changedFiles(head, commit)).keys()], ['d0/0.yaml']);
  });

  const servers: Record<string, { settings: Record<string, string>; version0?: boolean }> = {
    'knows no filters': { settings: { 'uploadpack.allowFilter': 'false' } },
    'knows no filters, in version 0 of the protocol': {
      settings: { 'uploadpack.allowFilter': 'false' },
      version0: true,
    },
    'filters but gives no object by its id': {
      settings: { 'uploadpack.allowAnySHA1InWant': 'false' },
      version0: true,
    },
  };
  for (const [what, { settings, version0 = false }] of Object.entries(servers)) {
    test(`of a server that ${what} has all, and goes on so`, async (t) => {
      const name = what.replaceAll(/\W/g, '-');
      const { directory, head, cache, reopen } = await fixture(t, name);
      for (const [key, value] of Object.entries(settings)) git(directory, ['config', key, value]);
      const seen: string[] = [];
      const origin = await front(t, server.url, (incoming) => {
        seen.push(`${incoming.method} ${incoming.url?.split('/').at(-1)}`);
        if (version0) delete incoming.headers['git-protocol'];
        return 'pass';
      });
      const url = `${origin}/${name}.git`;
      const repository = await reopen(url);
      assert.equal(await repository.fetch('main'), head);
      assert.equal((await contents(repository, await repository.files(head, ['a']))).size, 100);
      assert.deepEqual(missingIn(cache, head), []);
      const next = commitOnServer(directory, { 'a/f1.yaml': 'new' });
      const again = await reopen(url);
      seen.length = 0;
      assert.equal(await again.fetch('main'), next);
      assert.equal((await contents(again, await again.files(next, ['a']))).get('a/f1.yaml'), 'new');
      assert.ok(seen.length <= 3, `one fetch: ${seen.join()}`);
      const changes = [{ path: 'a/f1.yaml', mode: '100644' as const, content: Buffer.from('ours') }];
      const commit = await again.commit({ parent: next, changes, author: AUTHOR, message: 'm' });
      await again.push(commit, 'main', next);
      git(directory, ['fsck', '--strict']);
    });
  }

  test('goes on from the copy of a version that did not filter', async (t) => {
    const { url, directory, head, cache, reopen } = await fixture(t, 'former');
    await mkdir(cache);
    git(cache, ['init', '--quiet', '--bare', '--template=']);
    git(cache, [
      'fetch',
      '--quiet',
      '--depth=1',
      `file://${directory}`,
      '+refs/heads/main:refs/fleetscan/heads/x',
    ]);
    writeFileSync(path.join(cache, 'fleetscan-cache'), '');
    const notices: Notice[] = [];
    const repository = await openRepository({ directory: cache, url, onNotice: (it) => notices.push(it) });
    assert.equal(await repository.fetch('main'), head);
    const next = commitOnServer(directory, { 'a/f1.yaml': 'new', 'large.png': randomBytes(1_000_000) });
    assert.equal(await repository.fetch('main'), next);
    assert.equal((await contents(repository, await repository.files(next, ['a']))).get('a/f1.yaml'), 'new');
    assert.deepEqual(notices, []);
    assert.equal(missingIn(cache, next).length, 1);
    await (await reopen()).fetch('main');
  });

  test('follows a branch that was rewritten while its server threw the old commits away', async (t) => {
    const { directory, reopen } = await fixture(t, 'rewritten');
    const repository = await reopen();
    await contents(repository, await repository.files(await repository.fetch('main'), ['a']));
    const rewritten = commitOnServer(directory, { 'a/f1.yaml': 'rewritten' }, 'main', true);
    gitText(directory, ['reflog', 'expire', '--expire=now', '--all']);
    gitText(directory, ['gc', '--quiet', '--prune=now']);
    assert.equal(await repository.fetch('main'), rewritten);
    const files = await repository.files(rewritten, []);
    assert.deepEqual([...(await contents(repository, files))], [['a/f1.yaml', 'rewritten']]);
  });

  test('of a shallow server is fetched, changed and pushed to', async (t) => {
    const { directory: deep, head } = await fixture(t, 'deep');
    const { directory } = await server.createRepository('shallow', { gone: '' });
    gitText(directory, [
      'fetch',
      '--quiet',
      '--depth=1',
      '--update-shallow',
      `file://${deep}`,
      '+refs/heads/main:refs/heads/main',
    ]);
    const repository = await open(t, { url: `${server.url}/shallow.git` });
    assert.equal(await repository.fetch('main', 2), head);
    assert.equal((await contents(repository, await repository.files(head, ['a']))).size, 100);
    const changes = [{ path: 'a/f1.yaml', mode: '100644' as const, content: Buffer.from('ours') }];
    const commit = await repository.commit({ parent: head, changes, author: AUTHOR, message: 'm' });
    await repository.push(commit, 'main', head);
    assert.equal(await repository.fetch('main', 2), commit);
    git(directory, ['fsck', '--strict']);
  });

  test('of a repository that names its objects by SHA-256', async (t) => {
    const { directory } = await server.createRepository('sha256', { f: '' });
    rmSync(directory, { recursive: true });
    git(directory, ['init', '--quiet', '--bare', '--object-format=sha256', '--initial-branch=main']);
    for (const setting of ['http.receivepack', 'uploadpack.allowFilter'])
      git(directory, ['config', setting, 'true']);
    const head = commitOnServer(directory, { 'a.yaml': 'a', 'b.png': 'b' }, 'main', true);
    assert.equal(head.length, 64);
    const cache = path.join(temporaryFolder(t), 'cache');
    const url = `${server.url}/sha256.git`;
    const repository = await openRepository({ directory: cache, url });
    assert.equal(await repository.remoteHead('main'), head);
    assert.equal(await repository.fetch('main'), head);
    const files = await repository.files(head, ['a.yaml']);
    assert.deepEqual([...(await contents(repository, files))], [['a.yaml', 'a']]);
    assert.equal(repository.blobId(Buffer.from('a')), files[0]?.oid);
    const changes = [{ path: 'a.yaml', mode: '100644' as const, content: Buffer.from('ours') }];
    const commit = await repository.commit({ parent: head, changes, author: AUTHOR, message: 'm' });
    await repository.push(commit, 'main', head);
    assert.equal(await (await openRepository({ directory: cache, url })).fetch('main'), commit);
    git(directory, ['fsck', '--strict']);
  });

  test('tells the size of a blob that is too large to be read, and fetches it once', async (t) => {
    const huge = Buffer.alloc(MAX_BLOB + 1, 'x');
    const { head, reopen } = await fixture(t, 'huge', { 'a/a.yaml': huge });
    const repository = await reopen();
    await repository.fetch('main');
    const files = await repository.files(head, ['a']);
    const read = async (): Promise<unknown[]> => {
      const large: unknown[] = [];
      for await (const blob of repository.read(files.map(({ oid }) => oid)))
        if ('size' in blob) large.push(blob);
      return large;
    };
    assert.deepEqual(await read(), [{ oid: files[0]?.oid, size: MAX_BLOB + 1 }]);
    const asked = server.requests().length;
    assert.equal((await read()).length, 1);
    assert.equal(server.requests().length, asked);
  });

  test('whose blobs cannot be fetched says that the server is away, and is not condemned', async (t) => {
    const { head, reopen } = await fixture(t, 'away');
    let away = false;
    const origin = await front(t, server.url, (_, answer) => {
      if (!away) return 'pass';
      answer.writeHead(503).end();
      return 'answered';
    });
    const repository = await reopen(`${origin}/away.git`);
    await repository.fetch('main');
    const files = await repository.files(head, ['a']);
    away = true;
    await assert.rejects(
      contents(repository, files),
      (error) => error instanceof GitError && error.code === 'Unreachable',
    );
    away = false;
    assert.equal((await contents(repository, files)).size, 100);
  });
});

const isYaml = (file: string): boolean => file.endsWith('.yaml');

async function contents(
  repository: Repository,
  files: readonly { path: string; oid: string }[],
  isWanted: (path: string) => boolean = () => true,
): Promise<Map<string, string>> {
  const wanted = files.filter(({ path }) => isWanted(path));
  const found = new Map<string, string>();
  let i = 0;
  for await (const blob of repository.read(wanted.map(({ oid }) => oid)))
    found.set(wanted[i++]!.path, contentOf(blob).toString());
  return found;
}
