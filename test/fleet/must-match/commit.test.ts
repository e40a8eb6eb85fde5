import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { commitMessage } from '../../../write-back/commit-message.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { gitText } from '../../git/support.ts';
import { fleetGitRepo } from '../../reconciler/samples.ts';
import { marked, runner } from '../../reconciler/write-back/support.ts';
import { DATA } from '../../write-back/edits.ts';

const DEFAULT_MESSAGE = 'Update from image update automation';

describe('the commit is that of Fleet', () => {
  let git: GitServer;
  let repositories = 0;

  before(async () => {
    git = await startGitServer();
  });
  after(() => git?.stop());

  /** Writes 2.0.0 to two files, for a GitRepo of Fleet's. @returns the new commits: what they hold, newest first */
  async function commitsOf(t: TestContext, imageScanCommit?: object | null) {
    repositories += 1;
    const name = `commits-${repositories}`;
    const files = { 'a.yaml': marked('1.0.0'), 'b/c.yaml': marked('1.0.0'), 'd.yaml': 'x: 1\n' };
    const { url, directory } = await git.createRepository(name, files, 'release');
    const before = await git.head(name, 'release');
    const spec = { repo: url, branch: 'release', imageScanCommit };
    const result = await (await runner(t))(fleetGitRepo({ metadata: { name }, spec }));
    assert.equal(result.kind, 'synced');
    const format = '--format=%an <%ae>%n%cn <%ce>%n%P%n%B%x00';
    const log = gitText(directory, ['log', format, `${before}..release`]);
    const commits = log.split('\0').filter((text) => text.trim() !== '');
    return commits.map((text) => {
      const [author, committer, parent, ...message] = text.trim().split('\n');
      const raw = gitText(directory, ['cat-file', 'commit', 'release']);
      const changed = gitText(directory, ['diff', '--name-only', before, 'release']).split('\n');
      assert.equal(parent, before);
      return { author, committer, message: message.join('\n').trim(), raw, changed };
    });
  }

  it('all files change in one commit, unsigned, on top of the branch of the spec', async (t) => {
    const commits = await commitsOf(t, { authorName: 'foo', authorEmail: 'foo@bar.com' });
    assert.equal(commits.length, 1);
    assert.deepEqual(commits[0]?.changed, ['a.yaml', 'b/c.yaml']);
    assert.doesNotMatch(commits[0]?.raw ?? '', /gpgsig/);
  });

  it('author and committer are authorName and authorEmail, and the message is messageTemplate', async (t) => {
    const imageScanCommit = {
      authorName: 'foo',
      authorEmail: 'foo@bar.com',
      messageTemplate: 'update image',
    };
    const [commit] = await commitsOf(t, imageScanCommit);
    assert.deepEqual([commit?.author, commit?.committer], ['foo <foo@bar.com>', 'foo <foo@bar.com>']);
    assert.equal(commit?.message, 'update image');
  });

  it('without messageTemplate, or with an empty one, the message is that of Fleet', async (t) => {
    const [commit] = await commitsOf(t, null);
    assert.equal(commit?.message, DEFAULT_MESSAGE);
    for (const template of [undefined, null, ''])
      assert.equal(commitMessage(template, DATA), `${DEFAULT_MESSAGE}\n`);
  });

  it('where Git agrees already there is no commit', async (t) => {
    const name = 'agrees';
    const { url } = await git.createRepository(name, { 'a.yaml': marked('2.0.0') });
    const spec = { repo: url, branch: 'main' };
    const result = await (await runner(t))(fleetGitRepo({ metadata: { name }, spec }));
    assert.ok(result.kind === 'synced' && result.pushed === undefined);
    assert.equal((await git.log(name)).length, 1);
  });
});
