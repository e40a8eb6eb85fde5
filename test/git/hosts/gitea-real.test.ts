import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connectPullRequests } from '../../../git/hosts/connect.ts';
import { type Gitea, noGitea, startGitea } from '../../control-plane/gitea.ts';
import { type Stage, writesDuring } from './stage.ts';
import { STORY } from './story.ts';

suite('pull requests on a real Gitea', { skip: await noGitea() }, () => {
  let gitea: Gitea;
  before(async () => {
    gitea = await startGitea();
  });
  after(() => gitea?.stop());

  for (const [index, [title, scene]] of Object.entries(STORY).entries()) {
    test(title, async () => scene(await stageOn(gitea, `app-${index}`)));
  }

  test('a title that Gitea cuts in its own way is not written again', async () => {
    const { requests, look } = await stageOn(gitea, 'wide');
    const text = { title: '更新'.repeat(120), body: 'Body', labels: [], assignees: [] };
    const { request } = await requests.open({ source: 'bot/main', target: 'main' }, text);
    assert.match((await look(request.number)).title, /^(?:更新){50,}更?…$/);
    assert.equal(await writesDuring(() => requests.update(request.number, text)), 0);
    const other = { ...text, title: `別${text.title}` };
    assert.equal(await writesDuring(() => requests.update(request.number, other)), 1);
  });
});

/** A stage on a new repository, whose requests are the robot's; what people do there bob does. */
async function stageOn(gitea: Gitea, name: string): Promise<Stage> {
  const { bob, robot } = gitea;
  const { path, url } = await gitea.createRepository(name, { 'app.yaml': 'image: app:1\n' });
  await gitea.commit(name, { 'old.yaml': 'image: app:0\n' }, 'release/1', 'main');
  await gitea.commit(name, { 'app.yaml': 'image: app:2\n' }, 'bot/main', 'main');
  return {
    requests: connectPullRequests({
      provider: 'Gitea',
      repositoryUrl: url,
      credential: { token: robot.token },
      environment: {},
      timeoutMs: 30_000,
    }),
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
