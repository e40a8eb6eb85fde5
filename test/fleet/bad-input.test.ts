import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { COMPATIBILITY_ANNOTATION } from '../../kube/kinds/fleet.ts';
import type { Condition } from '../../kube/kinds/common.ts';
import { CUSTOM_RESOURCE_DEFINITIONS, FLEET_IMAGE_SCANS } from '../../kube/resource.ts';
import { type GitServer, startGitServer } from '../control-plane/git-server.ts';
import { IMAGE } from '../e2e/admission.ts';
import {
  digestOf,
  namespaceObject,
  put,
  type Reconciling,
  secret,
  startReconciling,
  untilEvent,
} from '../e2e/reconciling.ts';
import { waitFor } from '../wait.ts';
import { type FleetKind, installFleetKinds } from './kinds.ts';
import {
  applyAsFleet,
  fleetCondition,
  fleetGitRepo,
  fleetImageScan,
  fleetScanName,
  fleetStatus,
  untilFleetGitRepo,
  untilFleetScan,
} from './objects.ts';

const PUSHER = { username: 'fleet', password: 'a password' };
const TEAM = 'team';
const marked = (tag: string): string => `image: ${IMAGE}:${tag} # {"$imagescan": "web"}\n`;

interface BadScan {
  readonly what: string;
  readonly spec: object;
  readonly message: RegExp;
}

const BAD_SCANS: readonly BadScan[] = [
  {
    what: 'an interval that is none',
    spec: { interval: '5d' },
    message: /^InvalidInterval: .*"5d" is not a duration/,
  },
  { what: 'an empty interval', spec: { interval: '' }, message: /^InvalidInterval: / },
  {
    what: 'a range that is none',
    spec: { policy: { semver: { range: 'x.y.z.w' } } },
    message: /^InvalidRange: /,
  },
  { what: 'an empty image', spec: { image: '' }, message: /^InvalidImage: / },
  { what: 'an image in capitals', spec: { image: 'ghcr.io/Acme/Web' }, message: /^InvalidImage: / },
  { what: 'an image with a space', spec: { image: 'x y' }, message: /^InvalidImage: / },
  {
    what: 'a Secret that is not there',
    spec: { secretRef: { name: 'none' } },
    message: /^SecretNotFound: Secret team\/none does not exist/,
  },
];

interface BadGitRepo {
  readonly what: string;
  readonly spec: object;
  readonly message: RegExp;
}

const BAD_GIT_REPOS: readonly BadGitRepo[] = [
  { what: 'no repository', spec: { repo: '' }, message: /^InvalidURL: / },
  { what: 'a URL that is none', spec: { repo: 'not a URL' }, message: /^InvalidURL: / },
  { what: 'a URL of a file', spec: { repo: 'file:///etc' }, message: /^InvalidURL: / },
  { what: 'a branch that is not there', spec: { branch: 'none' }, message: /^BranchMissing: / },
  { what: 'a branch that can be none', spec: { branch: '../x' }, message: /^InvalidBranch: / },
  {
    what: 'an interval that is none',
    spec: { imageScanInterval: '1w' },
    message: /^InvalidInterval: .*"1w"/,
  },
  { what: 'a Secret that is not there', spec: { clientSecretName: 'none' }, message: /^SecretNotFound: / },
  {
    what: 'a template that is none',
    spec: { imageScanCommit: { messageTemplate: '{{' } },
    message: /^InvalidTemplate: /,
  },
  { what: 'a path outside', spec: { paths: ['../etc'] }, message: /^PathEscapes: / },
  { what: 'a path that is not there', spec: { paths: ['none'] }, message: /^PathMissing: / },
  { what: 'certificates that are none', spec: { caBundle: 'bm9uZQ==' }, message: /^InvalidCABundle: / },
];

/** What Fleet allows, and what made its image scan panic or fail. */
const FINE: Readonly<Record<string, object>> = {
  'commit-empty': { imageScanCommit: {} },
  'commit-null': { imageScanCommit: null },
  'commit-of-nulls': { imageScanCommit: { authorName: null, authorEmail: null, messageTemplate: null } },
  'paths-empty': { paths: [] },
  'paths-null': { paths: null },
  'paths-glob': { paths: ['a.*'] },
  'interval-zero': { imageScanInterval: '0' },
};

