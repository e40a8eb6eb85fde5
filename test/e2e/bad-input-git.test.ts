import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GIT_REPOS, SECRETS } from '../../kube/resource.ts';
import { basicAuth } from '../control-plane/basic-auth.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { freePort } from '../control-plane/processes.ts';
import { startTcpProxy, type TcpProxy } from '../fakes/tcp-proxy.ts';
import { commitOnServer, type Entry, gitText } from '../git/support.ts';
import { waitFor } from '../wait.ts';
import { IMAGE } from './admission.ts';
import {
  conditionOf,
  gitRepo,
  imageScan,
  messageOf,
  type Named,
  namespaceObject,
  putValue,
  readGitRepo,
  put,
  type Reconciling,
  refusal,
  secret,
  startReconciling,
  untilEvent,
  untilGitRepo,
} from './reconciling.ts';

const CREDENTIAL = { username: 'fleetscan', password: 'correct-horse' };
const WRONG = { username: 'fleetscan', password: 'hunter2' };
const BASIC = 'kubernetes.io/basic-auth';
const CONCURRENTLY = { concurrency: 6 };

const marked = (tag: string, marker = '{"$imagescan": "web"}'): string =>
  `image: ${IMAGE}:${tag} # ${marker}\n`;

/** What is wrong with a GitRepo, where the person sees it, and what mends it. */
interface Mistake {
  readonly what: string;
  readonly spec?: () => object;
  /** In place of the right Secret; none when null. */
  readonly secret?: { type: string; data: Readonly<Record<string, string>> } | null;
  /** Does something to the repository. */
  readonly prepare?: (directory: string) => Promise<void>;
  readonly reason: string;
  readonly message: RegExp;
  /** A correct spec, unless it says otherwise. */
  readonly mend?: (named: Named, directory: string) => Promise<unknown>;
}

