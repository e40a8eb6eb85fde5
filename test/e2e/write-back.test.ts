import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OWN_GROUP } from '../../core/group.ts';
import { GIT_REPOS } from '../../kube/resource.ts';
import { repositoryDirectory } from '../../reconciler/write-back/copies.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { commitOnServer, type Entry, git, gitText } from '../git/support.ts';
import { waitFor } from '../wait.ts';
import { IMAGE } from './admission.ts';
import {
  conditionOf,
  digestOf,
  gitRepo,
  messageOf,
  type Named,
  namespaceObject,
  putValue,
  readGitRepo,
  put,
  type Reconciling,
  secret,
  startReconciling,
  untilEvent,
  untilGitRepo,
} from './reconciling.ts';

const CREDENTIAL = { username: 'fleetscan', password: 'a password: with a colon' };
const AUTHOR = { authorName: 'Image Bot', authorEmail: 'bot@example.com' };

const line = (form: string, value: string): string => `image: ${value} # {"$imagescan": "web${form}"}\n`;
const stale = line('', `${IMAGE}:1.0.0`);
const fresh = (tag: string): string => line('', `${IMAGE}:${tag}`);

describe('write-back', { concurrency: 4 }, () => {
  let server: GitServer;
  let bench: Reconciling;

  before(async () => {
    server = await startGitServer({ credential: CREDENTIAL });
    bench = await startReconciling();
  });

  after(async () => {
    await bench?.stop();
    await server?.stop();
  });

  /** A namespace, and in it the credentials for Git and a scan `web` that has 2.0.0 in force. */
  async function team(namespace: string): Promise<void> {
    await put(
      bench.client,
      namespaceObject(namespace),
      secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', CREDENTIAL),
    );
    await putValue(bench.client, { namespace, name: 'web' }, '2.0.0');
  }

  /** A repository with these entries on the branch main. @returns its folder on the server */
  async function repository(name: string, entries: Readonly<Record<string, Entry>>): Promise<string> {
    const { directory } = await server.createRepository(name, { 'README.md': 'Hello\n' });
    commitOnServer(directory, entries);
    return directory;
  }

  const apply = (named: Named, repositoryName: string, spec: object = {}): Promise<void> =>
    put(
      bench.client,
      gitRepo(named, {
        repo: `${server.url}/${repositoryName}.git`,
        branch: 'main',
        clientSecretName: 'git',
        imageScanInterval: '1h',
        imageScanCommit: { ...AUTHOR, messageTemplate: 'Update images' },
        ...spec,
      }),
    );

  const untilSynced = (named: Named, reason = 'True Synced') =>
    untilGitRepo(bench.client, named, reason, (repo) => conditionOf(repo, 'ImageSynced') === reason);

  const untilFile = (name: string, path: string, text: string): Promise<true> =>
    waitFor(`${path} of ${name} to be ${JSON.stringify(text)}`, async () =>
      (await server.readFile(name, path)) === text ? true : undefined,
    );

  /** Every entry of a commit's tree with its mode and object, by path. */
  function tree(directory: string, commit = 'main'): Map<string, string> {
    const lines = gitText(directory, ['ls-tree', '-r', commit]).split('\n');
    return new Map(lines.map((text) => text.split('\t').toReversed() as [string, string]));
  }

  /** The requests for a repository since the request number `from`, without its name. */
  const requestsOf = (name: string, from = 0): string[] =>
    server
      .requests()
      .filter((request) => request.includes(`/${name}.git/`))
      .map((request) => request.replace(`/${name}.git/`, ''))
      .slice(from);

  it('brings all forms of markers up to date in one commit, and touches nothing else', async () => {
    await team('forms');
    const digest = digestOf('2.0.0');
    const forms = (values: readonly string[]): string =>
      ['', ':name', ':tag', ':digest', ':sha'].map((form, i) => line(form, values[i] ?? '')).join('---\n');
    const before = forms([`${IMAGE}:1.0.0`, 'other/name', '1.0.0', `${IMAGE}:1.0.0`, 'sha256:0']);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`apps/many/${i}.yaml`, stale]));
    const directory = await repository('forms', {
      'apps/a.yaml': before,
      'apps/deep/er/b.yml': before,
      'apps/right.yaml': fresh('2.0.0'),
      'apps/plain.yaml': 'image: x:1\n',
      'apps/c.json': stale,
      'apps/d.YAML': stale,
      'apps/e.yaml.tpl': stale,
      'other/f.yaml': stale,
      'single.yaml': stale,
      ...many,
    });
    const treeBefore = tree(directory);
    const headBefore = await server.head('forms');
    const named = { namespace: 'forms', name: 'apps' };
    await apply(named, 'forms', { paths: ['apps', '/single.yaml'] });
    const { status, metadata } = await untilSynced(named);

    const expected = forms([`${IMAGE}:2.0.0`, IMAGE, '2.0.0', `${IMAGE}:2.0.0@${digest}`, digest]);
    assert.equal(await server.readFile('forms', 'apps/a.yaml'), expected);
    assert.equal(await server.readFile('forms', 'apps/deep/er/b.yml'), expected);
    assert.equal(await server.readFile('forms', 'single.yaml'), fresh('2.0.0'));
    const treeAfter = tree(directory);
    const changed = [...treeAfter].filter(([path, entry]) => treeBefore.get(path) !== entry);
    assert.deepEqual(
      changed.map(([path]) => path).toSorted(),
      ['apps/a.yaml', 'apps/deep/er/b.yml', 'single.yaml', ...Object.keys(many)].toSorted(),
    );
    assert.equal(treeAfter.size, treeBefore.size);

    const [commit, parent] = await server.log('forms');
    assert.equal(parent?.id, headBefore, 'it is one commit');
    assert.equal(commit?.author, 'Image Bot <bot@example.com>');
    assert.equal(commit?.message, 'Update images');
    assert.equal(status.lastPushCommit, commit?.id);
    assert.equal(status.commit, commit?.id);
    assert.equal(status.observedGeneration, metadata.generation);
    assert.deepEqual(status.markers, { total: 72, current: 72, leftAlone: 0 });
    await untilEvent(bench, named, 'gitrepo', 'Pushed', `pushed ${commit?.id.slice(0, 12)}`);
  });

  it('makes no commit when all agrees, and asks the server for the head of the branch only', async () => {
    await team('idle');
    await repository('idle', { 'a.yaml': stale });
    const named = { namespace: 'idle', name: 'apps' };
    await apply(named, 'idle', { imageScanInterval: '1s' });
    const { status } = await untilSynced(named);
    const head = await server.head('idle');
    const pushed = requestsOf('idle').indexOf('POST git-receive-pack');
    assert.ok(pushed > 0);
    // An ls-remote is two requests: what the server can do, and the ref. A fetch would be three.
    const lsRemote = ['GET info/refs?service=git-upload-pack', 'POST git-upload-pack'];
    const later = await waitFor('three more runs', () => {
      const requests = requestsOf('idle', pushed + 1);
      return requests.length >= 6 ? requests.slice(0, 6) : undefined;
    });
    assert.deepEqual(later, [...lsRemote, ...lsRemote, ...lsRemote]);
    assert.equal(await server.head('idle'), head);
    assert.equal((await server.log('idle')).length, 3);
    const { status: now } = await readGitRepo(bench.client, named);
    assert.equal(now.lastPushTime, status.lastPushTime);
    assert.equal(now.lastPushCommit, head);
    assert.notEqual(now.lastSyncedImageScanTime, status.lastSyncedImageScanTime);
  });

  it('pushes a new value on top of what others pushed, which it keeps', async () => {
    await team('next');
    await repository('next', { 'a.yaml': stale });
    const named = { namespace: 'next', name: 'apps' };
    await apply(named, 'next');
    await untilFile('next', 'a.yaml', fresh('2.0.0'));
    const theirs = await server.commit('next', { 'README.md': 'Changed\n', 'b.yaml': stale });
    await putValue(bench.client, { namespace: 'next', name: 'web' }, '2.1.0');
    await untilFile('next', 'b.yaml', fresh('2.1.0'));
    assert.equal(await server.readFile('next', 'a.yaml'), fresh('2.1.0'));
    assert.equal(await server.readFile('next', 'README.md'), 'Changed\n');
    assert.equal((await server.log('next'))[1]?.id, theirs);
  });

  it('keeps the executable bit, line ends, byte order mark and odd names', async () => {
    await team('bytes');
    const crlf = `\u{FEFF}# Grüße\r\n${stale.replace('\n', '\r\n')}\tx: no YAML at all\r\n`.replace(
      '\tx',
      'x',
    );
    const directory = await repository('bytes', {
      'run.yaml': { mode: '100755', content: stale },
      'crlf.yaml': crlf,
      'ö "q" \\ä.yaml': stale.trimEnd(),
      'link.md': { mode: '120000', content: 'run.yaml' },
    });
    const named = { namespace: 'bytes', name: 'apps' };
    await apply(named, 'bytes');
    await untilSynced(named);
    assert.match(tree(directory).get('run.yaml') ?? '', /^100755 /);
    const content = (path: string): Buffer => git(directory, ['cat-file', 'blob', `main:${path}`]);
    assert.deepEqual(content('run.yaml'), Buffer.from(fresh('2.0.0')));
    assert.deepEqual(content('crlf.yaml'), Buffer.from(crlf.replace('1.0.0', '2.0.0')));
    assert.deepEqual(content('ö "q" \\ä.yaml'), Buffer.from(fresh('2.0.0').trimEnd()));
    const parent = tree(directory, 'main~1');
    for (const path of ['link.md', 'README.md']) assert.equal(tree(directory).get(path), parent.get(path));
  });

  it('loses a race against somebody who pushes at the same moment, and tries again: both commits are there', async () => {
    await team('race');
    const directory = await repository('race', { 'a.yaml': stale });
    git(directory, ['branch', 'theirs', 'main']);
    const theirs = await server.commit('race', { 'README.md': 'Theirs\n' }, 'theirs');
    // Moves the branch while the push is under way, as one who was a moment earlier.
    await hook(
      directory,
      `[ -e raced ] && exit 0
touch raced
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
git update-ref refs/heads/main ${theirs}`,
    );
    const named = { namespace: 'race', name: 'apps' };
    await apply(named, 'race');
    const { status } = await untilSynced(named);
    const commits = await server.log('race');
    assert.deepEqual(
      commits.slice(0, 2).map(({ id }) => id),
      [status.lastPushCommit, theirs],
    );
    assert.equal(await server.readFile('race', 'README.md'), 'Theirs\n');
    assert.equal(await server.readFile('race', 'a.yaml'), fresh('2.0.0'));
    assert.equal(commits.length, 4);
  });

  it('serves several GitRepos of a namespace, each with its own scans and those of all', async () => {
    await team('several');
    await putValue(bench.client, { namespace: 'several', name: 'only-one' }, '3.0.0', { gitrepoName: 'one' });
    await putValue(bench.client, { namespace: 'several', name: 'one-s' }, '4.1.0', {
      tagName: 'own',
      gitrepoName: 'one',
    });
    await putValue(bench.client, { namespace: 'several', name: 'two-s' }, '4.2.0', {
      tagName: 'own',
      gitrepoName: 'two',
    });
    const only = `only: ${IMAGE}:1.0.0 # {"$imagescan": "only-one"}\n`;
    const own = `own: ${IMAGE}:1.0.0 # {"$imagescan": "own"}\n`;
    const [one, two] = [
      { namespace: 'several', name: 'one' },
      { namespace: 'several', name: 'two' },
    ];
    for (const named of [one, two]) {
      await repository(named.name, { 'a.yaml': `${stale}${only}${own}` });
      await apply(named, named.name);
    }
    await untilSynced(one);
    const { status } = await untilSynced(two, 'True SyncedInPart');
    const sets = (text: string, tag: string): string => text.replace('1.0.0', tag);
    assert.equal(
      await server.readFile('one', 'a.yaml'),
      `${fresh('2.0.0')}${sets(only, '3.0.0')}${sets(own, '4.1.0')}`,
    );
    assert.equal(await server.readFile('two', 'a.yaml'), `${fresh('2.0.0')}${only}${sets(own, '4.2.0')}`);
    assert.deepEqual(
      status.leftAlone?.map(({ file, line, reason }) => [file, line, reason]),
      [['a.yaml', 2, 'UnknownScan']],
    );
  });

  it('takes values that another namespace exports, until it no longer does', async () => {
    await team('consumer');
    await put(bench.client, namespaceObject('platform'));
    const exporter = { namespace: 'platform', name: 'base' };
    await putValue(bench.client, exporter, '5.0.0', { exportTo: ['con*'] });
    const base = (tag: string): string => `base: ${IMAGE}:${tag} # {"$imagescan": "base"}\n`;
    await repository('consumer', { 'a.yaml': base('1.0.0') });
    const named = { namespace: 'consumer', name: 'apps' };
    await apply(named, 'consumer');
    await untilFile('consumer', 'a.yaml', base('5.0.0'));
    await putValue(bench.client, exporter, '5.1.0', { exportTo: ['con*'] });
    await untilFile('consumer', 'a.yaml', base('5.1.0'));
    await untilSynced(named);
    await putValue(bench.client, exporter, '5.2.0', { exportTo: [] });
    const repo = await untilSynced(named, 'True SyncedInPart');
    assert.match(
      messageOf(repo, 'ImageSynced'),
      /a\.yaml:1: UnknownScan: no scan base in namespace consumer/,
    );
    assert.equal(await server.readFile('consumer', 'a.yaml'), base('5.1.0'));
  });

  it('has defaults for branch, author and message, and says when nothing is marked', async () => {
    await team('defaults');
    await server.createRepository('defaults', { 'a.yaml': stale, 'b/c.yaml': 'a: 1\n' }, 'master');
    const named = { namespace: 'defaults', name: 'apps' };
    const repo = { repo: `${server.url}/defaults.git`, clientSecretName: 'git' };
    await put(bench.client, gitRepo(named, repo));
    await untilSynced(named);
    const [commit] = await server.log('defaults', 'master');
    assert.equal(commit?.author, 'Fleetscan <noreply@fleetscan.io>');
    assert.equal(commit?.message, 'Update from image update automation');
    await put(bench.client, gitRepo(named, { ...repo, paths: ['b'] }));
    await untilSynced(named, 'True NothingMarked');
  });

  it('leaves a suspended GitRepo alone until it is resumed', async () => {
    await team('suspended');
    await repository('suspended', { 'a.yaml': stale });
    await repository('running', { 'a.yaml': stale });
    const named = { namespace: 'suspended', name: 'apps' };
    await apply(named, 'suspended', { suspend: true });
    await apply({ namespace: 'suspended', name: 'running' }, 'running');
    await putValue(bench.client, { namespace: 'suspended', name: 'web' }, '2.1.0');
    await untilFile('running', 'a.yaml', fresh('2.1.0'));
    assert.deepEqual(requestsOf('suspended'), []);
    await apply(named, 'suspended', { suspend: false });
    await untilFile('suspended', 'a.yaml', fresh('2.1.0'));
  });

  it('begins anew at another repository, and keeps no copy of the former one or of a deleted GitRepo', async () => {
    await team('moved');
    await repository('moved-from', { 'a.yaml': stale });
    await repository('moved-to', { 'a.yaml': stale });
    const named = { namespace: 'moved', name: 'apps' };
    const copyOf = (name: string): string =>
      repositoryDirectory(bench.cacheDirectory, {
        group: OWN_GROUP,
        ...named,
        spec: { repo: `${server.url}/${name}.git` },
      });
    const untilGone = (name: string): Promise<true> =>
      waitFor(`the copy of ${name} to go`, () => (existsSync(copyOf(name)) ? undefined : true));
    await apply(named, 'moved-from');
    await untilSynced(named);
    assert.ok(existsSync(copyOf('moved-from')));

    await apply(named, 'moved-to');
    await untilFile('moved-to', 'a.yaml', fresh('2.0.0'));
    await untilGone('moved-from');
    await putValue(bench.client, { namespace: 'moved', name: 'web' }, '2.1.0');
    await untilFile('moved-to', 'a.yaml', fresh('2.1.0'));
    assert.equal(await server.readFile('moved-from', 'a.yaml'), fresh('2.0.0'));

    const head = await server.head('moved-to');
    await untilGitRepo(bench.client, named, head, ({ status }) => status.lastPushCommit === head);
    await bench.client.delete({ resource: GIT_REPOS, ...named });
    await untilGone('moved-to');
  });
});

/** Gives a repository a pre-receive hook; its folder is the working directory. */
async function hook(directory: string, script: string): Promise<void> {
  const path = join(directory, 'hooks', 'pre-receive');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}
