import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { COMPATIBILITY_ANNOTATION } from '../../kube/kinds/fleet.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import {
  conditionOf,
  gitRepo,
  imageScan,
  messageOf,
  namespaceObject,
  put,
  readScan,
  type Reconciling,
  secret,
  startReconciling,
  untilGitRepo,
  untilInForce,
} from '../e2e/reconciling.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds } from './kinds.ts';
import { applyAsFleet, fleetGitRepo } from './objects.ts';

const CREDENTIAL = { username: 'fleetscan', password: 'pass' };
const TEAM = 'team';
const NGINX = 'index.docker.io/library/nginx';
const COMPATIBLE = { compatibility: 'Fleet' };
const line = (marker: string, value: string): string => `image: ${value} # {"$imagescan": "${marker}"}\n`;

describe('compatibility with Fleet', () => {
  let server: GitServer;
  let registry: Registry;
  let bench: Reconciling;
  /** The image `web` is of two platforms; its digests. */
  let web: { readonly image: string; readonly index: string; readonly amd64: string | undefined };

  before(async () => {
    [server, registry] = await Promise.all([startGitServer({ credential: CREDENTIAL }), startRegistry()]);
    bench = await startReconciling({
      insecureRegistries: [registry.host],
      values: ['fleet.takeover=serve'],
      args: ['--fleet-takeover=serve'],
    });
    await installFleetKinds(bench.client);
    const pushed = await pushImage(registry.host, 'web', '1.1.0', {
      platforms: ['linux/arm64', 'linux/amd64'],
    });
    web = { image: `${registry.host}/web`, index: pushed.digest, amd64: pushed.images[1] };
    await pushImage(registry.host, 'arm', '1.1.0', { platforms: ['linux/arm64'] });
    await put(
      bench.client,
      namespaceObject(TEAM),
      secret({ namespace: TEAM, name: 'git' }, 'kubernetes.io/basic-auth', CREDENTIAL),
      imageScan({ namespace: TEAM, name: 'web' }, { image: web.image }),
      imageScan({ namespace: TEAM, name: 'arm' }, { image: `${registry.host}/arm` }),
      imageScan({ namespace: TEAM, name: 'nginx' }, { image: 'nginx', suspend: true }),
    );
    for (const name of ['web', 'arm']) await untilInForce(bench.client, { namespace: TEAM, name }, '1.1.0');
    const status = { canonicalImageName: NGINX, latestTag: '1.27.0', latestDigest: web.index };
    const nginx = { resource: IMAGE_SCANS, namespace: TEAM, name: 'nginx', subresource: 'status' };
    await bench.client.patch(nginx, { status }, 'merge');
  });

  after(async () => {
    await bench?.stop();
    await Promise.all([server?.stop(), registry?.stop()]);
  });

  const specOf = (name: string): object => ({
    repo: `${server.url}/${name}.git`,
    branch: 'main',
    clientSecretName: 'git',
    imageScanInterval: '1s',
  });

  /** A repository with these files. */
  const repository = (name: string, files: Readonly<Record<string, string>>): Promise<unknown> =>
    server.createRepository(name, files);

  const apply = (name: string, spec: object): Promise<void> =>
    put(bench.client, gitRepo({ namespace: TEAM, name }, { ...specOf(name), ...spec }));

  /** Waits until a file says just this. */
  const untilFile = (repo: string, content: string, file = 'a.yaml'): Promise<true> =>
    waitFor(`${file} of ${repo} to be ${content}`, async () =>
      (await server.readFile(repo, file)) === content ? true : undefined,
    );

  const asFleet = (): string => line('web:digest', `${web.image}:1.1.0@${web.amd64}`);
  const asOurs = (): string => line('web:digest', `${web.image}:1.1.0@${web.index}`);

  it('writes the linux/amd64 digest and the canonical name where a GitRepo asks for it, and ours beside it, by the same scan', async () => {
    const files = { 'a.yaml': line('web:digest', 'old'), 'b.yaml': line('nginx', 'nginx:1.0') };
    await Promise.all([repository('fleet', files), repository('ours', files)]);
    await apply('fleet', COMPATIBLE);
    await apply('ours', {});
    await untilFile('fleet', asFleet());
    await untilFile('fleet', line('nginx', `${NGINX}:1.27.0`), 'b.yaml');
    await untilFile('ours', asOurs());
    await untilFile('ours', line('nginx', 'nginx:1.27.0'), 'b.yaml');
    const { status } = await readScan(bench.client, { namespace: TEAM, name: 'web' });
    assert.equal(status.latestDigest, web.index, 'what pods get is no other');
    for (const name of ['fleet', 'ours']) {
      const repo = await untilGitRepo(
        bench.client,
        { namespace: TEAM, name },
        'synced',
        (repo) => conditionOf(repo, 'ImageSynced') === 'True Synced',
      );
      assert.match(messageOf(repo, 'ImageSynced'), /^2 markers agree/);
      assert.equal((await server.log(name)).length, 2, 'by one commit');
    }
  });

  it('is switched off and on again by one field', async () => {
    await repository('switch', { 'a.yaml': line('web:digest', 'old'), 'b.yaml': line('nginx', 'nginx:1.0') });
    await apply('switch', COMPATIBLE);
    await untilFile('switch', asFleet());
    await apply('switch', {});
    await untilFile('switch', asOurs());
    assert.equal(
      await server.readFile('switch', 'b.yaml'),
      line('nginx', `${NGINX}:1.27.0`),
      'the spelling that stands there stays',
    );
    await apply('switch', COMPATIBLE);
    await untilFile('switch', asFleet());
    assert.equal((await server.log('switch')).length, 4);
  });

  it('leaves the digest of an index without linux/amd64 alone with the words of Fleet, and writes the rest', async () => {
    await repository('arm', {
      'a.yaml': line('arm:digest', 'old'),
      'b.yaml': line('arm:tag', 'old'),
      'c.yaml': line('web:sha', 'old'),
    });
    await apply('arm', COMPATIBLE);
    await untilFile('arm', line('arm:tag', '1.1.0'), 'b.yaml');
    await untilFile('arm', line('web:sha', web.amd64 ?? ''), 'c.yaml');
    const repo = await untilGitRepo(
      bench.client,
      { namespace: TEAM, name: 'arm' },
      'synced in part',
      (repo) => conditionOf(repo, 'ImageSynced') === 'True SyncedInPart',
    );
    assert.match(
      messageOf(repo, 'ImageSynced'),
      /left alone: a\.yaml:1: NoValue: .*: no child with platform linux\/amd64 in index .*\/arm@sha256:\w{64}$/,
    );
    assert.equal(await server.readFile('arm', 'a.yaml'), line('arm:digest', 'old'));
    await apply('arm', {});
    const { status } = await readScan(bench.client, { namespace: TEAM, name: 'arm' });
    await untilFile('arm', line('arm:digest', `${registry.host}/arm:1.1.0@${status.latestDigest}`));
  });

  it("is an annotation on Fleet's GitRepo, which has no such field", async () => {
    await repository('annotated', { 'a.yaml': line('web:digest', 'old') });
    const named = { namespace: TEAM, name: 'annotated' };
    const annotations = { [COMPATIBILITY_ANNOTATION]: 'Fleet' };
    await applyAsFleet(bench.client, fleetGitRepo({ ...named, annotations }, specOf('annotated')));
    await untilFile('annotated', asFleet());
    await applyAsFleet(bench.client, fleetGitRepo(named, specOf('annotated')));
    await untilFile('annotated', asOurs());
  });

  it('is the default of an installation that says so, and a GitRepo may say None', async () => {
    await Promise.all([
      repository('default', { 'a.yaml': line('web:digest', 'old') }),
      repository('none', { 'a.yaml': line('web:digest', 'old') }),
    ]);
    await apply('default', {});
    await apply('none', { compatibility: 'None' });
    await Promise.all([untilFile('default', asOurs()), untilFile('none', asOurs())]);
    await bench.reconciler.process.stop();
    const args = ['--fleet-takeover=serve', '--compatibility=Fleet'];
    await bench.product.startReconciler({ args: ['--cache-dir', bench.cacheDirectory, ...args] });
    await untilFile('default', asFleet());
    await server.commit('none', { 'a.yaml': line('web:digest', 'old') });
    await untilFile('none', asOurs());
  });
});