describe('a GitRepo that cannot be written back to', () => {
  let server: GitServer;
  /** In front of the server. */
  let proxy: TcpProxy;
  let bench: Reconciling;
  let silentPort: number;

  before(async () => {
    server = await startGitServer({ credential: CREDENTIAL });
    proxy = await startTcpProxy(Number(new URL(server.url).port));
    silentPort = await freePort();
    bench = await startReconciling();
  });

  after(async () => {
    await bench?.stop();
    await proxy?.stop();
    await server?.stop();
  });

  /** A namespace with a scan `web` that has 2.0.0 in force, and a Secret `git`, by default the right one. */
  async function team(namespace: string, given?: Mistake['secret']): Promise<void> {
    const { type, data } = given ?? { type: BASIC, data: CREDENTIAL };
    const secrets = given === null ? [] : [secret({ namespace, name: 'git' }, type, data)];
    await put(bench.client, namespaceObject(namespace), ...secrets);
    await putValue(bench.client, { namespace, name: 'web' }, '2.0.0');
  }

  async function rightSecret({ namespace }: Named): Promise<void> {
    // The type of a Secret cannot be changed.
    await bench.client.delete({ resource: SECRETS, namespace, name: 'git' }).catch(() => {});
    await put(bench.client, secret({ namespace, name: 'git' }, BASIC, CREDENTIAL));
  }

  async function repository(name: string, entries: Readonly<Record<string, Entry>>): Promise<string> {
    const { directory } = await server.createRepository(name, { 'README.md': 'Hello\n' });
    commitOnServer(directory, entries);
    return directory;
  }

  const good = (name: string): object => ({
    repo: `${server.url}/${name}.git`,
    branch: 'main',
    clientSecretName: 'git',
    imageScanInterval: '1s',
  });
  const apply = (named: Named, spec: object): Promise<void> => put(bench.client, gitRepo(named, spec));
  const untilCondition = (named: Named, wanted: string) =>
    untilGitRepo(bench.client, named, wanted, (repo) => conditionOf(repo, 'ImageSynced') === wanted);
  const untilFile = (name: string, path: string, text: string): Promise<true> =>
    waitFor(`${path} of ${name} to be ${JSON.stringify(text)}`, async () =>
      (await server.readFile(name, path)) === text ? true : undefined,
    );

  const mistakes: readonly Mistake[] = [
    {
      what: 'a server that does not answer',
      spec: () => ({ repo: `http://127.0.0.1:${silentPort}/x.git` }),
      reason: 'Unreachable',
      message: /no connection to http:\/\/127\.0\.0\.1:\d+\/x\.git: /,
    },
    {
      what: 'a password that the server refuses',
      secret: { type: BASIC, data: WRONG },
      reason: 'Unauthorized',
      message: /the credential is missing, wrong or not allowed to do this at http:/,
      mend: rightSecret,
    },
    {
      what: 'a Secret that is not there',
      secret: null,
      reason: 'SecretNotFound',
      message: /^Secret secretnotfound\/git does not exist; create it$/,
      mend: rightSecret,
    },
    {
      what: 'a Secret of the wrong type',
      secret: { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': 'hunter2' } },
      reason: 'WrongSecretType',
      message: /wrongsecrettype\/git is of type kubernetes\.io\/tls/,
      mend: rightSecret,
    },
    {
      what: 'a URL of SSH with a password',
      spec: () => ({ repo: 'git@127.0.0.1:team/apps.git' }),
      reason: 'WrongCredential',
      message: /SSH/,
    },
    {
      what: 'a Secret without a password',
      secret: { type: BASIC, data: { username: 'fleetscan' } },
      reason: 'InvalidSecret',
      message: /invalidsecret\/git: there is no key password/,
      mend: rightSecret,
    },
    {
      what: 'a branch that is not there',
      spec: () => ({ branch: 'mian' }),
      reason: 'BranchMissing',
      message: /branch "mian" does not exist in http:/,
    },
    {
      what: 'a repository that is not there',
      spec: () => ({ repo: `${server.url}/nope.git` }),
      reason: 'RepositoryMissing',
      message: /there is no repository \(or none that the credential may see\) at http:.*\/nope\.git/,
    },
    {
      what: 'a path that is not there',
      spec: () => ({ paths: ['apps', 'nope/*.yaml'] }),
      reason: 'PathMissing',
      message: /path "nope\/\*\.yaml" matches nothing in the repository/,
    },
    {
      what: 'a path that leads out of the repository',
      spec: () => ({ paths: ['apps/../../x'] }),
      reason: 'PathEscapes',
      message: /path "apps\/\.\.\/\.\.\/x" resolves outside the repository root/,
    },
    {
      what: 'a URL that is none',
      spec: () => ({ repo: 'team/apps' }),
      reason: 'InvalidURL',
      message: /the repository URL is refused: it is no URL; write it like https:\/\/host\/path\.git/,
    },
    {
      what: 'a branch that can be none',
      spec: () => ({ branch: 'a..b' }),
      reason: 'InvalidBranch',
      message: /"a\.\.b" is no valid name of a branch/,
    },
    {
      what: 'certificates that are none',
      spec: () => ({ caBundle: 'bm90aGluZw==' }),
      reason: 'InvalidCABundle',
      message: /spec\.caBundle is not base64 of PEM certificates/,
    },
    {
      what: 'a server that does not speak TLS',
      spec: () => ({ repo: `${server.url.replace('http', 'https')}/tls.git` }),
      reason: 'TLS',
      message: /no trusted TLS connection to https:/,
    },
    {
      what: 'a mistake in the template of the message',
      spec: () => ({ imageScanCommit: { messageTemplate: 'Update\n{{ .Imagez }}' } }),
      reason: 'InvalidTemplate',
      message: /messageTemplate, line 2, column 4: the data has no field \.Imagez; it has /,
    },
    {
      what: 'a branch that the server protects',
      prepare: (directory) => hook(directory, 'echo "main is protected: open a merge request" >&2; exit 1'),
      reason: 'PushRejected',
      message: /the push to refs\/heads\/main was rejected: .*main is protected: open a merge request/,
      mend: (_named, directory) => rm(join(directory, 'hooks', 'pre-receive')),
    },
  ];

  describe('says why in its condition and an Event, and recovers when it is mended:', CONCURRENTLY, () => {
    for (const { what, spec, secret, prepare, reason, message, mend } of mistakes) {
      it(`${what} is ${reason}`, async () => {
        const namespace = reason.toLowerCase();
        const named = { namespace, name: 'apps' };
        await team(namespace, secret);
        const directory = await repository(namespace, { 'apps/a.yaml': marked('1.0.0') });
        await prepare?.(directory);
        await apply(named, { ...good(namespace), ...spec?.() });
        const repo = await untilCondition(named, `False ${reason}`);
        assert.match(messageOf(repo, 'ImageSynced'), message);
        assert.equal(repo.status.lastPushCommit, undefined);
        await untilEvent(bench, named, 'gitrepo', 'Warning', reason);
        assert.equal(await server.readFile(namespace, 'apps/a.yaml'), marked('1.0.0'));

        await (mend?.(named, directory) ?? apply(named, good(namespace)));
        await untilCondition(named, 'True Synced');
        assert.equal(await server.readFile(namespace, 'apps/a.yaml'), marked('2.0.0'));
        await bench.client.delete({ resource: GIT_REPOS, ...named });
        const said = `${JSON.stringify(repo)} ${bench.reconciler.process.output()}`;
        assert.doesNotMatch(said, /hunter2|correct-horse/);
        for (const credential of [CREDENTIAL, WRONG])
          assert.ok(!said.includes(basicAuth(credential).slice('Basic '.length)));
      });
    }
  });

  it('holds up no other, however many there are and whether the server refuses or says nothing', async () => {
    await team('crowd');
    await repository('crowd', { 'a.yaml': marked('1.0.0') });
    proxy.hold(0);
    const refusing = `http://127.0.0.1:${silentPort}/crowd.git`;
    const silent = `http://127.0.0.1:${proxy.port}/crowd.git`;
    const bad = [refusing, silent].flatMap((repo, at) =>
      Array.from({ length: 12 }, (_, index) =>
        gitRepo({ namespace: 'crowd', name: `bad-${at}-${index}` }, { ...good('crowd'), repo }),
      ),
    );
    await put(bench.client, ...bad);
    await untilCondition({ namespace: 'crowd', name: 'bad-0-0' }, 'False Unreachable');
    await waitFor('all that may wait for one host', () => (proxy.connections() >= 4 ? true : undefined));
    await put(bench.client, gitRepo({ namespace: 'crowd', name: 'good' }, good('crowd')));
    await untilFile('crowd', 'a.yaml', marked('2.0.0'));
    await putValue(bench.client, { namespace: 'crowd', name: 'web' }, '2.1.0');
    await untilFile('crowd', 'a.yaml', marked('2.1.0'));
    for (const { metadata } of bad) await bench.client.delete({ resource: GIT_REPOS, ...metadata });
    proxy.pass();
  });

  describe('is refused by the CRD, and kubectl apply says why:', CONCURRENTLY, () => {
    const named = { namespace: 'default', name: 'refused' };
    const repo = 'https://git.example/apps.git';
    for (const [what, spec, says] of [
      ['no repository', {}, /spec\.repo: Required value/],
      [
        'an interval in days',
        { repo, imageScanInterval: '1d' },
        /spec\.imageScanInterval: .*must be a Go duration such as 30s, 15m or 1h30m/,
      ],
      ['a field that is unknown', { repo, brnach: 'main' }, /unknown field "spec\.brnach"/],
    ] as const) {
      it(what, async () => assert.match(await refusal(bench, gitRepo(named, spec)), says));
    }
  });

  it('because the server was away for a while says so, and takes it back though nothing changed in Git', async () => {
    await team('away');
    await repository('away', { 'a.yaml': marked('1.0.0') });
    const named = { namespace: 'away', name: 'apps' };
    await apply(named, { ...good('away'), repo: `http://127.0.0.1:${proxy.port}/away.git` });
    const synced = await untilCondition(named, 'True Synced');
    proxy.refuse();
    const failed = await untilCondition(named, 'False Unreachable');
    assert.equal(failed.status.lastPushCommit, synced.status.lastPushCommit);
    assert.deepEqual(failed.status.markers, synced.status.markers);
    proxy.pass();
    const again = await untilCondition(named, 'True Synced');
    assert.equal(again.status.commit, synced.status.commit);
    assert.equal((await server.log('away')).length, 3);
  });

  it('in part does the rest, names each file and line that it leaves alone, and forgets them when they are mended', async () => {
    await team('parts');
    const other = { namespace: 'elsewhere', name: 'theirs' };
    await put(bench.client, namespaceObject('elsewhere'));
    await putValue(bench.client, other, '9.0.0');
    for (const name of ['twin-a', 'twin-b'])
      await putValue(bench.client, { namespace: 'parts', name }, '9.0.0', { tagName: 'twin' });
    await put(bench.client, imageScan({ namespace: 'parts', name: 'new' }, { image: IMAGE, suspend: true }));
    const broken: Readonly<Record<string, Entry>> = {
      'broken.yaml': `a: [1, 2\nb: "\n${marked('1.0.0')}`,
      'huge.yaml': `${marked('1.0.0')}filler: ${'x'.repeat(4 * 1024 * 1024)}\n`,
      'latin1.yaml': Buffer.from(`# Gr\u{FC}\u{DF}e\n${marked('1.0.0')}`, 'latin1'),
      'link.yaml': { mode: '120000', content: 'good.yaml' },
      'markers.yaml': [
        `first: x # {"$imagescan": web}`,
        `second: x # {"$imagescan": "nope"}`,
        `third: x # {"$imagescan": "web:latest"}`,
        `fourth: x # {"$imagescan": "new"}`,
        `fifth: x # {"$imagescan": "elsewhere/theirs"}`,
        `sixth: x # {"$imagescan": "twin"}`,
        `seventh: null # {"$imagescan": "web"}`,
        '',
      ].join('\n'),
    };
    const directory = await repository('parts', { ...broken, 'good.yaml': marked('1.0.0') });
    const named = { namespace: 'parts', name: 'apps' };
    await apply(named, good('parts'));
    const { status, ...rest } = await untilCondition(named, 'True SyncedInPart');
    assert.deepEqual(
      status.leftAlone?.map(({ file, line, reason }) => [file, line, reason]),
      [
        ['broken.yaml', status.leftAlone?.[0]?.line, 'NotYaml'],
        ['huge.yaml', 1, 'TooLarge'],
        ['latin1.yaml', undefined, 'NotUTF8'],
        ['link.yaml', undefined, 'SymbolicLink'],
        ['markers.yaml', 1, 'InvalidMarker'],
        ['markers.yaml', 2, 'UnknownScan'],
        ['markers.yaml', 3, 'UnknownForm'],
        ['markers.yaml', 4, 'NoValue'],
        ['markers.yaml', 5, 'NotExported'],
        ['markers.yaml', 6, 'AmbiguousScan'],
        ['markers.yaml', 7, 'EmptyValue'],
      ],
    );
    const messages = status.leftAlone?.map(({ message }) => message) ?? [];
    for (const says of [
      /symbolic links are not followed/,
      /larger than 4 MiB/,
      /not UTF-8/,
      /is not JSON; write \{"\$imagescan": "NAME"\}/,
      /no scan nope in namespace parts, and none exported to it/,
      /"latest" is no form of a marker; use :name, :tag, :digest, :sha or none/,
      /scan parts\/new has no value in force yet/,
      /scan elsewhere\/theirs is not exported to namespace parts/,
      /2 scans have the tagName twin: parts\/twin-a, parts\/twin-b/,
    ]) {
      assert.ok(
        messages.some((message) => says.test(message ?? '')),
        `${says} in ${messages.join('\n')}`,
      );
    }
    assert.match(
      messageOf({ ...rest, status }, 'ImageSynced'),
      /^1 marker agrees with the value in force; left alone: broken\.yaml:\d+: NotYaml: .* \(and 10 more in status\.leftAlone\)$/,
    );
    await untilEvent(bench, named, 'gitrepo', 'Warning', 'SyncedInPart', 'broken.yaml');

    assert.equal(await server.readFile('parts', 'good.yaml'), marked('2.0.0'));
    const changed = gitText(directory, ['diff', '--name-only', 'main~1', 'main']);
    assert.equal(changed, 'good.yaml', 'nothing else was touched');

    const head = await server.commit(
      'parts',
      Object.fromEntries(Object.keys(broken).map((path) => [path, null])),
    );
    await untilGitRepo(bench.client, named, 'that commit', ({ status }) => status.commit === head);
    const mended = await readGitRepo(bench.client, named);
    assert.equal(conditionOf(mended, 'ImageSynced'), 'True Synced');
    assert.deepEqual(mended.status.leftAlone, []);
  });
});

/** Gives a repository a pre-receive hook. */
async function hook(directory: string, script: string): Promise<void> {
  const path = join(directory, 'hooks', 'pre-receive');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}
