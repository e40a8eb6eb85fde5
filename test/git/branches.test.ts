import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { GitError } from '../../git/errors.ts';
import type { Repository } from '../../git/repository.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { AUTHOR, commitOnServer, DATE, git, gitText, open } from './support.ts';

describe('the branches of a repository', () => {
  let server: GitServer;
  before(async () => {
    server = await startGitServer();
  });
  after(() => server.stop());

  async function fetched(t: TestContext, name: string) {
    const { url, directory } = await server.createRepository(name, { f: 'first' });
    const repository = await open(t, { url });
    return { repository, directory, parent: await repository.fetch('main') };
  }

  test('several heads are one question, and a branch that does not exist has none', async (t) => {
    const { repository, directory, parent } = await fetched(t, 'heads');
    const team = commitOnServer(directory, { f: 'team' }, 'team/a', true);
    gitText(directory, ['update-ref', 'refs/x/refs/heads/gone', 'refs/heads/main']);
    const asked = server.requests().length;
    const heads = await repository.remoteHeads(['main', 'gone', 'team/a', 'a']);
    assert.deepEqual(
      [...heads],
      [
        ['main', parent],
        ['team/a', team],
      ],
    );
    assert.equal(server.requests().length - asked, 2, 'the discovery and the listing of one ls-remote');
    await assert.rejects(repository.remoteHeads(['main', '-x']), { code: 'InvalidBranch' });
  });

  test('a fetched commit is described, with its parent when two generations are asked for', async (t) => {
    const { repository, directory, parent } = await fetched(t, 'described');
    const message = 'subject\n\nbody "ü"\n\n';
    const commit = await commitOn(repository, parent, 'ours', message);
    await repository.push(commit, 'main', parent);
    const other = await open(t, { url: `${server.url}/described.git` });
    assert.equal(await other.fetch('main', 2), commit);
    assert.deepEqual(await other.describe(commit), {
      tree: gitText(directory, ['rev-parse', 'main^{tree}']),
      parents: [parent],
      committer: 'Fleetscan <fleetscan@example.org>',
      seconds: DATE.getTime() / 1000,
      message,
    });
    assert.equal((await other.describe(parent)).committer, 'Somebody Else <somebody@example.com>');
    assert.equal(await other.fetch('main'), commit, 'fewer generations may follow');
  });

  test('a merge, a signed commit and one without a message are described', async (t) => {
    const { repository, directory, parent } = await fetched(t, 'merge');
    const tree = gitText(directory, ['rev-parse', 'main^{tree}']);
    const who = 'A U Thor <a@example.org> 1700000000 -0130';
    const signature = 'gpgsig -----BEGIN SSH SIGNATURE-----\n \n tree 1\n -----END SSH SIGNATURE-----';
    const text = `tree ${tree}\nparent ${parent}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n${signature}\n\n`;
    const oid = git(directory, ['hash-object', '-t', 'commit', '-w', '--stdin'], text).toString().trim();
    gitText(directory, ['update-ref', 'refs/heads/main', oid]);
    assert.deepEqual(await repository.describe(await repository.fetch('main')), {
      tree,
      parents: [parent, parent],
      committer: 'A U Thor <a@example.org>',
      seconds: 1_700_000_000,
      message: '',
    });
  });

  test('what differs between two commits is named, with the id of each content', async (t) => {
    const { repository, directory } = await fetched(t, 'diff');
    const odd = 'dir/"odd" name\n- ü\\.yaml';
    const from = commitOnServer(directory, { [odd]: 'a', gone: 'g', same: 's', run: 'r' });
    const before = await repository.fetch('main');
    git(
      directory,
      ['fast-import', '--quiet'],
      `commit refs/heads/main\ncommitter H <h@example.org> 1700000000 +0000\ndata 0\nfrom refs/heads/main^0\nD gone\nM 100755 inline run\ndata 1\nr\nM 100644 inline new\ndata 1\nn\nM 100644 inline "dir/\\"odd\\" name\\n- ü\\\\.yaml"\ndata 1\nb\n`,
    );
    const to = await repository.fetch('main');
    assert.equal(before, from);
    assert.deepEqual(
      [...(await repository.changedFiles(from, to))],
      [
        [odd, repository.blobId(Buffer.from('b'))],
        ['gone', ''],
        ['new', repository.blobId(Buffer.from('n'))],
        ['run', repository.blobId(Buffer.from('r'))],
      ],
    );
    assert.deepEqual([...(await repository.changedFiles(to, to))], []);
    assert.equal(repository.blobId(Buffer.from('b')), gitText(directory, ['rev-parse', `main:${odd}`]));
  });

  describe('of which one is ours alone', () => {
    test('is made only where there is none, moved only from where we know it, and deleted', async (t) => {
      const { repository, directory, parent } = await fetched(t, 'ours');
      const at = (): string =>
        gitText(directory, ['for-each-ref', '--format=%(objectname)', 'refs/heads/pr']);
      const first = await commitOn(repository, parent, 'first');
      await repository.replace(first, 'pr/a', undefined);
      assert.equal(at(), first);
      const second = await commitOn(repository, parent, 'second');
      await assert.rejects(repository.replace(second, 'pr/a', undefined), rejected('Moved'));
      await repository.replace(second, 'pr/a', first);
      assert.equal(at(), second);
      const theirs = commitOnServer(directory, { f: 'theirs' }, 'pr/a');
      await assert.rejects(repository.replace(first, 'pr/a', second), rejected('Moved'));
      await assert.rejects(repository.deleteBranch('pr/a', second), rejected('Moved'));
      assert.equal(at(), theirs);
      await repository.deleteBranch('pr/a', theirs);
      assert.equal(at(), '');
      await repository.deleteBranch('pr/a', theirs);
      await assert.rejects(repository.replace(first, 'pr/a', theirs), rejected('Moved'));
      assert.equal(gitText(directory, ['rev-parse', 'main']), parent);
    });

    test('says when the server permits no move backwards, and no deletion', async (t) => {
      const { repository, directory, parent } = await fetched(t, 'denied');
      const [first, second] = [
        await commitOn(repository, parent, '1'),
        await commitOn(repository, parent, '2'),
      ];
      await repository.replace(first, 'pr', undefined);
      gitText(directory, ['config', 'receive.denyNonFastForwards', 'true']);
      gitText(directory, ['config', 'receive.denyDeletes', 'true']);
      await assert.rejects(repository.replace(second, 'pr', first), rejected('Declined'));
      await assert.rejects(repository.deleteBranch('pr', first), rejected('Declined'));
      assert.equal(gitText(directory, ['rev-parse', 'pr']), first);
    });

    test('is checked before git is asked', async (t) => {
      const { repository, parent } = await fetched(t, 'checked');
      await assert.rejects(repository.replace(parent, 'a..b', undefined), { code: 'InvalidBranch' });
      await assert.rejects(repository.replace('main', 'a', undefined), { code: 'Failed' });
      await assert.rejects(repository.replace(parent, 'a', 'main'), { code: 'Failed' });
      await assert.rejects(repository.deleteBranch('-d', parent), { code: 'InvalidBranch' });
      await assert.rejects(repository.deleteBranch('a', ''), { code: 'Failed' });
    });
  });
});

function commitOn(repository: Repository, parent: string, content: string, message = 'm'): Promise<string> {
  return repository.commit({
    parent,
    changes: [{ path: 'f', mode: '100644', content: Buffer.from(content) }],
    author: AUTHOR,
    message,
    date: DATE,
  });
}

function rejected(rejection: string): (error: unknown) => boolean {
  return (error) => error instanceof GitError && error.rejection === rejection;
}
