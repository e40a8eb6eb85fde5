import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { commitOnServer, front, git, gitText } from '../../git/support.ts';
import { gitRepo } from '../samples.ts';
import { marked, runner } from './support.ts';

describe('writeBack in a race', () => {
  let server: GitServer;

  before(async () => {
    server = await startGitServer();
  });
  after(() => server?.stop());

  const repoOf = (name: string, spec: object = {}, repository = name) =>
    gitRepo({
      metadata: { name },
      spec: { repo: `${server.url}/${repository}.git`, branch: 'main', ...spec },
    });

  /** Runs a script of the server at each push, before the branch moves. */
  async function atEachPush(directory: string, script: string): Promise<void> {
    const hook = join(directory, 'hooks', 'pre-receive');
    const unquarantined = 'unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES';
    const who = 'GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x';
    await writeFile(hook, `#!/bin/sh\n${unquarantined}\nexport ${who}\n${script}\n`);
    await chmod(hook, 0o755);
  }

  it('of ten writers on one branch: all commits land, each on top of another', async (t) => {
    const writers = Array.from({ length: 10 }, (_, index) => `team-${index}`);
    const files = Object.fromEntries(writers.map((name) => [`${name}/a.yaml`, marked('1.0.0')]));
    const { directory } = await server.createRepository('crowd', files);
    const run = await runner(t);
    const results = await Promise.all(writers.map((name) => run(repoOf(name, { paths: [name] }, 'crowd'))));
    assert.deepEqual(
      results.map((result) => result.kind === 'synced' && result.pushed !== undefined),
      writers.map(() => true),
    );
    for (const name of writers) {
      assert.equal(await server.readFile('crowd', `${name}/a.yaml`), marked('2.0.0'));
    }
    assert.equal((await server.log('crowd')).length, 11);
    assert.equal(gitText(directory, ['rev-list', '--merges', '--count', 'main']), '0');
  });

  it('that it loses each time gives up in the end, and leaves the commits of the others alone', async (t) => {
    const { directory } = await server.createRepository('lost', { 'a.yaml': marked('1.0.0') });
    await atEachPush(
      directory,
      `git update-ref refs/heads/main "$(git commit-tree -p main -m Theirs 'main^{tree}')"`,
    );
    const run = await runner(t);
    const result = await run(repoOf('lost'));
    assert.ok(result.kind === 'failed');
    assert.equal(result.reason, 'PushRejected');
    assert.match(result.message, /the push to refs\/heads\/main was rejected/);
    const log = await server.log('lost');
    assert.deepEqual(new Set(log.slice(0, -1).map(({ message }) => message)), new Set(['Theirs']));
    await rm(join(directory, 'hooks', 'pre-receive'));
    assert.equal((await run(repoOf('lost'))).kind, 'synced');
    assert.equal((await server.log('lost')).length, log.length + 1);
  });

  it('against a person who rewrites the branch takes the new history as it is', async (t) => {
    const { directory } = await server.createRepository('rewritten', {
      'a.yaml': marked('1.0.0'),
      'secret.txt': 'a password that was committed by mistake\n',
    });
    const clean = commitOnServer(directory, { 'a.yaml': marked('1.1.0') }, 'clean', true);
    await atEachPush(directory, `[ -e done ] || { touch done; git update-ref refs/heads/main ${clean}; }`);
    const result = await (await runner(t))(repoOf('rewritten'));
    assert.ok(result.kind === 'synced' && result.pushed !== undefined);
    assert.equal(gitText(directory, ['rev-parse', 'main^']), clean);
    assert.equal(gitText(directory, ['ls-tree', '--name-only', 'main']), 'a.yaml');
  });

  it('against a person who deletes the branch does not bring it back', async (t) => {
    const { directory } = await server.createRepository('deleted', { 'a.yaml': marked('1.0.0') }, 'side');
    await atEachPush(directory, 'git update-ref -d refs/heads/side');
    const result = await (await runner(t))(repoOf('deleted', { branch: 'side' }));
    assert.ok(result.kind === 'failed' && result.reason === 'BranchMissing', JSON.stringify(result));
    assert.equal(gitText(directory, ['for-each-ref']), '');
  });

  it('with a lost answer knows a commit that landed all the same', async (t) => {
    const { directory } = await server.createRepository('cut', { 'a.yaml': marked('1.0.0') });
    const loses = (incoming: { method?: string | undefined; url?: string | undefined }): boolean =>
      incoming.method === 'POST' && (incoming.url ?? '').endsWith('/git-receive-pack');
    const url = await front(t, server.url, (incoming) => (loses(incoming) ? 'loseAnswer' : 'pass'));
    const result = await (await runner(t))(repoOf('cut', { repo: `${url}/cut.git` }));
    assert.ok(result.kind === 'synced', JSON.stringify(result));
    assert.equal(result.pushed, gitText(directory, ['rev-parse', 'main']));
    assert.equal((await server.log('cut')).length, 2);
  });

  it('between GitRepos on several branches of one repository disturbs none', async (t) => {
    const { directory } = await server.createRepository('branches', { 'a.yaml': marked('1.0.0') });
    for (const branch of ['staging', 'feature/x']) git(directory, ['branch', branch, 'main']);
    const run = await runner(t);
    const results = await Promise.all(
      ['main', 'staging', 'feature/x'].map((branch, index) =>
        run(repoOf(`on-${index}`, { branch }, 'branches'), `2.${index}.0`),
      ),
    );
    assert.ok(results.every((result) => result.kind === 'synced' && result.pushed !== undefined));
    for (const [index, branch] of ['main', 'staging', 'feature/x'].entries()) {
      assert.equal(await server.readFile('branches', 'a.yaml', branch), marked(`2.${index}.0`));
    }
  });
});
