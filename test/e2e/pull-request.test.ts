import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Gitea, type GiteaRepository, noGitea, startGitea } from '../control-plane/gitea.ts';
import { waitFor } from '../wait.ts';
import { IMAGE } from './admission.ts';
import {
  conditionOf,
  digestOf,
  gitRepo,
  namespaceObject,
  put,
  putValue,
  type Reconciling,
  secret,
  startReconciling,
  untilEvent,
  untilGitRepo,
} from './reconciling.ts';

const SOURCE = 'fleetscan/shop/apps/main';
const APPS = { namespace: 'shop', name: 'apps' };

suite('write-back by pull request, on a real Gitea', { skip: await noGitea() }, () => {
  let gitea: Gitea;
  let bench: Reconciling;
  let repository: GiteaRepository;

  before(async () => {
    [gitea, bench] = await Promise.all([startGitea(), startReconciling()]);
    repository = await gitea.createRepository('apps', {
      'deploy/web.yaml': file('1.0.0'),
      'README.md': 'Hello\n',
    });
    await gitea.ann.protectBranch(repository.path, 'main');
    const { name: username, token: password } = gitea.robot;
    await put(
      bench.client,
      namespaceObject(APPS.namespace),
      secret({ ...APPS, name: 'git' }, 'kubernetes.io/basic-auth', { username, password }),
    );
    await putValue(bench.client, { ...APPS, name: 'web' }, '2.0.0');
    await put(
      bench.client,
      gitRepo(APPS, {
        repo: repository.url,
        branch: 'main',
        paths: ['deploy'],
        clientSecretName: 'git',
        imageScanInterval: '1s',
        imageScanCommit: {
          authorName: 'Image Bot',
          authorEmail: 'bot@example.com',
          signOff: true,
          messageTemplate: '{{ range .Changes }}{{ .Scan }}: {{ .OldTag }} to {{ .NewTag }}{{ end }}',
        },
        pullRequest: { provider: 'Gitea', labels: ['images'], assignees: ['bob', 'nobody'] },
      }),
    );
  });
  after(async () => {
    await bench?.stop();
    await gitea?.stop();
  });

  const file = (tag: string): string => `image: ${IMAGE}:${tag} # {"$imagescan": "web"}\n`;

  const until = (reason: string, tag: string) =>
    untilGitRepo(bench.client, APPS, `${reason} for ${tag}`, (repo) => {
      const told = conditionOf(repo, 'ImageSynced');
      return told?.startsWith(reason) === true && repo.status.pullRequest !== undefined;
    });

  test('opens a request that says what changes, and leaves the protected branch alone', async () => {
    const main = await gitea.head('apps');
    const { status } = await until('False PullRequestOpen', '2.0.0');
    const number = status.pullRequest?.number ?? 0;
    const pull = await gitea.bob.pull(repository.path, number);
    assert.equal(pull.title, 'Update images: web 1.0.0 → 2.0.0');
    assert.match(
      pull.body,
      new RegExp(
        `\\| \`1\\.0\\.0\` \\| \`2\\.0\\.0\` \\| \`${digestOf('2.0.0')}\` \\| \`deploy/web\\.yaml:1\``,
      ),
    );
    assert.deepEqual(
      [pull.labels.map(({ name }) => name), pull.assignees?.map(({ login }) => login)],
      [['images'], ['bob']],
    );
    assert.equal(await gitea.head('apps'), main);
    assert.equal(await gitea.readFile('apps', 'deploy/web.yaml', SOURCE), file('2.0.0'));
    const head = await gitea.head('apps', SOURCE);
    const { commit } = await gitea.bob.call<{ commit: { message: string } }>(
      'GET',
      `/repos/${repository.path}/git/commits/${head}`,
    );
    const signedOff = 'Signed-off-by: Image Bot <bot@example.com>';
    assert.equal(commit.message, `shop/web: 1.0.0 to 2.0.0\n\n${signedOff}\n`);
    await untilEvent(bench, APPS, 'gitrepo', 'PullRequestOpened');
    await untilEvent(bench, APPS, 'gitrepo', 'PullRequestInPart', 'nobody');
  });

  test('brings it up to date with the next value, in the same request', async () => {
    await putValue(bench.client, { ...APPS, name: 'web' }, '2.1.0');
    await waitFor('2.1.0 in the request', async () =>
      (await gitea.bob.pull(repository.path, 1)).title.includes('2.1.0') ? true : undefined,
    );
    assert.equal(await gitea.readFile('apps', 'deploy/web.yaml', SOURCE), file('2.1.0'));
  });

  test('notices the merge, and cleans up behind it', async () => {
    await gitea.ann.merge(repository.path, 1);
    const { status } = await until('True Synced', '2.1.0');
    assert.equal(status.pullRequest?.state, 'Merged');
    assert.equal(await gitea.readFile('apps', 'deploy/web.yaml'), file('2.1.0'));
    assert.equal(await gitea.head('apps', SOURCE), undefined);
    await untilEvent(bench, APPS, 'gitrepo', 'PullRequestMerged');
  });

  test("takes a person's no for an answer, until the value is another", async () => {
    await putValue(bench.client, { ...APPS, name: 'web' }, '3.0.0');
    const opened = await until('False PullRequestOpen', '3.0.0');
    await gitea.bob.close(repository.path, opened.status.pullRequest?.number ?? 0);
    await until('False PullRequestClosed', '3.0.0');
    await putValue(bench.client, { ...APPS, name: 'web' }, '3.1.0');
    const again = await until('False PullRequestOpen', '3.1.0');
    assert.notEqual(again.status.pullRequest?.number, opened.status.pullRequest?.number);
  });
});
