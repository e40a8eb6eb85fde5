import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { DEFINED_AT_ANNOTATION, DEFINED_BY_LABEL } from '../../kube/kinds/defined.ts';
import { type ImageScan, parseImageScan } from '../../kube/kinds/image-scan.ts';
import { FLEET_GIT_REPOS, FLEET_IMAGE_SCANS, GIT_REPOS, IMAGE_SCANS } from '../../kube/resource.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { IMAGE } from '../e2e/admission.ts';
import type { Program } from '../e2e/product.ts';
import {
  conditionOf,
  digestOf,
  gitRepo,
  imageScan,
  messageOf,
  type Named,
  namespaceObject,
  put,
  readGitRepo,
  readScan,
  type Reconciling,
  secret,
  startReconciling,
  untilEvent,
  untilGitRepo,
  untilScan,
} from '../e2e/reconciling.ts';
import { waitFor } from '../wait.ts';
import { installFleetKinds, removeFleetKind } from './kinds.ts';
import {
  applyAsFleet,
  fleetCondition,
  fleetGitRepo,
  fleetImageScan,
  fleetStatus,
  overwriteStatusAsFleet,
  untilFleetGitRepo,
} from './objects.ts';

const CREDENTIAL = { username: 'fleetscan', password: 'pass' };
const SERVE = '--fleet-takeover=serve';
const ACCEPTED = 'ImageScansAccepted';

/** An entry of `imageScans`, suspended so that no registry is asked. */
const entry = (tagName: string, fields = ''): string =>
  `- {tagName: ${tagName}, image: ${IMAGE}, suspend: true${fields}}\n`;
const defining = (...entries: readonly string[]): string =>
  `namespace: shop\nimageScans:\n${entries.join('')}`;

