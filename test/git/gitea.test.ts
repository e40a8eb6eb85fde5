import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { GitError } from '../../git/errors.ts';
import type { Repository } from '../../git/repository.ts';
import { type Gitea, noGitea, startGitea } from '../control-plane/gitea.ts';
import { AUTHOR, DATE, git, gitText, open, temporaryFolder } from './support.ts';

suite('a repository on a real Gitea', { skip: await noGitea() }, () => {
  let gitea: Gitea;
  before(async () => {
    gitea = await startGitea();
  });
  after(() => gitea?.stop());

  const credential = () => ({ username: gitea.robot.name, password: gitea.robot.token });

  test('fetch, read, commit and push with a token', async (t) => {
    const { url } = await gitea.createRepository('trip', {
      'app.yaml': 'image: app:1\n',
      'b.yaml': 'b: 1\n',
    });
    const repository = await open(t, { url, credential: credential() });
    const head = await repository.fetch('main');
    assert.equal(head, await gitea.head('trip'));
    assert.equal(await contentOf(repository, head, 'app.yaml'), 'image: app:1\n');
    const commit = await change(repository, head);
    await repository.push(commit, 'main', head);
    assert.equal(await gitea.head('trip'), commit);
    assert.equal(await gitea.readFile('trip', 'app.yaml'), 'image: app:2\n');
    assert.equal(await gitea.readFile('trip', 'b.yaml'), 'b: 1\n');
  });

  test('a push that lost the race is told so, and leaves what won', async (t) => {
    const { url } = await gitea.createRepository('race', { 'app.yaml': 'image: app:1\n' });
    const repository = await open(t, { url, credential: credential() });
    const head = await repository.fetch('main');
    const commit = await change(repository, head);
    const theirs = await gitea.commit('race', { 'other.yaml': 'a: 1\n' });
    const error = await failureOf(repository.push(commit, 'main', head));
    assert.deepEqual([error.code, error.rejection], ['PushRejected', 'Moved']);
    assert.equal(await gitea.head('race'), theirs);
  });

  test('a protected branch declines a push, in the words of Gitea', async (t) => {
    const { path, url } = await gitea.createRepository('kept', { 'app.yaml': 'image: app:1\n' });
    await gitea.ann.protectBranch(path, 'main');
    const repository = await open(t, { url, credential: credential() });
    const head = await repository.fetch('main');
    const error = await failureOf(repository.push(await change(repository, head), 'main', head));
    assert.deepEqual([error.code, error.rejection], ['PushRejected', 'Declined']);
    assert.match(error.message, /^the push to refs\/heads\/main was rejected: .*protected branch main/);
    assert.equal(await gitea.head('kept'), head);
  });

  test('who has no token, a wrong one, or may not write is refused', async (t) => {
    const { url, path } = await gitea.createRepository('closed', { 'app.yaml': 'image: app:1\n' });
    await gitea.ann.call('PATCH', `/repos/${path}`, { private: true });
    const wrong = { username: 'robot', password: '0'.repeat(40) };
    for (const one of [{}, { credential: wrong }]) {
      const repository = await open(t, { url, ...one });
      assert.equal((await failureOf(repository.fetch('main'))).code, 'Unauthorized');
    }
    await gitea.ann.call('PUT', `/repos/${path}/collaborators/robot`, { permission: 'read' });
    const repository = await open(t, { url, credential: credential() });
    const head = await repository.fetch('main');
    const error = await failureOf(repository.push(await change(repository, head), 'main', head));
    // Gitea asks for the permission to write no sooner than in its hook, since it may be of a single branch.
    assert.deepEqual([error.code, error.rejection], ['PushRejected', 'Declined']);
    assert.match(error.message, /permission denied for writing/);
  });

  test('it filters blobs, and gives them by their ids', async (t) => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.yaml`, `number: ${i}\n`]));
    const { cloneUrl } = await gitea.createRepository('partial', files);
    const directory = temporaryFolder(t);
    git(directory, ['init', '--quiet', '--bare', directory]);
    const server = { url: cloneUrl, promisor: 'true', partialCloneFilter: 'blob:none' };
    for (const [key, value] of Object.entries(server))
      git(directory, ['config', `remote.server.${key}`, value]);
    const fetch = ['fetch', '--quiet', '--filter=blob:none'];
    git(directory, [...fetch, '--depth=1', 'server', '+refs/heads/main:refs/heads/main']);
    assert.deepEqual(blobs(directory), []);
    const one = gitText(directory, ['rev-parse', 'main:7.yaml']);
    const byId = ['-c', 'fetch.negotiationAlgorithm=noop', ...fetch, '--stdin', 'server'];
    git(directory, byId, `${one}\n`);
    assert.deepEqual(blobs(directory), [one]);
  });
});

/** Commits another version of `app.yaml` in the local copy; gives the commit's id. */
function change(repository: Repository, parent: string): Promise<string> {
  const changes = [{ path: 'app.yaml', mode: '100644' as const, content: Buffer.from('image: app:2\n') }];
  return repository.commit({ parent, changes, author: AUTHOR, message: 'Update app to 2', date: DATE });
}

async function contentOf(repository: Repository, commit: string, path: string): Promise<string> {
  const files = await repository.files(commit, []);
  const oid = files.find((file) => file.path === path)!.oid;
  for await (const blob of repository.read([oid])) {
    if ('content' in blob) return blob.content.toString();
  }
  throw new Error(`${path} was not read`);
}

async function failureOf(work: Promise<unknown>): Promise<GitError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof GitError, String(error));
  return error;
}

/** The ids of the blobs in a bare repository. */
function blobs(directory: string): string[] {
  const all = gitText(directory, [
    'cat-file',
    '--batch-all-objects',
    '--batch-check=%(objectname) %(objecttype)',
  ]);
  return all
    .split('\n')
    .filter((line) => line.endsWith(' blob'))
    .map((line) => line.split(' ')[0]!);
}
