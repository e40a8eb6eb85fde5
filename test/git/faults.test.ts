import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { GitError, type GitErrorCode } from '../../git/errors.ts';
import { openRepository, type Repository } from '../../git/repository.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { AUTHOR, commitOnServer, contentOf, front, git, gitText, open } from './support.ts';

const WRITERS = 10;

describe('a write that meets trouble', () => {
  let server: GitServer;
  before(async () => {
    server = await startGitServer();
  });
  after(() => server.stop());

  async function fetched(t: TestContext, name: string) {
    const { url, directory } = await server.createRepository(name, { f: 'first' });
    const repository = await open(t, { url });
    return { url, repository, directory, parent: await repository.fetch('main') };
  }

  test(`${WRITERS} writers on one branch all land, on top of each other`, async (t) => {
    const { url, directory } = await server.createRepository('writers', { f: 'first' });
    const writers = await Promise.all(Array.from({ length: WRITERS }, () => open(t, { url })));
    const losses = await Promise.all(writers.map((writer, i) => untilLanded(writer, `file-${i}`)));
    t.diagnostic(`races lost: ${losses.join(', ')}`);
    assert.equal(gitText(directory, ['rev-list', '--count', 'main']), String(WRITERS + 1));
    assert.equal(gitText(directory, ['rev-list', '--merges', '--count', 'main']), '0');
    const files = gitText(directory, ['ls-tree', '--name-only', 'main']).split('\n');
    assert.equal(files.length, WRITERS + 1);
    git(directory, ['fsck', '--strict']);
  });

  test('a person rewrites the branch between fetch and push: theirs stays, and ours goes on top', async (t) => {
    const { repository, directory, parent } = await fetched(t, 'rewritten');
    const ours = await commitOf(repository, parent, 'f', 'ours');
    const theirs = commitOnServer(directory, { g: 'theirs' }, 'main', true);
    await assert.rejects(repository.push(ours, 'main', parent), rejected('Moved'));
    assert.equal(gitText(directory, ['rev-parse', 'main']), theirs);
    assert.equal(await untilLanded(repository, 'f'), 0);
    assert.equal(gitText(directory, ['rev-parse', 'main~1']), theirs);
    assert.equal(gitText(directory, ['ls-tree', '--name-only', 'main']), 'f\ng');
  });

  test('a person deletes the branch: it is not made anew, and is missing at the next look', async (t) => {
    const { repository, directory, parent } = await fetched(t, 'deleted');
    const ours = await commitOf(repository, parent, 'f', 'ours');
    gitText(directory, ['update-ref', '-d', 'refs/heads/main']);
    await assert.rejects(repository.push(ours, 'main', parent), rejected('Moved'));
    await assert.rejects(repository.fetch('main'), code('BranchMissing'));
    assert.equal(gitText(directory, ['for-each-ref']), '');
  });

  test('a branch that is protected is declined in the words of its server, and nothing moves', async (t) => {
    const { repository, directory, parent } = await fetched(t, 'protected');
    await mkdir(path.join(directory, 'hooks'), { recursive: true });
    const hook = path.join(directory, 'hooks/update');
    await writeFile(
      hook,
      '#!/bin/sh\necho "GL-HOOK-ERR: $1 is protected" >&2\n[ "$1" != refs/heads/main ]\n',
    );
    await chmod(hook, 0o755);
    const ours = await commitOf(repository, parent, 'f', 'ours');
    await assert.rejects(repository.push(ours, 'main', parent), (error) => {
      assert.ok(rejected('Declined')(error), String(error));
      assert.match(String(error), /\(hook declined\); GL-HOOK-ERR: refs\/heads\/main is protected/);
      return true;
    });
    assert.equal(gitText(directory, ['rev-parse', 'main']), parent);
    await repository.replace(ours, 'fleetscan/main', undefined);
  });

  test('the connection is cut in the middle of a push: nothing has moved, and the next one lands', async (t) => {
    const { directory } = await fetched(t, 'cut');
    let cuts = 0;
    const cutting = await front(t, server.url, (incoming) => {
      if (incoming.method === 'GET' || !incoming.url?.endsWith('git-receive-pack') || cuts > 0) return 'pass';
      let received = 0;
      incoming.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received < 500_000 || cuts > 0) return;
        cuts++;
        incoming.socket.resetAndDestroy();
      });
      return 'pass';
    });
    const repository = await open(t, { url: `${cutting}/cut.git` });
    const parent = await repository.fetch('main');
    const commit = await commitOf(repository, parent, 'f', randomBytes(3_000_000));
    await assert.rejects(repository.push(commit, 'main', parent), code('Unreachable'));
    assert.equal(cuts, 1);
    assert.equal(gitText(directory, ['rev-parse', 'main']), parent);
    git(directory, ['fsck', '--strict']);
    await repository.push(commit, 'main', parent);
    assert.equal(gitText(directory, ['rev-parse', 'main']), commit);
  });

  test('the disk of the server is full: the push is declined, and lands when there is room', async (t) => {
    const { repository, directory, parent } = await fetched(t, 'server-full');
    const commit = await commitOf(repository, parent, 'f', randomBytes(2_000_000));
    // What receive-pack does with each pack, under a limit on the size of files in place of a full disk.
    git(directory, ['config', 'receive.maxInputSize', '100k']);
    await assert.rejects(repository.push(commit, 'main', parent), rejected('Declined'));
    assert.equal(gitText(directory, ['rev-parse', 'main']), parent);
    git(directory, ['config', '--unset', 'receive.maxInputSize']);
    await repository.push(commit, 'main', parent);
    git(directory, ['fsck', '--strict']);
  });

  describe('our own disk is full', () => {
    for (const step of ['fetch', 'read', 'commit'] as const) {
      test(`to ${step}: it says so, and all is well when there is room again`, async (t) => {
        const disk = smallDisk(t);
        if (disk === undefined) return t.skip('a tmpfs can be mounted only with the rights to do so');
        const { url } = await server.createRepository(`full-${step}`, {});
        const large = randomBytes(1_500_000).toString('hex');
        const directory = path.join(disk.folder, 'cache');
        const options = { directory, url, environment: { PATH: process.env['PATH'] } };
        const name = `full-${step}`;
        await server.commit(name, { f: step === 'read' ? large : 'small', 'a/b': 'x' });
        const write = async (fillBefore?: typeof step): Promise<void> => {
          const repository = await openRepository(options);
          if (fillBefore === 'fetch') disk.fill();
          const parent = await repository.fetch('main');
          if (fillBefore === 'read') disk.fill();
          const files = await repository.files(parent, ['f']);
          for await (const blob of repository.read(files.map(({ oid }) => oid))) contentOf(blob);
          if (fillBefore === 'commit') disk.fill();
          const commit = await commitOf(repository, parent, 'f', step === 'read' ? 'ours' : large);
          await repository.push(commit, 'main', parent);
        };
        await assert.rejects(write(step), (error) => {
          assert.ok(error instanceof GitError, String(error));
          assert.match(error.message, /No space left on device|diskspace/);
          return true;
        });
        disk.grow();
        await write();
      });
    }
  });

  async function commitOf(
    repository: Repository,
    parent: string,
    file: string,
    content: string | Buffer,
  ): Promise<string> {
    const changes = [{ path: file, mode: '100644' as const, content: Buffer.from(content) }];
    return repository.commit({ parent, changes, author: AUTHOR, message: file });
  }

  /** Commits a file as write-back does, until it lands. @returns how many races it lost */
  async function untilLanded(repository: Repository, file: string): Promise<number> {
    for (let lost = 0; ; lost++) {
      const parent = await repository.fetch('main');
      try {
        await repository.push(await commitOf(repository, parent, file, file), 'main', parent);
        return lost;
      } catch (error) {
        if (!rejected('Moved')(error) || lost === 4 * WRITERS) throw error;
      }
    }
  }
});

/** A disk of 2 MB that can be filled, and can grow; undefined where none can be mounted. */
function smallDisk(t: TestContext): { folder: string; fill(): void; grow(): void } | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fleetscan-disk-'));
  const mount = (options: string): void => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
  };
  try {
    mount('size=2m');
  } catch {
    rmdirSync(folder);
    return undefined;
  }
  t.after(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  });
  const filling = path.join(folder, 'filling');
  return {
    folder,
    fill: () => {
      try {
        execFileSync('dd', ['if=/dev/zero', `of=${filling}`, 'bs=4k'], { stdio: 'pipe' });
      } catch {
        // Until there is no space left.
      }
    },
    grow: () => mount('remount,size=64m'),
  };
}

function rejected(rejection: string): (error: unknown) => boolean {
  return (error) => error instanceof GitError && error.rejection === rejection;
}

function code(wanted: GitErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof GitError && error.code === wanted;
}
