import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HostError } from '../../../git/hosts/host.ts';
import { FakeBitbucketCloud, uuidOf } from '../../fakes/hosts/bitbucket-cloud.ts';
import { FakeBitbucketDataCenter } from '../../fakes/hosts/bitbucket-data-center.ts';
import { FakeGitea } from '../../fakes/hosts/gitea.ts';
import { FakeGitHub } from '../../fakes/hosts/github.ts';
import { FakeGitLab } from '../../fakes/hosts/gitlab.ts';
import { type FakeHost, send } from '../../fakes/hosts/server.ts';
import { connectTo, FAKES, writesDuring } from './stage.ts';

const BRANCHES = { source: 'bot/main', target: 'main' };
const TEXT = { title: 'Update', body: 'Body', labels: [], assignees: [] };

async function on<H extends FakeHost>(host: H, act: (host: H) => Promise<void>): Promise<void> {
  await host.start();
  try {
    await act(host);
  } finally {
    await host.stop();
  }
}

describe('a request behind many others', () => {
  for (const [name, make] of Object.entries(FAKES)) {
    test(`${name}: the open one is found, and no other host is asked for pages`, () =>
      on(make(), async (host) => {
        host.forge.open('bot/main', 'main', { title: 'First', body: '' });
        for (let i = 0; i < 120; i++) {
          host.forge.open('bot/main', 'main', { title: 'Theirs', body: '' }).state = 'closed';
        }
        assert.equal((await connectTo(host).latest(BRANCHES))?.number, 1);
        assert.equal(host.writes, 0);
      }));
  }

  test('Gitea: a server may give fewer at once than it is asked for', () =>
    on(new FakeGitea(), async (host) => {
      host.maxItems = 7;
      host.forge.open('bot/main', 'main', { title: 'First', body: '' });
      for (let i = 0; i < 40; i++) host.forge.open('bot/main', 'main', { title: 'Fork', body: '' }, true);
      assert.equal((await connectTo(host).latest(BRANCHES))?.number, 1);
    }));

  test('Gitea: the search has an end', () =>
    on(new FakeGitea(), async (host) => {
      host.maxItems = 1;
      for (let i = 0; i < 100; i++) host.forge.open('bot/main', 'main', { title: 'Fork', body: '' }, true);
      assert.equal(await connectTo(host).latest(BRANCHES), undefined);
      assert.ok(host.requests.length < 50, String(host.requests.length));
    }));
});

describe('GitHub', () => {
  test('a repository that was renamed', () =>
    on(new FakeGitHub(), async (host) => {
      host.forge.open('bot/main', 'main', { title: 'Ours', body: '' });
      host.plan(
        ({ path }) => path.endsWith('/old/pulls/1'),
        (response) =>
          send(response, { status: 301, headers: { location: '/api/v3/repos/acme/app/pulls/1' } }),
      );
      const requests = connectTo(host, { repositoryUrl: `${host.url}/acme/old.git` });
      assert.equal((await requests.update(1, { ...TEXT, title: 'Ours', body: '' })).request.number, 1);
    }));

  test('a label that it will not set is a note, and the request stands', () =>
    on(new FakeGitHub(), async (host) => {
      host.plan(
        ({ path }) => path.endsWith('/labels'),
        (response) => send(response, { status: 403, json: { message: 'Resource not accessible' } }),
      );
      const { request, notes } = await connectTo(host).open(BRANCHES, { ...TEXT, labels: ['a', 'b'] });
      assert.equal(request.state, 'Open');
      assert.match(notes.join('\n'), /^labels "a", "b" could not be set: .*Resource not accessible/);
      const again = await connectTo(host).update(request.number, { ...TEXT, labels: ['a', 'b'] });
      assert.deepEqual([again.notes, host.forge.pulls[0]?.labels], [[], ['a', 'b']]);
    }));

  test('a fork that its own organisation holds is another repository', () =>
    on(new FakeGitHub(), async (host) => {
      host.forge.open('bot/main', 'main', { title: 'Theirs', body: '' });
      host.plan(
        () => true,
        (response, asked) => {
          const [pull] = host.answer(asked).json as { head: object }[];
          const repo = { id: 2, full_name: 'acme/fork' };
          send(response, { status: 200, json: [{ ...pull, head: { ...pull?.head, repo } }] });
        },
      );
      assert.equal(await connectTo(host).latest(BRANCHES), undefined);
      assert.equal((await connectTo(host).latest(BRANCHES))?.number, 1);
    }));

  test('names in another case are the same', () =>
    on(new FakeGitHub(), async (host) => {
      const text = { ...TEXT, labels: ['Bug'], assignees: ['bob'] };
      const { request } = await connectTo(host).open(BRANCHES, text);
      const shouted = { ...TEXT, labels: ['BUG'], assignees: ['BOB'] };
      assert.equal(await writesDuring(() => connectTo(host).update(request.number, shouted)), 0);
    }));
});

describe('GitLab', () => {
  test('Free keeps one assignee, which is not fought over', () =>
    on(new FakeGitLab(), async (host) => {
      host.tier = 'Free';
      const text = { ...TEXT, assignees: ['ann', 'bob'] };
      const { request } = await connectTo(host).open(BRANCHES, text);
      assert.deepEqual(host.forge.pulls[0]?.assignees, ['ann']);
      assert.equal(await writesDuring(() => connectTo(host).update(request.number, text)), 0);
    }));

  test('a line that would be obeyed is only shown', () =>
    on(new FakeGitLab(), async (host) => {
      const text = { ...TEXT, body: '/merge\nhttps://x/merge\r\n/Merge\n/merge ' };
      const { request } = await connectTo(host).open(BRANCHES, text);
      assert.equal(request.state, 'Open');
      assert.equal(host.forge.pulls[0]?.body, '\\/merge\nhttps://x/merge\r\n\\/Merge\n\\/merge ');
      assert.equal(await writesDuring(() => connectTo(host).update(request.number, text)), 0);
      await connectTo(host).close(request.number, '/merge');
      assert.deepEqual([host.forge.pulls[0]?.state, host.forge.pulls[0]?.comments], ['closed', ['\\/merge']]);
    }));

  test('a merge under way is still open', () =>
    on(new FakeGitLab(), async (host) => {
      const { request } = await connectTo(host).open(BRANCHES, TEXT);
      host.plan(
        () => true,
        (response) => {
          const json = { ...host.shown(1), state: 'locked' };
          send(response, { status: 200, json });
        },
      );
      assert.equal((await connectTo(host).update(request.number, TEXT)).request.state, 'Open');
    }));
});

