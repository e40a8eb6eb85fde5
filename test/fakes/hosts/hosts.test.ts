import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeBitbucketCloud, uuidOf } from './bitbucket-cloud.ts';
import { FakeBitbucketDataCenter } from './bitbucket-data-center.ts';
import { FakeGitea } from './gitea.ts';
import { FakeGitHub } from './github.ts';
import { FakeGitLab } from './gitlab.ts';
import { type FakeHost, send } from './server.ts';

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly authorization?: string;
  readonly type?: string;
}

interface Got {
  readonly status: number;
  readonly link: string | null;
  readonly json: unknown;
}

function callsTo(host: FakeHost, own: string) {
  return async (path: string, call: Call = {}): Promise<Got> => {
    const { method = 'GET', body, authorization = own, type = 'application/json' } = call;
    const response = await fetch(`${host.apiURL}${path}`, {
      method,
      headers: { authorization, 'content-type': type },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: unknown = text === '' ? undefined : JSON.parse(text);
    return { status: response.status, link: response.headers.get('link'), json };
  };
}

async function on<H extends FakeHost>(
  host: H,
  authorization: string,
  act: (call: ReturnType<typeof callsTo>, host: H) => Promise<void>,
): Promise<void> {
  await host.start();
  try {
    const call = callsTo(host, authorization);
    assert.equal((await call('/anything', { authorization: 'Bearer other' })).status, 401);
    assert.equal((await call('/anything')).status, 404);
    await act(call, host);
  } finally {
    await host.stop();
  }
}

/** The parts of an answer that a test names, as deep as it does. */
function includes(actual: unknown, expected: object): void {
  assert.partialDeepStrictEqual(actual, expected);
}

const LONG_TITLE = 't'.repeat(257);

describe('a fake host', () => {
  test('GitHub', () =>
    on(new FakeGitHub(), 'Bearer ghp_secret', async (call, host) => {
      const pulls = '/repos/acme/app/pulls';
      const create = { title: 'A', head: 'bot/main', base: 'main' };
      const post = (more: object): Promise<Got> =>
        call(pulls, { method: 'POST', body: { ...create, ...more } });
      includes((await post({ title: LONG_TITLE })).json, { errors: [{ field: 'title', code: 'custom' }] });
      includes(await post({ base: 'gone' }), { status: 422, json: { errors: [{ field: 'base' }] } });
      const opened = {
        number: 1,
        state: 'open',
        body: null,
        merged_at: null,
        head: { label: 'acme:bot/main' },
      };
      includes(await post({}), { status: 201, json: opened });
      const errors = [{ message: 'A pull request already exists for acme:bot/main.' }];
      includes(await post({}), { status: 422, json: { message: 'Validation Failed', errors } });
      const assigned = await call('/repos/acme/app/issues/1/assignees', {
        method: 'POST',
        body: { assignees: ['bob', 'nobody'] },
      });
      includes(assigned, { status: 201, json: { assignees: [{ login: 'bob' }] } });
      assert.equal((await call('/repos/acme/app/assignees/nobody')).status, 404);
      assert.equal((await call('/repos/acme/app/assignees/bob')).status, 204);
      includes((await call(`${pulls}?head=acme:bot/main&base=main`)).json, [{ number: 1 }]);
      assert.deepEqual((await call(`${pulls}?head=mallory:bot/main`)).json, []);
      await call(`${pulls}/1`, { method: 'PATCH', body: { state: 'closed' } });
      assert.deepEqual((await call(pulls)).json, []);
      host.forge.open('bot/main', 'main', create as never);
      const first = await call(`${pulls}?state=all&per_page=1`);
      includes(first.json, [{ number: 2 }]);
      assert.match(first.link ?? '', /page=2>; rel="next"/);
      assert.equal((await call(`${pulls}?state=all&per_page=1&page=2`)).link, null);
    }));

  test('GitLab', () =>
    on(new FakeGitLab(), 'Bearer glpat-secret', async (call, host) => {
      const path = '/projects/group%2Fsub%2Fapp/merge_requests';
      const create = { title: 'A', source_branch: 'bot/main', target_branch: 'main' };
      const post = (more: object): Promise<Got> =>
        call(path, { method: 'POST', body: { ...create, ...more } });
      const tooLong = { title: ['is too long (maximum is 255 characters)'] };
      includes(await post({ title: LONG_TITLE }), { status: 400, json: { message: tooLong } });
      assert.equal((await post({ target_branch: undefined })).status, 400);
      includes(await post({}), { status: 201, json: { iid: 1, state: 'opened', description: null } });
      const message = ['Another open merge request already exists for this source branch: !1'];
      includes(await post({}), { status: 409, json: { message } });
      assert.deepEqual((await call('/users?username=nobody')).json, []);
      includes((await call('/users?username=bob')).json, [{ id: 2, username: 'bob' }]);
      const put = (body: object): Promise<Got> => call(`${path}/1`, { method: 'PUT', body });
      await put({ add_labels: 'a,b' });
      includes((await put({ assignee_ids: [1, 2] })).json, {
        labels: ['a', 'b'],
        assignees: [{ username: 'ann' }, { username: 'bob' }],
      });
      host.tier = 'Free';
      assert.equal(((await put({ assignee_ids: [2, 1] })).json as { assignees: [] }).assignees.length, 1);
      includes((await put({ state_event: 'close' })).json, { state: 'closed' });
      includes((await put({ description: 'a\n/MERGE\nb' })).json, { state: 'merged' });
      assert.deepEqual((await call(`${path}?state=opened`)).json, []);
      includes((await call(`${path}?source_branch=bot/main&target_branch=main`)).json, [{ iid: 1 }]);
    }));

  test('Gitea', () =>
    on(new FakeGitea(), 'token f00d', async (call) => {
      const pulls = '/repos/acme/app/pulls';
      const create = { title: 'A', head: 'bot/main', base: 'main' };
      const post = (more: object): Promise<Got> =>
        call(pulls, { method: 'POST', body: { ...create, ...more } });
      assert.equal((await post({ title: '' })).status, 422);
      assert.equal((await post({ head: 'main' })).status, 422);
      assert.equal((await post({ head: 'gone' })).status, 404);
      assert.equal((await post({ assignees: ['nobody'] })).status, 422);
      includes(await post({}), { status: 201, json: { number: 1, merged: false, assignees: null } });
      assert.equal((await post({})).status, 409);
      const patch = (body: object): Promise<Got> => call(`${pulls}/1`, { method: 'PATCH', body });
      includes(await patch({ assignees: ['bob'] }), { status: 201, json: { assignees: [{ login: 'bob' }] } });
      assert.equal((await patch({ assignees: ['nobody'] })).status, 422);
      const labels = '/repos/acme/app/labels';
      assert.equal((await call(labels, { method: 'POST', body: { name: 'a' } })).status, 422);
      const made = await call(labels, { method: 'POST', body: { name: 'a', color: '#ededed' } });
      includes(made, { status: 201, json: { id: 2, name: 'a' } });
      const onPull = await call('/repos/acme/app/issues/1/labels', {
        method: 'POST',
        body: { labels: [2, 99] },
      });
      includes(onPull, { status: 200, json: [{ name: 'a' }] });
      includes((await patch({ state: 'closed' })).json, { state: 'closed', labels: [{ name: 'a' }] });
      assert.deepEqual((await call(pulls)).json, []);
      assert.equal(((await call(`${pulls}?state=closed`)).json as []).length, 1);
      assert.equal(((await call(`${pulls}?state=closed&base_branch=x`)).json as []).length, 0);
    }));

  test('Bitbucket Cloud', () =>
    on(new FakeBitbucketCloud(), 'Bearer ATCTT-secret', async (call) => {
      const path = '/repositories/acme/app/pullrequests';
      const branch = (name: string): object => ({ branch: { name } });
      const create = { title: 'A', source: branch('bot/main'), destination: branch('main') };
      const post = (more: object): Promise<Got> =>
        call(path, { method: 'POST', body: { ...create, ...more } });
      includes(await post({ title: LONG_TITLE }), {
        status: 400,
        json: { error: { message: 'Bad request' } },
      });
      assert.equal((await post({ destination: branch('gone') })).status, 400);
      includes(await post({}), { status: 201, json: { id: 1, state: 'OPEN' } });
      includes(await post({ title: 'B' }), { status: 201, json: { id: 1, title: 'B' } });
      const put = (body: object): Promise<Got> => call(`${path}/1`, { method: 'PUT', body });
      const reviewers = [{ uuid: uuidOf('bob') }];
      includes(await put({ reviewers }), { status: 200, json: { reviewers: [{ nickname: 'bob' }] } });
      assert.equal((await put({ reviewers: [{ uuid: '{x}' }] })).status, 400);
      assert.deepEqual(((await put({ title: 'C' })).json as { reviewers: [] }).reviewers, []);
      const q = encodeURIComponent('source.branch.name = "bot/main" AND destination.branch.name = "main"');
      includes((await call(`${path}?q=${q}`)).json, { values: [{ id: 1 }] });
      const other = encodeURIComponent('source.branch.name = "x"');
      includes((await call(`${path}?q=${other}`)).json, { values: [] });
      assert.equal((await call(`${path}?pagelen=51`)).status, 400);
      includes((await call(`${path}/1/decline`, { method: 'POST' })).json, { state: 'DECLINED' });
      assert.equal((await put({ title: 'D' })).status, 400);
      includes((await call(path)).json, { values: [] });
      includes((await call(`${path}?state=MERGED&state=DECLINED`)).json, { values: [{ id: 1 }] });
      await post({});
      const page = await call(`${path}?state=OPEN&state=DECLINED&pagelen=1&sort=-created_on`);
      includes(page.json, { page: 1, values: [{ id: 2 }] });
      assert.ok('next' in (page.json as object));
    }));

  test('Bitbucket Data Center', () =>
    on(new FakeBitbucketDataCenter(), 'Bearer BBDC-secret', async (call) => {
      const path = '/projects/ACME/repos/app/pull-requests';
      const create = { title: 'A', fromRef: { id: 'refs/heads/bot/main' }, toRef: { id: 'refs/heads/main' } };
      const post = (more: object): Promise<Got> =>
        call(path, { method: 'POST', body: { ...create, ...more } });
      const exception = (name: string): object => ({
        errors: [{ exceptionName: `com.atlassian.bitbucket.${name}` }],
      });
      includes(await post({ title: LONG_TITLE }), { status: 400, json: { errors: [{ context: 'title' }] } });
      const missing = exception('commit.NoSuchCommitException');
      includes(await post({ toRef: { id: 'refs/heads/gone' } }), { status: 404, json: missing });
      assert.equal((await post({ fromRef: { id: 'main' } })).status, 400);
      const form = { method: 'POST', body: create, type: 'application/x-www-form-urlencoded' };
      assert.equal((await call(path, form)).status, 403);
      includes(await post({}), { status: 201, json: { id: 1, version: 0, state: 'OPEN' } });
      includes(await post({}), { status: 409, json: exception('pull.DuplicatePullRequestException') });
      const put = (body: object): Promise<Got> => call(`${path}/1`, { method: 'PUT', body });
      const reviewers = [{ user: { name: 'bob' } }];
      includes(await put({ version: 0, reviewers }), { status: 200, json: { version: 1, reviewers } });
      includes(await put({ version: 0 }), {
        status: 409,
        json: exception('pull.PullRequestOutOfDateException'),
      });
      const refused = await put({ version: 1, reviewers: [{ user: { name: 'nobody' } }] });
      const named = [{ reviewerErrors: [{ context: 'nobody', message: 'nobody is not a user.' }] }];
      includes(refused, { status: 409, json: { errors: named } });
      assert.equal((await call(`${path}/1/decline?version=0`, { method: 'POST', body: {} })).status, 409);
      const declined = await call(`${path}/1/decline?version=1`, { method: 'POST', body: {} });
      includes(declined, { status: 200, json: { state: 'DECLINED' } });
      includes(await put({ version: 2 }), { json: exception('pull.IllegalPullRequestStateException') });
      includes((await call(path)).json, { values: [] });
      await post({});
      const all = `${path}?state=ALL&direction=OUTGOING&at=refs/heads/bot/main&limit=1`;
      includes((await call(all)).json, { values: [{ id: 2 }], isLastPage: false, nextPageStart: 1 });
      includes((await call(`${all}&start=1`)).json, { values: [{ id: 1 }], isLastPage: true });
      includes((await call(`${path}?state=ALL&direction=OUTGOING&at=refs/heads/main`)).json, { values: [] });
    }));

  test('a planned answer comes once, and writes are counted', () =>
    on(new FakeGitHub(), 'Bearer ghp_secret', async (call, host) => {
      host.plan(
        ({ method }) => method === 'POST',
        (response) => send(response, { status: 500 }),
      );
      assert.equal((await call('/repos/acme/app/pulls')).status, 200);
      assert.equal((await call('/repos/acme/app/pulls', { method: 'POST', body: {} })).status, 500);
      assert.equal((await call('/repos/acme/app/pulls', { method: 'POST', body: {} })).status, 422);
      assert.equal(host.writes, 2);
    }));
});
