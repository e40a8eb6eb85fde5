import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { deflateSync } from 'node:zlib';
import { GitError } from '../../git/errors.ts';
import { type Notice, openRepository, type Repository } from '../../git/repository.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { commitOnServer, contentOf, git, temporaryFolder } from './support.ts';

describe('the local copy', () => {
  let server: GitServer;
  before(async () => {
    server = await startGitServer();
  });
  after(() => server.stop());

  /** A repository with a fetched commit, and a way to open its local copy again. */
  async function fixture(t: TestContext, name: string) {
    const { url, directory: serverDirectory } = await server.createRepository(name, { f: 'content' });
    const directory = path.join(temporaryFolder(t), 'cache');
    const notices: Notice[] = [];
    const reopen = (): Promise<Repository> =>
      openRepository({ directory, url, onNotice: (notice) => notices.push(notice) });
    const repository = await reopen();
    const commit = await repository.fetch('main');
    return { repository, commit, directory, serverDirectory, notices, reopen };
  }

  test('is made without a notice, and used again as it is', async (t) => {
    const { commit, notices, reopen } = await fixture(t, 'again');
    const again = await reopen();
    assert.equal((await again.files(commit, []))[0]?.path, 'f');
    assert.deepEqual(notices, []);
  });

  test('that a killed git has left locked is freed', async (t) => {
    const { directory, notices, reopen } = await fixture(t, 'locked');
    const [ref = ''] = await readdir(path.join(directory, 'refs/fleetscan/heads'));
    const left = [
      'HEAD.lock',
      'config.lock',
      'gc.pid',
      'objects/pack/tmp_pack_AbCdEf',
      'objects/tmp_obj_AbCdEf',
      'packed-refs.lock',
      `refs/fleetscan/heads/${ref}.lock`,
      'shallow.lock',
    ];
    for (const name of left) await writeFile(path.join(directory, name), '');
    const repository = await reopen();
    assert.deepEqual(
      notices.map((notice) => (notice.kind === 'LeftoversRemoved' ? [...notice.files].sort() : notice)),
      [left],
    );
    await repository.fetch('main');
  });

  test('whose objects are spoilt says so once, and is made anew at the next opening', async (t) => {
    const { repository, commit, directory, notices, reopen } = await fixture(t, 'spoilt');
    const [file] = await repository.files(commit, []);
    await spoil(path.join(directory, 'objects'));
    await assert.rejects(repository.files(commit, []), failed('made anew'));
    const anew = await reopen();
    assert.equal(notices[0]?.kind, 'CacheRemade');
    await anew.fetch('main');
    assert.deepEqual(await readAll(anew, [file!.oid]), ['content']);
    await reopen();
    assert.equal(notices.length, 1);
  });

  test('that lost a blob fetches it again; that has a spoilt one is made anew', async (t) => {
    const { repository, commit, directory, notices, reopen } = await fixture(t, 'lost');
    const [file] = await repository.files(commit, []);
    assert.deepEqual(await readAll(repository, [file!.oid]), ['content']);
    await removePacksWith(directory, file!.oid);
    assert.deepEqual(await readAll(repository, [file!.oid]), ['content']);
    await removePacksWith(directory, file!.oid);
    const loose = path.join(directory, 'objects', file!.oid.slice(0, 2), file!.oid.slice(2));
    await mkdir(path.dirname(loose), { recursive: true });
    await writeFile(loose, deflateSync('blob 7\0c0ntent').subarray(0, -3));
    await assert.rejects(readAll(repository, [file!.oid]), failed('made anew'));
    assert.deepEqual(notices, []);
    const anew = await reopen();
    await anew.fetch('main');
    assert.deepEqual(await readAll(anew, [file!.oid]), ['content']);
  });

  test('that lacks what makes it a repository is made anew', async (t) => {
    const { commit, directory, notices, reopen } = await fixture(t, 'headless');
    for (const missing of ['HEAD', 'objects', 'config']) {
      await rm(path.join(directory, missing), { recursive: true });
      assert.equal(await (await reopen()).fetch('main'), commit, missing);
    }
    await writeFile(path.join(directory, 'config'), '[core');
    assert.equal(await (await reopen()).fetch('main'), commit);
    assert.ok(notices.length >= 3);
    assert.ok(notices.every(({ kind }) => kind === 'CacheRemade'));
  });

  test('an object that it does not have is named, and condemns it', async (t) => {
    const { repository, commit, notices, reopen } = await fixture(t, 'absent');
    const absent = '1234567890123456789012345678901234567890';
    await assert.rejects(readAll(repository, [absent]), failed(absent));
    await assert.rejects(repository.files(absent, []), failed('ls-tree'));
    assert.equal(await (await reopen()).fetch('main'), commit);
    assert.equal(notices.length, 1);
  });

  describe('does not grow without end', () => {
    test('of a server that gives blobs apart: with too many packs it is made anew', async (t) => {
      const { commit, directory, notices, reopen } = await fixture(t, 'packs');
      addPacks(directory, 48);
      assert.equal((await (await reopen()).files(commit, [])).length, 1);
      assert.deepEqual(notices, []);
      addPacks(directory, 60);
      const repository = await reopen();
      assert.deepEqual(notices, [{ kind: 'CacheRemade', reason: 'it has grown' }]);
      assert.equal(await repository.fetch('main'), commit);
      assert.equal(packs(directory).length, 1);
    });

    test('of a server that does not: its packs become one, and what is of no use goes', async (t) => {
      const { directory: serverDirectory, url } = await server.createRepository('gc', { f: 'content' });
      git(serverDirectory, ['config', 'uploadpack.allowFilter', 'false']);
      const directory = path.join(temporaryFolder(t), 'cache');
      const commit = await (await openRepository({ directory, url })).fetch('main');
      addPacks(directory, 60);
      const repository = await openRepository({ directory, url });
      assert.equal(await repository.fetch('main'), commit);
      assert.ok(packs(directory).length <= 2, String(packs(directory)));
      assert.throws(() => git(directory, ['cat-file', 'blob', blobOf(59)]));
      const [file] = await repository.files(commit, []);
      assert.deepEqual(await readAll(repository, [file!.oid]), ['content']);
    });
  });

  test('follows a branch that a person rewrote', async (t) => {
    const { repository, serverDirectory } = await fixture(t, 'rewritten');
    const rewritten = commitOnServer(serverDirectory, { g: 'other' }, 'main', true);
    assert.equal(await repository.fetch('main'), rewritten);
    assert.deepEqual(
      (await repository.files(rewritten, [])).map((file) => file.path),
      ['g'],
    );
  });

  test('is never made over a folder of something else', async (t) => {
    const folder = temporaryFolder(t);
    const url = 'http://localhost/x';
    await writeFile(path.join(folder, 'precious'), 'data');
    await assert.rejects(openRepository({ directory: folder, url }), failed('not ours'));
    assert.equal(await readFile(path.join(folder, 'precious'), 'utf8'), 'data');
    await assert.rejects(
      openRepository({ directory: path.join(folder, 'precious'), url }),
      failed('cannot be used'),
    );
    await mkdir(path.join(folder, 'new'));
    await openRepository({ directory: path.join(folder, 'new'), url });
  });

  test('cannot be made without git', async (t) => {
    const directory = path.join(temporaryFolder(t), 'cache');
    const without = openRepository({
      directory,
      url: 'http://localhost/x',
      environment: { PATH: '/nonexistent' },
    });
    await assert.rejects(without, failed('must be installed'));
  });
});