describe('Gitea', () => {
  test('is asked by user name and password, too', () =>
    on(new FakeGitea(), async (host) => {
      const requests = connectTo(host, { credential: { username: 'ann', password: 'f00d' } });
      assert.equal(await requests.latest(BRANCHES), undefined);
    }));

  test('a label is made once, and an organisation’s is used', () =>
    on(new FakeGitea(), async (host) => {
      host.organisationLabels.push('shared');
      const text = { ...TEXT, labels: ['bug', 'images', 'shared'] };
      const { request, notes } = await connectTo(host).open(BRANCHES, text);
      assert.deepEqual(notes, []);
      assert.deepEqual(host.forge.labels, ['bug', 'images']);
      assert.deepEqual(host.forge.pulls[0]?.labels, ['bug', 'images', 'shared']);
      await connectTo(host).close(request.number, 'Done');
      await connectTo(host).open(BRANCHES, text);
      assert.deepEqual(host.forge.labels, ['bug', 'images']);
    }));

  test('a request whose branch is gone is known by its name', () =>
    on(new FakeGitea(), async (host) => {
      const { request } = await connectTo(host).open(BRANCHES, TEXT);
      const [pull] = host.forge.pulls;
      if (pull !== undefined) pull.state = 'merged';
      host.forge.branches.delete('bot/main');
      assert.equal((await connectTo(host).latest(BRANCHES))?.number, request.number);
    }));
});

describe('Bitbucket Cloud', () => {
  test('takes accounts by their ids, and no labels', () =>
    on(new FakeBitbucketCloud(), async (host) => {
      const text = { ...TEXT, labels: ['a'], assignees: ['bob', uuidOf('ann'), '557058:x'] };
      const { notes } = await connectTo(host).open(BRANCHES, text);
      assert.equal(notes.length, 3);
      assert.match(
        notes.join('\n'),
        /labels "a" are left out: Bitbucket has none\nassignee "bob" is left out: .*\n/,
      );
      assert.deepEqual(host.forge.pulls[0]?.assignees, ['ann']);
    }));

  test('an API token goes with the name of its account', () =>
    on(new FakeBitbucketCloud(), async (host) => {
      const credential = { username: 'ann@example.com', password: 'ATATT-secret' };
      assert.equal(await connectTo(host, { credential }).latest(BRANCHES), undefined);
      const access = { username: 'x-token-auth', password: 'ATCTT-secret' };
      assert.equal(await connectTo(host, { credential: access }).latest(BRANCHES), undefined);
    }));

  test('a branch with a quote in its name', () =>
    on(new FakeBitbucketCloud(), async (host) => {
      const branches = { source: 'bot/"a" AND id > 0', target: 'main' };
      const { request } = await connectTo(host).open(branches, TEXT);
      assert.equal((await connectTo(host).latest(branches))?.number, request.number);
    }));
});

describe('Bitbucket Data Center', () => {
  test('a change in the same moment is not written over', () =>
    on(new FakeBitbucketDataCenter(), async (host) => {
      const { request } = await connectTo(host).open(BRANCHES, TEXT);
      host.plan(
        ({ method }) => method === 'PUT',
        (response, asked) => {
          const [pull] = host.forge.pulls;
          if (pull !== undefined) Object.assign(pull, { title: 'By a person', version: pull.version + 1 });
          send(response, host.answer(asked));
        },
      );
      const isOutOfDate = (error: HostError): boolean =>
        error.code === 'Rejected' && /out-of-date/.test(error.message);
      await assert.rejects(connectTo(host).update(request.number, { ...TEXT, title: 'Ours' }), isOutOfDate);
      assert.equal(host.forge.pulls[0]?.title, 'By a person');
    }));

  test('a request into the repository that this one is a fork of is another', () =>
    on(new FakeBitbucketDataCenter(), async (host) => {
      host.forge.open('bot/main', 'main', { title: 'Theirs', body: '' });
      host.plan(
        () => true,
        (response, asked) => {
          const json = JSON.stringify(host.answer(asked).json);
          const into = json.replace(/("toRef".*"key":)"ACME"/, '$1"UPSTREAM"');
          send(response, { status: 200, json: JSON.parse(into) as unknown });
        },
      );
      assert.equal(await connectTo(host).latest(BRANCHES), undefined);
      assert.equal((await connectTo(host).latest(BRANCHES))?.number, 1);
    }));

  test('a reviewer that it refuses does not keep the others off', () =>
    on(new FakeBitbucketDataCenter(), async (host) => {
      const text = { ...TEXT, assignees: ['ann', 'nobody', 'bob', 'none'] };
      const { notes } = await connectTo(host).open(BRANCHES, text);
      assert.deepEqual(host.forge.pulls[0]?.assignees, ['ann', 'bob']);
      assert.equal(notes.length, 2);
      assert.match(notes[0] ?? '', /reviewer "nobody" could not be set: .*nobody is not a user/);
    }));
});
