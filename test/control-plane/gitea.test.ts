import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { commitFiles, git } from './git-commands.ts';
import { type Gitea, noGitea, startGitea } from './gitea.ts';
import { withCredential } from './gitea-repositories.ts';
import { temporaryFolder } from './processes.ts';

suite('a real Gitea', { skip: await noGitea() }, () => {
  let gitea: Gitea;
  before(async () => {
    gitea = await startGitea();
  });
  after(() => gitea?.stop());

  /** Clones, commits one file on a branch and pushes it; gives the commit's id. */
  async function push(url: string, branch: string, text: string): Promise<string> {
    const directory = join(temporaryFolder('clone'), 'clone.git');
    await git(['clone', '--quiet', '--bare', url, directory]);
    const author = 'Robot <robot@example.com>';
    const files = { 'app.yaml': text };
    const id = await commitFiles(directory, files, {
      branch: 'main',
      message: 'Change',
      author,
      onTop: true,
    });
    await git(['push', '--quiet', url, `main:refs/heads/${branch}`], { cwd: directory });
    return id;
  }

  test('a clone and a push over HTTP with the token', async () => {
    const { cloneUrl, url } = await gitea.createRepository('pushed', { 'app.yaml': 'image: app:1\n' });
    const id = await push(cloneUrl, 'main', 'image: app:2\n');
    assert.equal(await gitea.head('pushed'), id);
    assert.equal(await gitea.readFile('pushed', 'app.yaml'), 'image: app:2\n');
    const wrong = url.replace('://', '://robot:wrong@');
    await assert.rejects(push(wrong, 'main', 'image: app:3\n'), /Authentication failed/);
  });

  test('somebody else commits to a branch, an old one or a new one', async () => {
    await gitea.createRepository('shared', { 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' }, 'trunk');
    const id = await gitea.commit('shared', { 'a.yaml': 'a: 2\n', 'b.yaml': null }, 'trunk');
    assert.equal(await gitea.head('shared', 'trunk'), id);
    await assert.rejects(gitea.readFile('shared', 'b.yaml', 'trunk'), /b\.yaml/);
    await gitea.commit('shared', { 'c.yaml': 'c: 1\n' }, 'other', 'trunk');
    assert.equal(await gitea.readFile('shared', 'a.yaml', 'other'), 'a: 2\n');
    assert.equal(await gitea.head('shared', 'trunk'), id);
    assert.equal(await gitea.head('shared', 'none'), undefined);
  });

  test('a protected branch declines a push, of its owner too', async () => {
    const { path, url, cloneUrl } = await gitea.createRepository('kept', { 'app.yaml': 'image: app:1\n' });
    await gitea.ann.protectBranch(path, 'main');
    const head = await gitea.head('kept');
    for (const remote of [cloneUrl, withCredential(url, gitea.ann)]) {
      await assert.rejects(
        push(remote, 'main', 'image: app:2\n'),
        /\[remote rejected\].*pre-receive hook declined/,
      );
    }
    assert.equal(await gitea.head('kept'), head);
    await push(cloneUrl, 'elsewhere', 'image: app:2\n');
  });

  test('a pull request of one person is merged by another', async () => {
    const { path, cloneUrl } = await gitea.createRepository('asked', { 'app.yaml': 'image: app:1\n' });
    await push(cloneUrl, 'bot/main', 'image: app:2\n');
    const { number } = await gitea.robot.openPull(path, { source: 'bot/main', target: 'main' }, 'Update app');
    await gitea.bob.comment(path, number, 'Looks right.');
    await gitea.bob.merge(path, number);
    const { state, merged, title } = await gitea.robot.pull(path, number);
    assert.deepEqual({ state, merged, title }, { state: 'closed', merged: true, title: 'Update app' });
    assert.deepEqual(await gitea.robot.comments(path, number), ['Looks right.']);
    assert.equal(await gitea.readFile('asked', 'app.yaml'), 'image: app:2\n');
  });

  test('a pull request is labelled, assigned and closed', async () => {
    const { path, cloneUrl } = await gitea.createRepository('closed', { 'app.yaml': 'image: app:1\n' });
    await push(cloneUrl, 'bot/main', 'image: app:2\n');
    const { number } = await gitea.robot.openPull(path, { source: 'bot/main', target: 'main' }, 'Update app');
    await gitea.bob.label(path, number, await gitea.bob.createLabel(path, 'images'));
    await gitea.bob.assign(path, number, 'ann');
    await gitea.bob.close(path, number);
    const { state, merged, labels, assignees } = await gitea.robot.pull(path, number);
    assert.deepEqual({ state, merged }, { state: 'closed', merged: false });
    assert.deepEqual(
      labels.map(({ name }) => name),
      ['images'],
    );
    assert.deepEqual(
      assignees?.map(({ login }) => login),
      ['ann'],
    );
  });
});