/** Each with one blob that is of no use. */
function addPacks(directory: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const blob = git(directory, ['hash-object', '-w', '--stdin'], `blob ${i}`);
    git(directory, ['pack-objects', '--quiet', path.join(directory, 'objects/pack/pack')], blob);
  }
}

function blobOf(i: number): string {
  return createHash('sha1')
    .update(`blob ${`blob ${i}`.length}\0blob ${i}`)
    .digest('hex');
}

function packs(directory: string): string[] {
  return readdirSync(path.join(directory, 'objects/pack')).filter((name) => name.endsWith('.pack'));
}

async function removePacksWith(directory: string, oid: string): Promise<void> {
  for (const pack of packs(directory)) {
    const file = path.join(directory, 'objects/pack', pack);
    if (!git(directory, ['verify-pack', '-v', file]).toString().includes(oid)) continue;
    for (const end of ['pack', 'idx', 'promisor']) await rm(file.replace(/pack$/, end), { force: true });
  }
}

async function spoil(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    await rm(file);
    await writeFile(file, 'spoilt');
  }
}

async function readAll(repository: Repository, oids: string[]): Promise<string[]> {
  const contents: string[] = [];
  for await (const blob of repository.read(oids)) contents.push(contentOf(blob).toString());
  return contents;
}

function failed(text: string): (error: unknown) => boolean {
  return (error) => error instanceof GitError && error.code === 'Failed' && error.message.includes(text);
}