describe("Bad input in Fleet's objects", { concurrency: 3 }, () => {
  let git: GitServer;
  let bench: Reconciling;

  before(async () => {
    git = await startGitServer({ credential: PUSHER });
    bench = await startReconciling({ values: ['fleet.takeover=serve'], args: ['--fleet-takeover=serve'] });
    await installFleetKinds(bench.client);
    await allowAnyInterval('imagescans', 'interval');
    await allowAnyInterval('gitrepos', 'imageScanInterval');
    await put(
      bench.client,
      namespaceObject(TEAM),
      secret({ namespace: TEAM, name: 'git' }, 'kubernetes.io/basic-auth', PUSHER),
    );
    await git.createRepository('bad', { 'a.yaml': marked('1.0.0') });
  });

  after(async () => {
    await bench?.stop();
    await git?.stop();
  });

  /** As it was before Fleet v0.16: an object of that time may still be stored. */
  async function allowAnyInterval(kind: FleetKind, field: string): Promise<void> {
    const at = `/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/${field}`;
    const removals = ['x-kubernetes-validations', 'minLength', 'maxLength'];
    await bench.client.patch(
      { resource: CUSTOM_RESOURCE_DEFINITIONS, name: `${kind}.fleet.cattle.io` },
      removals.map((rule) => ({ op: 'remove', path: `${at}/${rule}` })),
      'json',
    );
  }

  const gitRepo = (name: string, spec: object = {}, annotations: Readonly<Record<string, string>> = {}) =>
    fleetGitRepo(
      { namespace: TEAM, name, annotations },
      {
        repo: `${git.url}/bad.git`,
        branch: 'main',
        clientSecretName: 'git',
        imageScanInterval: '1s',
        ...spec,
      },
    );

  /** An ImageScan `web` for a GitRepo, with a value in force. */
  async function putWeb(name: string, index = 0): Promise<void> {
    const entry = { namespace: TEAM, gitRepo: name, index };
    await applyAsFleet(bench.client, fleetImageScan(entry, { image: IMAGE, tagName: 'web', suspend: true }));
    const value = { latestTag: '2.0.0', latestImage: `${IMAGE}:2.0.0`, latestDigest: digestOf('2.0.0') };
    const path = { resource: FLEET_IMAGE_SCANS, ...fleetScanName(entry), subresource: 'status' };
    await bench.client.patch(path, { status: { canonicalImageName: IMAGE, ...value } }, 'merge');
  }

  /** A GitRepo with a repository of its own, which has a marker for its ImageScan. */
  async function follow(
    name: string,
    spec: object,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await git.createRepository(name, { 'a.yaml': marked('1.0.0') });
    await putWeb(name);
    await applyAsFleet(bench.client, gitRepo(name, { repo: `${git.url}/${name}.git`, ...spec }, annotations));
  }

  const untilSynced = (name: string, wanted: string) =>
    untilFleetGitRepo(
      bench.client,
      { namespace: TEAM, name },
      wanted,
      (repo) => fleetCondition(repo, 'ImageSynced') === wanted,
    );
  const conditionIn = (
    { status }: { readonly status: { readonly conditions?: readonly Condition[] | undefined } },
    type: string,
  ): Condition => status.conditions?.find((each) => each.type === type) ?? assert.fail(`no ${type}`);

  /** A failure as Fleet's image scan tells it. */
  function assertFailure(object: Parameters<typeof conditionIn>[0], type: string, message: RegExp): void {
    assert.match(conditionIn(object, type).message ?? '', message);
    const stalled = conditionIn(object, 'Stalled');
    assert.deepEqual(
      [stalled.status, stalled.reason, stalled.message],
      ['True', 'Stalled', conditionIn(object, type).message],
    );
    assert.equal(conditionIn(object, 'Reconciling').status, 'False');
  }

  describe('of an ImageScan is a condition with what is wrong:', () => {
    for (const [index, { what, spec, message }] of BAD_SCANS.entries()) {
      it(what, async () => {
        const entry = { namespace: TEAM, gitRepo: 'no-such', index };
        const wrong = { image: 'registry.invalid/web', tagName: `bad-${index}`, ...spec };
        await applyAsFleet(bench.client, fleetImageScan(entry, wrong));
        const scan = await untilFleetScan(
          bench.client,
          fleetScanName(entry),
          'a failure',
          (each) => fleetCondition(each, 'ImageScanned') === 'False Error',
        );
        assertFailure(scan, 'ImageScanned', message);
      });
    }
  });

  describe('of a GitRepo is a condition with what is wrong:', () => {
    for (const [index, { what, spec, message }] of BAD_GIT_REPOS.entries()) {
      it(what, async () => {
        const name = `bad-${index}`;
        await putWeb(name);
        await applyAsFleet(bench.client, gitRepo(name, spec));
        assertFailure(await untilSynced(name, 'False Error'), 'ImageSynced', message);
      });
    }
  });

  describe('is none:', () => {
    for (const [name, spec] of Object.entries(FINE)) {
      it(`${name.replace('-', ' ')} is written back`, async () => {
        await follow(name, spec);
        await untilSynced(name, 'True');
        assert.equal(await git.readFile(name, 'a.yaml'), marked('2.0.0'));
      });
    }
  });

  it('two ImageScans of one tagName are told on both, and the marker is left alone and named', async () => {
    await follow('twice', {});
    await untilSynced('twice', 'True');
    await putWeb('twice', 1);
    for (const index of [0, 1]) {
      const entry = { namespace: TEAM, gitRepo: 'twice', index };
      // Suspended ones are not scanned, so nothing is told on them; these two are for this moment.
      await applyAsFleet(
        bench.client,
        fleetImageScan(entry, { image: IMAGE, tagName: 'web', interval: '1h' }),
      );
      const scan = await untilFleetScan(
        bench.client,
        fleetScanName(entry),
        'a namesake',
        (each) => fleetCondition(each, 'Ready') === 'False DuplicateTagName',
      );
      assert.match(
        conditionIn(scan, 'Ready').message ?? '',
        /has the same tagName, so markers cannot tell them apart/,
      );
    }
    const repo = await untilSynced('twice', 'True SyncedInPart');
    assert.match(conditionIn(repo, 'ImageSynced').message ?? '', /left alone: a\.yaml:1: /);
  });

  it('a misspelt annotation is told with what is allowed, and Git is written to as by default meanwhile', async () => {
    await follow('misspelt', {}, { [COMPATIBILITY_ANNOTATION]: 'fleet' });
    const named = { namespace: TEAM, name: 'misspelt' };
    const repo = await untilSynced('misspelt', 'True InvalidAnnotation');
    assert.match(
      conditionIn(repo, 'ImageSynced').message ?? '',
      /is "fleet" and has to be None or Fleet; until then the default/,
    );
    assert.equal(await git.readFile('misspelt', 'a.yaml'), marked('2.0.0'));
    await untilEvent(bench, named, 'gitrepo', 'InvalidAnnotation', 'has to be None or Fleet');
    await applyAsFleet(
      bench.client,
      gitRepo('misspelt', { repo: `${git.url}/misspelt.git` }, { [COMPATIBILITY_ANNOTATION]: 'None' }),
    );
    const mended = await untilSynced('misspelt', 'True');
    assert.equal(conditionIn(mended, 'ImageSynced').message, undefined);
  });

  it('an object that a newer schema allows and we cannot read is told in an Event, and the others go on', async () => {
    const at = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/suspend';
    await bench.client.patch(
      { resource: CUSTOM_RESOURCE_DEFINITIONS, name: 'imagescans.fleet.cattle.io' },
      [{ op: 'replace', path: at, value: { 'x-kubernetes-preserve-unknown-fields': true } }],
      'json',
    );
    const entry = { namespace: TEAM, gitRepo: 'newer' };
    await waitFor('the newer schema', async () => {
      await applyAsFleet(
        bench.client,
        fleetImageScan(entry, { image: IMAGE, tagName: 'web', suspend: { until: 'Monday' } }),
      );
      return true;
    });
    const named = fleetScanName(entry);
    await untilEvent(bench, named, 'imagescan', 'InvalidObject', 'spec.suspend');
    assert.deepEqual(await fleetStatus(bench.client, 'ImageScan', named), {});
    await follow('after-newer', {});
    await untilSynced('after-newer', 'True');
  });
});
