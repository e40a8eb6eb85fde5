import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitHubAppTokens } from '../../../git/github-app-tokens.ts';
import { ScanIndex } from '../../../core/scan.ts';
import { ApiError } from '../../../kube/errors.ts';
import { toScan } from '../../../kube/kinds/to-scan.ts';
import { type WriteBackDependencies, writeBack } from '../../../reconciler/write-back/write-back.ts';
import { FleetValues } from '../../../write-back/fleet-values.ts';
import { type GitServer, startGitServer } from '../../control-plane/git-server.ts';
import { git } from '../../git/support.ts';
import { DIGEST, gitRepo, imageScan } from '../samples.ts';

const marked = (tag: string): string => `image: registry.example/web:${tag} # {"$imagescan": "web"}\n`;

describe('writeBack', () => {
  let server: GitServer;
  let cacheDirectory: string;

  before(async () => {
    server = await startGitServer();
    cacheDirectory = await mkdtemp(join(tmpdir(), 'fleetscan-write-back-'));
  });

  after(async () => {
    await server?.stop();
    await rm(cacheDirectory, { recursive: true, force: true });
  });

  const repoOf = (name: string, spec: object = {}) =>
    gitRepo({ metadata: { name }, spec: { repo: `${server.url}/${name}.git`, branch: 'main', ...spec } });

  /** Writes 2.0.0 back to a GitRepo. */
  function run(repo: ReturnType<typeof gitRepo>, dependencies: Partial<WriteBackDependencies> = {}) {
    const index = new ScanIndex();
    const status = { canonicalImageName: 'registry.example/web', latestTag: '2.0.0', latestDigest: DIGEST };
    index.put(toScan(imageScan({ status })));
    return writeBack(repo, {
      client: { get: () => assert.fail('no Secret is named') },
      index,
      cacheDirectory,
      environment: { PATH: process.env['PATH'] },
      appTokens: new GitHubAppTokens(),
      compatibility: 'None',
      fleetValues: new FleetValues(async () => assert.fail('nothing is to be as Fleet has it')),
      signal: new AbortController().signal,
      ...dependencies,
    });
  }

  const requestsOf = (name: string): string[] =>
    server.requests().filter((request) => request.includes(`/${name}.git/`));

  it('pushes what differs and says so, then finds all as it should be, then does not look again', async () => {
    await server.createRepository('plain', { 'a.yaml': marked('1.0.0') });
    const pushed = await run(repoOf('plain'));
    const head = await server.head('plain');
    assert.ok(pushed.kind === 'synced');
    assert.equal(pushed.pushed, head);
    assert.equal(pushed.head, head);
    assert.equal(await server.readFile('plain', 'a.yaml'), marked('2.0.0'));
    const again = await run(repoOf('plain'));
    assert.ok(again.kind === 'synced' && again.pushed === undefined && again.head === head);
    const before = requestsOf('plain').length;
    assert.deepEqual(await run(repoOf('plain'), { agreedAt: head }), { kind: 'unchanged', head, at: head });
    assert.equal(requestsOf('plain').length - before, 2, 'one ls-remote is two requests');
  });

  it('does not try again what the server declines', async () => {
    const { directory } = await server.createRepository('declined', { 'a.yaml': marked('1.0.0') });
    git(directory, ['config', 'receive.denyUpdates', 'true']);
    const hook = join(directory, 'hooks', 'pre-receive');
    await writeFile(hook, '#!/bin/sh\necho not you >&2\nexit 1\n');
    await chmod(hook, 0o755);
    const result = await run(repoOf('declined'));
    assert.ok(result.kind === 'failed' && result.reason === 'PushRejected');
    assert.match(result.message, /not you/);
    const pushes = requestsOf('declined').filter((request) => /POST .*git-receive-pack/.test(request));
    assert.equal(pushes.length, 1);
  });

  it('says of an interval that is no duration so, before it asks the server anything', async () => {
    const result = await run(repoOf('nowhere', { imageScanInterval: '1d' }));
    assert.deepEqual(result, {
      kind: 'failed',
      reason: 'InvalidInterval',
      message: 'the interval "1d" is not a duration; write it like 30s, 15m or 1h30m',
    });
    assert.deepEqual(requestsOf('nowhere'), []);
  });

  it('makes no commit whose message it cannot write', async () => {
    await server.createRepository('template', { 'a.yaml': marked('1.0.0') });
    const result = await run(repoOf('template', { imageScanCommit: { messageTemplate: '{{ .x }}' } }));
    assert.ok(result.kind === 'failed' && result.reason === 'InvalidTemplate');
    assert.equal((await server.log('template')).length, 1);
  });

  it('throws what is no fault of the GitRepo', async () => {
    const down = new ApiError('Unreachable', 'no API server');
    const get = async (): Promise<never> => {
      throw down;
    };
    await assert.rejects(run(repoOf('plain', { clientSecretName: 'git' }), { client: { get } }), down);
  });

  it('is no failed write-back when it was told to end', async () => {
    const reason = new Error('deposed');
    const abort = new AbortController();
    const get = async (): Promise<never> => {
      abort.abort(reason);
      throw new Error('the connection was closed');
    };
    const repo = repoOf('plain', { clientSecretName: 'git' });
    await assert.rejects(run(repo, { client: { get }, signal: abort.signal }), reason);
  });
});
