import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connectPullRequests } from '../../../git/hosts/connect.ts';
import {
  HostError,
  type HostCredential,
  type HostErrorCode,
  type PullRequests,
} from '../../../git/hosts/host.ts';
import { type Gitea, noGitea, startGitea } from '../../control-plane/gitea.ts';
import { type Stage, writesDuring } from './stage.ts';
import { STORY } from './story.ts';

const BRANCHES = { source: 'bot/main', target: 'main' };

suite('pull requests on a real Gitea', { skip: await noGitea() }, () => {
  let gitea: Gitea;
  before(async () => {
    gitea = await startGitea();
  });
  after(() => gitea?.stop());

  for (const [index, [title, scene]] of Object.entries(STORY).entries()) {
    test(title, async () => scene(await stageOn(gitea, `app-${index}`)));
  }

  test('what Gitea refuses has its code, in its words and without the token', async () => {
    const { url } = await gitea.createRepository('refusals', { 'app.yaml': 'image: app:1\n' });
    const text = { title: 'Update', body: '', labels: [], assignees: [] };
    const refused = async (call: Promise<unknown>, code: HostErrorCode, words: RegExp): Promise<void> => {
      const error = await call.catch((error: unknown) => error);
      assert.ok(error instanceof HostError, String(error));
      assert.deepEqual([error.code, words.test(error.message)], [code, true], error.message);
      assert.ok(!error.message.includes(gitea.robot.token));
    };
    const requests = connectAs(url, { token: gitea.robot.token });
    await refused(requests.open(BRANCHES, text), 'NotFound', /status 404/);
    await gitea.commit('refusals', { 'app.yaml': 'image: app:2\n' }, 'bot/main', 'main');
    await refused(requests.open(BRANCHES, { ...text, title: ' ' }), 'Rejected', /Title/);
    await refused(requests.update(7, text), 'NotFound', /status 404/);
    await refused(connectAs(url, { token: 'wrong' }).latest(BRANCHES), 'Unauthorized', /status 401/);
    const missing = connectAs(url.replace('refusals', 'missing'), { token: gitea.robot.token });
    await refused(missing.latest(BRANCHES), 'NotFound', /missing/);
    const named = connectAs(url, { username: gitea.robot.name, password: gitea.robot.token });
    assert.equal(await named.latest(BRANCHES), undefined);
  });

  test('a request that was merged, and its branch deleted, is still known by the name', async () => {
    const stage = await stageOn(gitea, 'gone');
    const { requests } = stage;
    const text = { title: 'Update', body: 'Body', labels: [], assignees: [] };
    const { request } = await requests.open(BRANCHES, text);
    await stage.merge(request.number);
    await gitea.bob.deleteBranch('ann/gone', BRANCHES.source);
    assert.equal(await gitea.head('gone', BRANCHES.source), undefined);
    const latest = await requests.latest(BRANCHES);
    assert.deepEqual([latest?.number, latest?.state], [request.number, 'Merged']);
  });

  test('a title that Gitea cuts in its own way is not written again', async () => {
    const stage = await stageOn(gitea, 'wide');
    const { requests } = stage;
    const text = { title: '更新'.repeat(120), body: 'Body', labels: [], assignees: [] };
    const { request } = await requests.open(BRANCHES, text);
    assert.match((await stage.look(request.number)).title, /^(?:更新){50,}更?…$/);
    assert.equal(await writesDuring(() => requests.update(request.number, text)), 0);
    const other = { ...text, title: `別${text.title}` };
    assert.equal(await writesDuring(() => requests.update(request.number, other)), 1);
  });
});

function connectAs(repositoryUrl: string, credential: HostCredential): PullRequests {
  return connectPullRequests({
    provider: 'Gitea',
    repositoryUrl,
    credential,
    environment: {},
    timeoutMs: 30_000,
  });
}

/** A stage on a new repository, whose requests are the robot's; what people do there bob does. */
async function stageOn(gitea: Gitea, name: string): Promise<Stage> {
  const { bob, robot } = gitea;
  const { path, url } = await gitea.createRepository(name, { 'app.yaml': 'image: app:1\n' }, 'main', {
    'release/1': { 'old.yaml': 'image: app:0\n' },
    'bot/main': { 'app.yaml': 'image: app:2\n' },
  });
  return {
    requests: connectAs(url, { token: robot.token }),
    hasLabels: true,
    login: (login) => login,
    look: async (number) => {
      const { title, body, labels, assignees } = await bob.pull(path, number);
      return {
        title,
        body,
        labels: labels.map((label) => label.name),
        assignees: (assignees ?? []).map(({ login }) => login),
        comments: await bob.comments(path, number),
      };
    },
    merge: (number) => bob.merge(path, number),
    close: (number) => bob.close(path, number),
    label: async (number, label) => bob.label(path, number, await bob.createLabel(path, label)),
    assign: (number, login) => bob.assign(path, number, login),
    open: async (branches, from) => {
      if (from === 'fork') await bob.fork(path);
      const source = from === 'fork' ? `bob:${branches.source}` : branches.source;
      await bob.openPull(path, { ...branches, source }, 'Theirs');
    },
  };
}