describe('definitions in Git', { concurrency: 4 }, () => {
  let server: GitServer;
  let registry: Registry;
  let bench: Reconciling;

  before(async () => {
    [server, registry] = await Promise.all([startGitServer({ credential: CREDENTIAL }), startRegistry()]);
    bench = await startReconciling({
      insecureRegistries: [registry.host],
      values: ['fleet.takeover=serve'],
      args: [SERVE],
    });
    await installFleetKinds(bench.client);
  });

  after(async () => {
    await bench?.stop();
    await Promise.all([server?.stop(), registry?.stop()]);
  });

  const specFor = (repository: string, spec: object = {}) => ({
    repo: `${server.url}/${repository}.git`,
    branch: 'main',
    clientSecretName: 'git',
    imageScanInterval: '1s',
    ...spec,
  });

  /** A namespace, a repository with these files, and a GitRepo `apps` for it. */
  async function follow(
    namespace: string,
    files: Readonly<Record<string, string>>,
    spec: object = {},
  ): Promise<Named> {
    await server.createRepository(namespace, files);
    const named = { namespace, name: 'apps' };
    const credential = secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', CREDENTIAL);
    await put(bench.client, namespaceObject(namespace), credential, gitRepo(named, specFor(namespace, spec)));
    return named;
  }

  async function scansOf(namespace: string): Promise<ImageScan[]> {
    const list = z.object({ items: z.array(z.unknown()) });
    const { items } = list.parse(await bench.client.list({ resource: IMAGE_SCANS, namespace }));
    return items.map(parseImageScan);
  }

  const namesIn = async (namespace: string): Promise<string[]> =>
    (await scansOf(namespace)).map(({ metadata }) => metadata.name).toSorted();

  const untilNames = (namespace: string, ...names: readonly string[]): Promise<true> =>
    waitFor(
      `ImageScans ${names.join()} in ${namespace}`,
      async () => ((await namesIn(namespace)).join() === names.join() ? true : undefined),
      // The garbage collector looks for new kinds every half minute.
      { timeoutMs: 90_000 },
    );

  const untilDefinedAt = (named: Named, place: string): Promise<ImageScan> =>
    untilScan(
      bench.client,
      named,
      `a definition at ${place}`,
      ({ metadata }) => metadata.annotations[DEFINED_AT_ANNOTATION] === place,
    );

  const untilAccepted = (named: Named, wanted = 'True Accepted') =>
    untilGitRepo(bench.client, named, wanted, (repo) => conditionOf(repo, ACCEPTED) === wanted);

  it('become ImageScans whose values the markers of the same GitRepo get', async () => {
    const namespace = 'whole';
    const image = `${registry.host}/${namespace}`;
    for (const tag of ['1.0.0', '1.1.0']) await pushImage(registry.host, namespace, tag);
    const marked = (tag: string): string => `image: ${image}:${tag} # {"$imagescan": "web"}\n`;
    const named = await follow(
      namespace,
      {
        'web/fleet.yaml': `defaultNamespace: shop\nimageScans:\n- image: ${image}\n  tagName: web\n  interval: 1m\n  policy: {semver: {range: 1.x}}\n`,
        'web/deployment.yaml': marked('1.0.0'),
        'elsewhere/fleet.yaml': defining(entry('other')),
      },
      { paths: ['w*'] },
    );
    await waitFor('the commit', async () =>
      (await server.readFile(namespace, 'web/deployment.yaml')) === marked('1.1.0') ? true : undefined,
    );
    const { metadata } = await readGitRepo(bench.client, named);
    const scan = await readScan(bench.client, { namespace, name: 'apps-web' });
    assert.deepEqual(scan.spec, {
      image,
      tagName: 'web',
      interval: '1m',
      policy: { semver: { range: '1.x' } },
      gitrepoName: 'apps',
    });
    assert.equal(scan.metadata.labels[DEFINED_BY_LABEL], 'apps');
    assert.equal(scan.metadata.annotations[DEFINED_AT_ANNOTATION], 'web/fleet.yaml:3');
    assert.deepEqual(scan.metadata.ownerReferences, [
      { apiVersion: 'fleetscan.io/v1alpha1', kind: 'GitRepo', name: 'apps', uid: metadata.uid },
    ]);
    await untilAccepted(named);
    await untilEvent(bench, named, 'gitrepo', 'ImageScanCreated', 'apps-web');
    assert.deepEqual(await namesIn(namespace), ['apps-web']);
    assert.equal((await server.log(namespace)).length, 2);
  });

  it('are the same ImageScans when they are reordered or moved to another file', async () => {
    const namespace = 'order';
    const named = await follow(namespace, {
      'a/fleet.yaml': defining(entry('one'), entry('two')),
      'b/fleetscan.yaml': defining(entry('three')),
    });
    await untilNames(namespace, 'apps-one', 'apps-three', 'apps-two');
    await untilAccepted(named);
    const identities = async (): Promise<unknown[]> =>
      (await scansOf(namespace)).map(({ metadata: { name, uid, generation } }) => [name, uid, generation]);
    const before = await identities();
    await server.commit(namespace, {
      'a/fleet.yaml': null,
      'b/fleetscan.yaml': defining(entry('two'), entry('three'), entry('one')),
    });
    await untilDefinedAt({ namespace, name: 'apps-one' }, 'b/fleetscan.yaml:5');
    await untilDefinedAt({ namespace, name: 'apps-two' }, 'b/fleetscan.yaml:3');
    assert.deepEqual(await identities(), before);
  });

  it('change their ImageScans, and leave to people what the file does not say', async () => {
    const namespace = 'change';
    await follow(namespace, {
      'fleet.yaml': defining(
        entry('web', ', platforms: [linux/amd64], policy: {semver: {range: 1.x}}, interval: 5m'),
      ),
    });
    const scan = { namespace, name: 'apps-web' };
    await untilDefinedAt(scan, 'fleet.yaml:3');
    const person = { pin: { tag: '1.2.3' }, exclude: ['-rc'] };
    await bench.client.patch(
      { resource: IMAGE_SCANS, ...scan },
      { metadata: { annotations: { team: 'shop' } }, spec: person },
      'merge',
    );
    await server.commit(namespace, { 'fleet.yaml': defining(entry('web', ', policy: {newest: {}}')) });
    const { spec, metadata } = await untilScan(
      bench.client,
      scan,
      'another policy',
      (each) => each.spec.policy?.newest !== undefined,
    );
    assert.deepEqual(spec, {
      image: IMAGE,
      tagName: 'web',
      gitrepoName: 'apps',
      suspend: true,
      policy: { newest: {} },
      // The default of the kind.
      interval: '15m',
      ...person,
    });
    assert.equal(metadata.annotations['team'], 'shop');
    await untilEvent(bench, { namespace, name: 'apps' }, 'gitrepo', 'ImageScanChanged', 'apps-web');
  });

  it('that are gone take their ImageScans with them, and the condition with the last', async () => {
    const namespace = 'prune';
    const named = await follow(namespace, { 'fleet.yaml': defining(entry('one'), entry('two')) });
    await put(bench.client, imageScan({ namespace, name: 'by-hand' }, { image: IMAGE, suspend: true }));
    await untilNames(namespace, 'apps-one', 'apps-two', 'by-hand');
    await untilAccepted(named);
    await server.commit(namespace, { 'fleet.yaml': defining(entry('two')) });
    await untilNames(namespace, 'apps-two', 'by-hand');
    await untilEvent(bench, named, 'gitrepo', 'ImageScanRemoved', 'apps-one');
    await server.commit(namespace, { 'fleet.yaml': null });
    await untilNames(namespace, 'by-hand');
    await untilGitRepo(
      bench.client,
      named,
      'no condition on definitions',
      ({ status }) => status.conditions?.every(({ type }) => type !== ACCEPTED) === true,
    );
  });

  it('with mistakes are told of with file and line, and stop no other', async () => {
    const namespace = 'mistakes';
    const named = await follow(namespace, {
      'a/fleet.yaml': defining(
        entry('good'),
        entry('""'),
        `- {image: ${IMAGE}}\n`,
        entry('range', ', policy: {semver: {range: x.y.z.w}}'),
        entry('interval', ', interval: 5d'),
        entry('unknown', ', tags: [x]'),
        entry('policies', ', policy: {newest: {}, numerical: {}}'),
        entry('good'),
      ),
      'b/fleet.yaml': `imageScans:\n  image: ${IMAGE}\n  tagName: map\n`,
      'c/fleet.yaml': defining(entry('good'), entry('fine')),
      'd/fleet.yaml': 'imageScans: [\n',
    });
    const repo = await untilAccepted(named, 'False InvalidDefinition');
    const told = messageOf(repo, ACCEPTED);
    for (const mistake of [
      /a\/fleet\.yaml:4: imageScans\[1\]: tagName is missing/,
      /a\/fleet\.yaml:5: imageScans\[2\]: tagName is missing/,
      /a\/fleet\.yaml:6: imageScans\[3\]: InvalidRange: improper constraint/,
      /a\/fleet\.yaml:7: imageScans\[4\]: InvalidInterval: .*5d/,
      /a\/fleet\.yaml:8: imageScans\[5\]: there is no field tags/,
      /a\/fleet\.yaml:9: not created: Invalid: .*name one policy only/,
      /a\/fleet\.yaml:10: imageScans\[7\]: tagName good is taken by line 3/,
      /b\/fleet\.yaml:2: imageScans is a mapping and has to be a list/,
      /c\/fleet\.yaml:3: its tagName is taken by a\/fleet\.yaml:3/,
      /d\/fleet\.yaml:2: cannot be read/,
    ])
      assert.match(told, mistake);
    await untilNames(namespace, 'apps-fine', 'apps-good');
    await untilEvent(bench, named, 'gitrepo', 'InvalidDefinition', 'a/fleet.yaml:4');

    await server.commit(namespace, {
      'a/fleet.yaml': defining(entry('good')),
      'b/fleet.yaml': null,
      'c/fleet.yaml': defining(entry('fine')),
      'd/fleet.yaml': null,
    });
    await untilAccepted(named);
  });

  it('that a mistake hides keep their ImageScans', async () => {
    const namespace = 'hidden';
    const named = await follow(namespace, { 'fleet.yaml': defining(entry('web'), entry('db')) });
    await untilNames(namespace, 'apps-db', 'apps-web');
    await untilAccepted(named);
    await server.commit(namespace, { 'fleet.yaml': defining(entry('web', ', interval: 5d')) });
    await untilAccepted(named, 'False InvalidDefinition');
    assert.deepEqual(await namesIn(namespace), ['apps-db', 'apps-web']);
    await server.commit(namespace, { 'fleet.yaml': defining(entry('web', ', interval: 5m')) });
    await untilNames(namespace, 'apps-web');
  });

  it('do not touch an ImageScan that a person made, which the condition names', async () => {
    const namespace = 'person';
    const spec = { image: IMAGE, suspend: true, tagName: 'web', gitrepoName: 'apps', pin: { tag: '1.0.0' } };
    await put(bench.client, namespaceObject(namespace), imageScan({ namespace, name: 'mine' }, spec));
    const named = await follow(namespace, { 'fleet.yaml': defining(entry('web'), entry('db')) });
    const repo = await untilAccepted(named, 'False InvalidDefinition');
    assert.match(messageOf(repo, ACCEPTED), /^fleet\.yaml:3: ImageScan mine, which somebody else made/);
    assert.deepEqual(await namesIn(namespace), ['apps-db', 'mine']);
    const mine = await readScan(bench.client, { namespace, name: 'mine' });
    assert.deepEqual([mine.metadata.generation, mine.metadata.ownerReferences], [1, undefined]);

    await bench.client.delete({ resource: IMAGE_SCANS, namespace, name: 'mine' });
    await untilAccepted(named);
    await untilNames(namespace, 'apps-db', 'apps-web');
  });

  it('whose name is taken get one with a hash', async () => {
    const namespace = 'taken';
    await put(
      bench.client,
      namespaceObject(namespace),
      imageScan({ namespace, name: 'apps-web' }, { image: IMAGE, suspend: true }),
    );
    const named = await follow(namespace, { 'fleet.yaml': defining(entry('web')) });
    await untilAccepted(named);
    const names = await namesIn(namespace);
    assert.match(names.join(), /^apps-web,apps-web-[0-9a-f]{10}$/);
  });

  it('are made right again when somebody changes or deletes an ImageScan, with no new commit', async () => {
    const namespace = 'kept';
    const named = await follow(
      namespace,
      { 'fleet.yaml': defining(entry('web', ', interval: 5m'), entry('db')) },
      { imageScanInterval: '1h' },
    );
    await untilAccepted(named);
    const web = { namespace, name: 'apps-web' };
    const { uid } = (await readScan(bench.client, web)).metadata;
    await bench.client.patch(
      { resource: IMAGE_SCANS, ...web },
      { spec: { interval: '7m', tagName: 'other' }, metadata: { ownerReferences: null } },
      'merge',
    );
    const mended = await untilScan(
      bench.client,
      web,
      'what Git says',
      ({ spec, metadata }) => spec.interval === '5m' && metadata.ownerReferences?.length === 1,
    );
    assert.deepEqual([mended.metadata.uid, mended.spec.tagName], [uid, 'web']);
    await bench.client.patch({ resource: IMAGE_SCANS, ...web }, { spec: { suspend: false } }, 'merge');
    await untilScan(bench.client, web, 'suspend', ({ spec }) => spec.suspend === true);

    const db = { namespace, name: 'apps-db' };
    const former = (await readScan(bench.client, db)).metadata.uid;
    await bench.client.delete({ resource: IMAGE_SCANS, ...db });
    await untilScan(bench.client, db, 'another uid', ({ metadata }) => metadata.uid !== former);
    assert.equal((await server.log(namespace)).length, 1);
  });

  it('take another path of the GitRepo up at once', async () => {
    const namespace = 'paths';
    const files = { 'a/fleet.yaml': defining(entry('one')), 'b/fleet.yaml': defining(entry('two')) };
    const named = await follow(namespace, files, { imageScanInterval: '1h', paths: ['a'] });
    await untilNames(namespace, 'apps-one');
    await put(bench.client, gitRepo(named, specFor(namespace, { imageScanInterval: '1h', paths: ['b'] })));
    await untilNames(namespace, 'apps-two');
  });

  it('go with their GitRepo', async () => {
    const namespace = 'owner';
    const named = await follow(namespace, { 'fleet.yaml': defining(entry('web')) });
    await put(bench.client, imageScan({ namespace, name: 'by-hand' }, { image: IMAGE, suspend: true }));
    await untilNames(namespace, 'apps-web', 'by-hand');
    await bench.client.delete({ resource: GIT_REPOS, ...named });
    await untilNames(namespace, 'by-hand');
  });

  describe('of a GitRepo of Fleet', () => {
    const fileOf = (...tagNames: readonly string[]): string =>
      defining(...tagNames.map((tagName) => entry(tagName)));

    /** A namespace, a repository, and a GitRepo `apps` of Fleet's for it. */
    async function followAsFleet(namespace: string, files: Readonly<Record<string, string>>): Promise<Named> {
      await server.createRepository(namespace, files);
      const named = { namespace, name: 'apps' };
      const credential = secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', CREDENTIAL);
      await put(bench.client, namespaceObject(namespace), credential);
      await applyAsFleet(bench.client, fleetGitRepo(named, specFor(namespace)));
      return named;
    }

    it('become ImageScans of ours that it owns', async () => {
      const namespace = 'fleets';
      const named = await followAsFleet(namespace, { 'fleet.yaml': fileOf('web') });
      const repo = await untilFleetGitRepo(
        bench.client,
        named,
        'accepted definitions',
        (each) => fleetCondition(each, ACCEPTED)?.startsWith('True') === true,
      );
      const { metadata } = await readScan(bench.client, { namespace, name: 'apps-web' });
      assert.deepEqual(metadata.ownerReferences, [
        { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'GitRepo', name: 'apps', uid: repo.metadata.uid },
      ]);
      await bench.client.delete({ resource: FLEET_GIT_REPOS, ...named });
      await untilNames(namespace);
    });

    it('are told on it as Fleet leaves it: again after it wrote over that, and no more once there are none', async () => {
      const namespace = 'told';
      const named = await followAsFleet(namespace, { 'fleet.yaml': fileOf('web') });
      const until = (wanted: string | undefined) =>
        untilFleetGitRepo(
          bench.client,
          named,
          `${ACCEPTED} ${wanted}`,
          (repo) => fleetCondition(repo, ACCEPTED) === wanted,
        );
      await until('True Accepted');
      const ready = { type: 'Ready', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z' };
      const deployed = { commit: 'f'.repeat(40), observedGeneration: 1, conditions: [ready] };
      await overwriteStatusAsFleet(bench.client, 'GitRepo', named, deployed);
      const { status } = await until('True Accepted');
      assert.deepEqual(status.conditions?.[0], ready);
      assert.equal((await fleetStatus(bench.client, 'GitRepo', named))['commit'], deployed.commit);

      await server.commit(namespace, { 'fleet.yaml': defining(entry('web'), entry('""')) });
      const wrong = await until('False InvalidDefinition');
      assert.match(
        wrong.status.conditions?.find(({ type }) => type === ACCEPTED)?.message ?? '',
        /^fleet\.yaml:4: imageScans\[1\]: tagName is missing/,
      );
      assert.equal(fleetCondition(wrong, 'Stalled'), undefined, 'the write-back goes on');
      await server.commit(namespace, { 'fleet.yaml': null });
      const { status: last } = await until(undefined);
      assert.deepEqual(last.conditions?.[0], ready);
      await untilNames(namespace);
    });

    it('go to a GitRepo of ours that takes over, with the ImageScans as they are, and back', async () => {
      const namespace = 'handed-over';
      const named = await followAsFleet(namespace, { 'fleet.yaml': fileOf('web') });
      const untilFleets = (wanted: string | undefined) =>
        untilFleetGitRepo(
          bench.client,
          named,
          `${ACCEPTED} ${wanted}`,
          (repo) => fleetCondition(repo, ACCEPTED) === wanted,
        );
      const untilOwned = (apiVersion: string) =>
        untilScan(
          bench.client,
          { namespace, name: 'apps-web' },
          `an owner of ${apiVersion}`,
          ({ metadata }) => metadata.ownerReferences?.map((owner) => owner.apiVersion).join() === apiVersion,
        );
      await untilFleets('True Accepted');
      const { uid } = (await untilOwned('fleet.cattle.io/v1alpha1')).metadata;

      await put(bench.client, gitRepo(named, specFor(namespace)));
      await untilAccepted(named);
      await untilFleets(undefined);
      assert.equal((await untilOwned('fleetscan.io/v1alpha1')).metadata.uid, uid);
      const taken = await untilFleetGitRepo(
        bench.client,
        named,
        'TakenOver',
        (repo) => fleetCondition(repo, 'ImageSynced') === 'True TakenOver',
      );
      assert.equal(fleetCondition(taken, 'Stalled'), undefined);

      await bench.client.delete({ resource: GIT_REPOS, ...named });
      await untilFleets('True Accepted');
      await untilOwned('fleet.cattle.io/v1alpha1');
    });

    it('in fleet.yaml stand back for those that fleet apply makes, once these have a value', async () => {
      const namespace = 'stand-back';
      const bundle = { namespace, gitRepo: 'apps' };
      const spec = { image: IMAGE, suspend: true };
      await put(bench.client, namespaceObject(namespace));
      await applyAsFleet(
        bench.client,
        fleetImageScan({ ...bundle, index: 0 }, { ...spec, tagName: 'first' }),
      );
      await followAsFleet(namespace, {
        'fleet.yaml': fileOf('first', 'web'),
        'fleetscan.yaml': fileOf('ours'),
      });
      await untilNames(namespace, 'apps-ours', 'apps-web');

      const late = fleetImageScan({ ...bundle, index: 1 }, { ...spec, tagName: 'web' });
      await applyAsFleet(bench.client, late);
      const status = {
        canonicalImageName: IMAGE,
        latestTag: '1.0.0',
        latestImage: `${IMAGE}:1.0.0`,
        latestDigest: digestOf('1.0.0'),
      };
      const path = { resource: FLEET_IMAGE_SCANS, namespace, name: late.metadata.name };
      await bench.client.patch({ ...path, subresource: 'status' }, { status }, 'merge');
      await untilNames(namespace, 'apps-ours');

      await bench.client.delete(path);
      await untilNames(namespace, 'apps-ours', 'apps-web');
    });
  });
});

describe('definitions in Git, when the reconciler was away', () => {
  it('are made right again at the same commit, and nothing else is written', async (t) => {
    const server = await startGitServer({ credential: CREDENTIAL });
    t.after(() => server.stop());
    const bench = await startReconciling();
    t.after(() => bench.stop());
    const namespace = 'team';
    await server.createRepository('apps', { 'fleet.yaml': defining(entry('web'), entry('db')) });
    const named = { namespace, name: 'apps' };
    const spec = {
      repo: `${server.url}/apps.git`,
      branch: 'main',
      clientSecretName: 'git',
      imageScanInterval: '1h',
    };
    const credential = secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', CREDENTIAL);
    await put(bench.client, namespaceObject(namespace), credential, gitRepo(named, spec));
    await untilGitRepo(
      bench.client,
      named,
      'Accepted',
      (repo) => conditionOf(repo, ACCEPTED) === 'True Accepted',
    );
    const [web, db] = [
      { namespace, name: 'apps-web' },
      { namespace, name: 'apps-db' },
    ];
    const before = (await readScan(bench.client, db)).metadata;
    await bench.reconciler.process.stop(0);
    await bench.client.delete({ resource: IMAGE_SCANS, ...web });

    const again: Program = await bench.product.startReconciler({
      args: ['--cache-dir', bench.cacheDirectory],
    });
    t.after(() => again.process.stop(0));
    await waitFor('the deleted ImageScan', () => readScan(bench.client, web));
    const { uid, generation } = (await readScan(bench.client, db)).metadata;
    assert.deepEqual([uid, generation], [before.uid, before.generation]);
  });
});

describe("definitions in Git, when Fleet's ImageScan kind is removed", () => {
  it('go on with one ImageScan each, which has the value of the one that went', async (t) => {
    const server = await startGitServer({ credential: CREDENTIAL });
    t.after(() => server.stop());
    const bench = await startReconciling({ values: ['fleet.takeover=serve'], args: [SERVE] });
    t.after(() => bench.stop());
    await installFleetKinds(bench.client);
    const namespace = 'team';
    const marked = (tag: string): string => `image: ${IMAGE}:${tag} # {"$imagescan": "web"}\n`;
    await server.createRepository('apps', {
      'fleet.yaml': defining(entry('web')),
      'web.yaml': marked('1.0.0'),
    });
    const credential = secret({ namespace, name: 'git' }, 'kubernetes.io/basic-auth', CREDENTIAL);
    await put(bench.client, namespaceObject(namespace), credential);
    const made = fleetImageScan(
      { namespace, gitRepo: 'apps' },
      { image: IMAGE, suspend: true, tagName: 'web' },
    );
    const spec = {
      repo: `${server.url}/apps.git`,
      branch: 'main',
      clientSecretName: 'git',
      imageScanInterval: '1h',
    };
    await applyAsFleet(bench.client, made, fleetGitRepo({ namespace, name: 'apps' }, spec));
    const value = {
      canonicalImageName: IMAGE,
      latestTag: '2.0.0',
      latestImage: `${IMAGE}:2.0.0`,
      latestDigest: digestOf('2.0.0'),
    };
    const path = { resource: FLEET_IMAGE_SCANS, namespace, name: made.metadata.name };
    await bench.client.patch({ ...path, subresource: 'status' }, { status: value }, 'merge');
    await waitFor('the commit', async () =>
      (await server.readFile('apps', 'web.yaml')) === marked('2.0.0') ? true : undefined,
    );

    await removeFleetKind(bench.client, 'imagescans');
    const web = await untilScan(
      bench.client,
      { namespace, name: 'apps-web' },
      'its value and its definition',
      ({ status, metadata }) =>
        status.latestTag === '2.0.0' && metadata.annotations[DEFINED_AT_ANNOTATION] === 'fleet.yaml:3',
    );
    assert.equal(web.metadata.ownerReferences?.[0]?.apiVersion, 'fleet.cattle.io/v1alpha1');
    const { items } = z
      .object({ items: z.array(z.unknown()) })
      .parse(await bench.client.list({ resource: IMAGE_SCANS, namespace }));
    assert.equal(items.length, 1);
    assert.equal((await server.log('apps')).length, 2);
  });
});
