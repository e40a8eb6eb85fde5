import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { StoredGitRepo } from '../../../reconciler/stores.ts';
import type { WriteBackResult } from '../../../reconciler/write-back/result.ts';
import { statusAfter } from '../../../reconciler/write-back/status.ts';
import { RegistryError } from '../../../registry/errors.ts';
import type { WriteBackDependencies } from '../../../reconciler/write-back/write-back.ts';
import { FleetValues } from '../../../write-back/fleet-values.ts';
import { startGitServer } from '../../control-plane/git-server.ts';
import { FakeGitHub } from '../../fakes/hosts/github.ts';
import { send } from '../../fakes/hosts/server.ts';
import { commitOnServer, git, gitText } from '../../git/support.ts';
import { gitRepo, OTHER_DIGEST } from '../samples.ts';
import { marked, patched, runner } from './support.ts';

const SOURCE = 'fleetscan/team/apps/main';

/** A repository of one stale file, its host, and a GitRepo whose runs follow each other as the reconciler's do. */
async function setUp(
  t: TestContext,
  {
    pullRequest = {},
    spec = {},
    type = 'Opaque',
  }: { pullRequest?: object; spec?: object; type?: string } = {},
) {
  const [host, server] = await Promise.all([new FakeGitHub().start(), startGitServer()]);
  t.after(() => Promise.all([host.stop(), server.stop()]));
  const { directory, url } = await server.createRepository('acme/app', {
    'a.yaml': marked('1.0.0'),
    'other.txt': 'x\n',
  });
  const write = await runner(t);
  const secret = { type, data: { token: Buffer.from(host.credential.token).toString('base64') } };
  const wanted = { provider: 'GitHub', apiURL: host.apiURL, secretRef: { name: 'host' }, ...pullRequest };
  let repo: StoredGitRepo = gitRepo({ spec: { repo: url, branch: 'main', pullRequest: wanted, ...spec } });
  let agreed: { readonly at: string; readonly tag: string } | undefined;
  return {
    host,
    forge: host.forge,
    directory,
    /** A run with a tag in force. */
    run: async (tag: string, more: Partial<WriteBackDependencies> = {}): Promise<WriteBackResult> => {
      const client = { get: () => Promise.resolve(secret) };
      const result = await write(repo, tag, {
        client,
        ...(agreed?.tag === tag && { agreedAt: agreed.at }),
        ...more,
      });
      agreed = result.kind === 'failed' ? undefined : { at: result.at, tag };
      repo = patched(repo, statusAfter(repo, result, new Date()));
      return result;
    },
    /** Condition and state of the request, as the status has them. */
    told: (): string => {
      const condition = repo.status.conditions?.find(({ type }) => type === 'ImageSynced');
      const { number, state } = repo.status.pullRequest ?? {};
      return `${condition?.status} ${condition?.reason}, #${number} ${state}`;
    },
    /** Another spec, as a person applies it. */
    change: (more: object): void => {
      repo = gitRepo({ spec: { ...repo.spec, ...more }, status: repo.status });
      agreed = undefined;
    },
    status: () => repo.status,
    forget: (): void => void (repo = { ...repo, status: {} }),
    head: (branch: string): string =>
      gitText(directory, ['for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`]),
    file: (branch: string): Promise<string> => server.readFile('acme/app', 'a.yaml', branch),
    /** Merges the request as a person does, with a merge commit. */
    merge: (number: number): void => {
      const tree = gitText(directory, ['rev-parse', `${SOURCE}^{tree}`]);
      const parents = ['-p', 'main', '-p', SOURCE];
      const commit = gitText(directory, [...PERSON, 'commit-tree', ...parents, '-m', 'Merge', tree]);
      git(directory, ['update-ref', 'refs/heads/main', commit]);
      host.forge.find(number)!.state = 'merged';
    },
  };
}

const PERSON = ['-c', 'user.name=Person', '-c', 'user.email=person@example.com'];

describe('writeBack by pull request', { concurrency: 4 }, () => {
  it('opens one, and then asks nothing but whether it is still open', async (t) => {
    const { forge, host, directory, run, told, head, file } = await setUp(t, {
      pullRequest: { labels: ['images'], assignees: ['ann'] },
    });
    const main = head('main');
    const opened = await run('2.0.0');
    assert.ok(opened.kind === 'proposed', JSON.stringify(opened));
    assert.equal(head('main'), main);
    assert.equal(gitText(directory, ['rev-parse', `${SOURCE}^`]), main);
    assert.equal(await file(SOURCE), marked('2.0.0'));
    const [pull] = forge.pulls;
    assert.deepEqual(
      [pull?.source, pull?.target, pull?.labels, pull?.assignees],
      [SOURCE, 'main', ['images'], ['ann']],
    );
    assert.equal(told(), 'False PullRequestOpen, #1 Open');
    const { writes } = host;
    const questions = host.requests.length;
    assert.equal((await run('2.0.0')).kind, 'unchanged');
    assert.deepEqual([host.writes, host.requests.length], [writes, questions + 1]);
  });

  it('replaces the commit and updates the request when another value comes', async (t) => {
    const { forge, directory, run, head, file } = await setUp(t);
    await run('2.0.0');
    const body = forge.pulls[0]?.body;
    await run('2.1.0');
    assert.equal(await file(SOURCE), marked('2.1.0'));
    assert.equal(gitText(directory, ['rev-parse', `${SOURCE}^`]), head('main'));
    assert.equal(forge.pulls.length, 1);
    assert.notEqual(forge.pulls[0]?.body, body);
  });

  it('leaves the branch as it is while the target moves on elsewhere, and makes it anew when its files do', async (t) => {
    const { directory, run, head, file, forge } = await setUp(t);
    await run('2.0.0');
    const first = head(SOURCE);
    commitOnServer(directory, { 'other.txt': 'y\n' });
    assert.equal((await run('2.0.0')).kind, 'proposed');
    assert.equal(head(SOURCE), first);
    commitOnServer(directory, { 'a.yaml': `# A comment.\n${marked('1.0.0')}` });
    await run('2.0.0');
    assert.equal(gitText(directory, ['rev-parse', `${SOURCE}^`]), head('main'));
    assert.equal(await file(SOURCE), `# A comment.\n${marked('2.0.0')}`);
    assert.equal(forge.pulls.length, 1);
  });

  it('notices the merge, and removes the branch; the next value gets a request of its own', async (t) => {
    const { forge, run, told, head, merge, file } = await setUp(t);
    await run('2.0.0');
    merge(1);
    const merged = await run('2.0.0');
    assert.equal(merged.kind, 'synced');
    assert.equal(told(), 'True Synced, #1 Merged');
    assert.equal(head(SOURCE), '');
    assert.equal((await run('2.0.0')).kind, 'unchanged');
    await run('2.1.0');
    assert.equal(told(), 'False PullRequestOpen, #2 Open');
    assert.equal(await file(SOURCE), marked('2.1.0'));
    assert.equal(forge.pulls.length, 2);
  });

  it('respects that a person closed it, until other values come', async (t) => {
    const { forge, run, told, head, directory } = await setUp(t);
    await run('2.0.0');
    forge.pulls[0]!.state = 'closed';
    git(directory, ['update-ref', '-d', `refs/heads/${SOURCE}`]);
    for (const _ of [1, 2]) {
      await run('2.0.0');
      assert.equal(told(), 'False PullRequestClosed, #1 Closed');
    }
    assert.equal(head(SOURCE), '');
    await run('2.1.0');
    assert.equal(told(), 'False PullRequestOpen, #2 Open');
  });

  it('is told at once that a person closed or reopened it, though no branch moved', async (t) => {
    const { forge, run, told } = await setUp(t);
    await run('2.0.0');
    forge.pulls[0]!.state = 'closed';
    await run('2.0.0');
    assert.equal(told(), 'False PullRequestClosed, #1 Closed');
    forge.pulls[0]!.state = 'open';
    await run('2.0.0');
    assert.equal(told(), 'False PullRequestOpen, #1 Open');
  });

  it('closes it with a comment when the target says by itself what it should', async (t) => {
    const { forge, run, told, head, directory } = await setUp(t);
    await run('2.0.0');
    commitOnServer(directory, { 'a.yaml': marked('2.0.0') });
    assert.equal((await run('2.0.0')).kind, 'synced');
    assert.equal(told(), 'True Synced, #1 Closed');
    assert.match(forge.pulls[0]?.comments[0] ?? '', /nothing left to merge/);
    assert.equal(head(SOURCE), '');
    commitOnServer(directory, { 'a.yaml': marked('1.0.0') });
    await run('2.0.0');
    assert.equal(told(), 'False PullRequestOpen, #2 Open', 'what we closed ourselves is no refusal');
  });

  it('takes nothing back while a registry does not tell what Fleet would write', async (t) => {
    const { forge, run, told, head, directory } = await setUp(t, { spec: { compatibility: 'Fleet' } });
    commitOnServer(directory, { 'a.yaml': marked('1.0.0').replace('web"', 'web:digest"') });
    await run('2.0.0', { fleetValues: new FleetValues(async () => OTHER_DIGEST) });
    const proposed = head(SOURCE);
    assert.equal(told(), 'False PullRequestOpen, #1 Open');
    // As after a restart: nothing is known any more.
    const away = new FleetValues(async () => {
      throw new RegistryError('Unreachable', 'cannot reach registry.example');
    });
    commitOnServer(directory, { 'other.txt': 'y\n' });
    const result = await run('2.0.0', { fleetValues: away });
    assert.ok(result.kind === 'proposed' && result.plan.isIncomplete, JSON.stringify(result));
    assert.deepEqual([told(), head(SOURCE)], ['False PullRequestOpen, #1 Open', proposed]);
    assert.deepEqual(forge.pulls[0]?.comments, []);
  });

  it('keeps what a person pushed to the branch, and puts its own commits on top', async (t) => {
    const { run, head, directory, file, forge } = await setUp(t);
    await run('2.0.0');
    const theirs = commitOnServer(directory, { 'other.txt': 'by hand\n' }, SOURCE);
    assert.equal((await run('2.0.0')).kind, 'proposed');
    assert.equal(head(SOURCE), theirs);
    await run('2.1.0');
    assert.equal(gitText(directory, ['rev-parse', `${SOURCE}^`]), theirs);
    assert.equal(await file(SOURCE), marked('2.1.0'));
    commitOnServer(directory, { 'a.yaml': marked('2.1.0') });
    await run('2.1.0');
    assert.equal(forge.pulls[0]?.state, 'closed');
    assert.notEqual(head(SOURCE), '', 'their commit is not deleted with the branch');
  });

  for (const [what, next] of [
    ['', '2.0.0'],
    [' while another value came', '2.1.0'],
  ] as const) {
    it(`begins anew where what people added was squashed into the target${what}`, async (t) => {
      const { forge, run, directory, head, told, file } = await setUp(t);
      await run('2.0.0');
      commitOnServer(directory, { 'other.txt': 'by hand\n' }, SOURCE);
      await run('2.0.0');
      commitOnServer(directory, { 'a.yaml': marked('2.0.0'), 'other.txt': 'by hand\n' });
      forge.find(1)!.state = 'merged';
      await run(next);
      if (next === '2.0.0') assert.equal(head(SOURCE), '');
      await run('2.1.0');
      assert.equal(told(), 'False PullRequestOpen, #2 Open');
      assert.equal(gitText(directory, ['rev-parse', `${SOURCE}^`]), head('main'), 'else it conflicts');
      assert.equal(await file(SOURCE), marked('2.1.0'));
    });
  }

  it('keeps what a person pushed after the merge', async (t) => {
    const { forge, run, directory, head } = await setUp(t);
    await run('2.0.0');
    commitOnServer(directory, { 'a.yaml': marked('2.0.0') });
    forge.find(1)!.state = 'merged';
    const theirs = commitOnServer(directory, { 'other.txt': 'late\n' }, SOURCE);
    await run('2.0.0');
    assert.equal(head(SOURCE), theirs);
  });

  it('keeps what a person pushes by force while it is at work', async (t) => {
    const { host, run, head, directory, file, told } = await setUp(t);
    await run('2.0.0');
    let theirs = '';
    host.plan(
      () => {
        // Between our look at the branches and the fetch of ours.
        theirs ||= commitOnServer(directory, { 'a.yaml': marked('1.5.0'), b: 'x\n' }, SOURCE, true);
        return false;
      },
      () => assert.fail('no request is answered so'),
    );
    await run('2.1.0');
    assert.equal(told(), 'False PullRequestOpen, #1 Open');
    assert.equal(gitText(directory, ['rev-parse', `${SOURCE}^`]), theirs);
    assert.equal(await file(SOURCE), marked('2.1.0'));
    assert.notEqual(head(SOURCE), theirs);
  });

  it('knows its own branch when the status was lost', async (t) => {
    const { run, head, directory, forge, forget } = await setUp(t);
    await run('2.0.0');
    const first = head(SOURCE);
    forget();
    await run('2.0.0');
    assert.equal(head(SOURCE), first);
    await run('2.1.0');
    assert.equal(gitText(directory, ['rev-parse', `${SOURCE}^`]), head('main'));
    assert.equal(forge.pulls.length, 1);
  });

  it('sends no token of a service account to the host that a GitRepo names', async (t) => {
    const { host, run } = await setUp(t, { type: 'kubernetes.io/service-account-token' });
    const result = await run('2.0.0');
    assert.ok(result.kind === 'failed' && result.reason === 'WrongSecretType', JSON.stringify(result));
    assert.equal(host.requests.length, 0);
  });

  it('of which the host refuses the opening fails, says why, and goes on from there', async (t) => {
    const { host, run, head, told } = await setUp(t);
    host.plan(
      ({ method }) => method === 'POST',
      (response) => send(response, { status: 403, json: { message: 'Resource not accessible by token' } }),
    );
    const failed = await run('2.0.0');
    assert.ok(
      failed.kind === 'failed' && failed.reason === 'PullRequestUnauthorized',
      JSON.stringify(failed),
    );
    assert.match(failed.message, /Resource not accessible by token/);
    const pushed = head(SOURCE);
    await run('2.0.0');
    assert.equal(told(), 'False PullRequestOpen, #1 Open');
    assert.equal(head(SOURCE), pushed);
  });

  it('opens one, too, where spec.push names the branch that is read', async (t) => {
    const { run, head, told } = await setUp(t, { spec: { push: { branch: 'main' } } });
    const main = head('main');
    await run('2.0.0');
    assert.equal(told(), 'False PullRequestOpen, #1 Open');
    assert.equal(head('main'), main, 'nobody asked for a push to main');
  });

  it('leaves a branch that people share with it, and its request, as others made them', async (t) => {
    // Another GitRepo, or a person whose name our commits bear.
    const imageScanCommit = { authorName: 'Human', authorEmail: 'human@example.org' };
    const { run, head, directory, forge, told } = await setUp(t, {
      spec: { push: { branch: 'images' }, imageScanCommit },
    });
    git(directory, ['branch', 'images', 'main']);
    const theirs = commitOnServer(directory, { 'other.txt': 'y\n' }, 'images');
    const pull = forge.open('images', 'main', { title: 'Theirs', body: '' });
    await run('1.0.0');
    assert.deepEqual([head('images'), pull.state], [theirs, 'open'], 'neither deleted nor closed');
    assert.equal(told(), 'True Synced, #undefined undefined');
    await run('2.0.0');
    assert.equal(gitText(directory, ['rev-parse', 'images^']), theirs, 'not replaced');
  });

  it('takes branch and request back when the spec asks for pushes again', async (t) => {
    const { run, change, status, head, file } = await setUp(t);
    await run('2.0.0');
    change({ pullRequest: undefined });
    await run('2.0.0');
    assert.equal(await file('main'), marked('2.0.0'));
    assert.equal(head(SOURCE), '', 'hosts close a request with its branch');
    assert.deepEqual([status().pullRequest, status().proposal], [undefined, undefined]);
  });

  it('moves to another branch of the spec and leaves nothing of its own behind', async (t) => {
    const { run, change, told, head, forge, directory } = await setUp(t);
    await run('2.0.0');
    change({ push: { branch: 'images' } });
    await run('2.0.0');
    assert.equal(told(), 'False PullRequestOpen, #2 Open');
    assert.equal(head(SOURCE), '');
    assert.equal(forge.pulls[0]?.state, 'closed');
    const theirs = commitOnServer(directory, { 'other.txt': 'by hand\n' }, 'images');
    change({ push: undefined });
    await run('2.0.0');
    assert.equal(told(), 'False PullRequestOpen, #3 Open');
    assert.equal(forge.pulls[1]?.state, 'closed');
    assert.equal(head('images'), theirs, 'what a person pushed stays');
  });

  it('without a provider keeps the branch alone', async (t) => {
    const spec = { pullRequest: undefined, push: { branch: 'images' } };
    const { run, head, file, told, directory } = await setUp(t, { spec });
    const main = head('main');
    await run('2.0.0');
    assert.deepEqual([head('main'), await file('images')], [main, marked('2.0.0')]);
    assert.match(told(), /^False PushedToBranch/);
    git(directory, ['update-ref', 'refs/heads/main', head('images')]);
    await run('2.0.0');
    assert.match(told(), /^True Synced/);
    assert.equal(head('images'), '');
  });
});
