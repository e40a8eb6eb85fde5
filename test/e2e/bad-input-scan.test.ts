import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SECRETS } from '../../kube/resource.ts';
import { basicAuth } from '../control-plane/basic-auth.ts';
import { freePort } from '../control-plane/processes.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import {
  type FakeRegistry,
  imageIndex,
  imageManifest,
  registryError,
  respondWith,
  startFakeRegistry,
} from '../fakes/registry.ts';
import {
  type ApiObject,
  conditionOf,
  imageScan,
  messageOf,
  type Named,
  namespaceObject,
  readScan,
  put,
  type Reconciling,
  refusal,
  secret,
  startReconciling,
  untilEvent,
  untilInForce,
  untilScan,
} from './reconciling.ts';
import { waitFor } from '../wait.ts';

const USER = { username: 'puller', password: 'correct-horse' };
const PULL_SECRET = 'kubernetes.io/dockerconfigjson';

/** What is wrong with a scan, where the person sees it, and what mends it. */
interface Mistake {
  readonly what: string;
  readonly spec: () => object;
  readonly objects?: (namespace: string) => ApiObject[];
  readonly reason: string;
  readonly message: RegExp;
  readonly mend: (named: Named) => Promise<unknown>;
}

const CONCURRENTLY = { concurrency: 6 };

describe('an ImageScan that cannot be scanned', () => {
  let registry: Registry;
  let stoppable: Registry;
  /** Wants a user and a password. */
  let closed: FakeRegistry;
  let open: FakeRegistry;
  let silentHost: string;
  let bench: Reconciling;

  before(async () => {
    [registry, stoppable, closed, open] = await Promise.all([
      startRegistry(),
      startRegistry(),
      startFakeRegistry({ auth: 'Basic', users: { [USER.username]: USER.password } }),
      startFakeRegistry(),
    ]);
    silentHost = `127.0.0.1:${await freePort()}`;
    for (const tag of ['1.0.0', '1.1.0']) {
      await pushImage(registry.host, 'web', tag);
      closed.push('web', tag);
      open.push('web', tag);
    }
    open.makeEmpty('empty');
    bench = await startReconciling({
      insecureRegistries: [registry.host, stoppable.host, closed.host, open.host, silentHost],
    });
  });

  after(async () => {
    await bench?.stop();
    await Promise.all([registry?.stop(), stoppable?.stop(), closed?.stop(), open?.stop()]);
  });

  const good = (): object => ({ image: `${registry.host}/web`, interval: '1s' });
  const apply = (named: Named, spec: object): Promise<void> => put(bench.client, imageScan(named, spec));
  const correct = (named: Named): Promise<void> => apply(named, good());

  /** A pull secret with these entries, in the form that Docker writes. */
  const pullSecret = (named: Named, auths: object): ApiObject =>
    secret(named, PULL_SECRET, { '.dockerconfigjson': JSON.stringify({ auths }) });
  const rightEntry = (): object => ({ [closed.host]: USER });
  const closedImage = (): object => ({
    image: `${closed.host}/web`,
    interval: '1s',
    secretRef: { name: 'pull' },
  });
  const putSecret = async (named: Named, auths: object): Promise<void> => {
    // The type of a Secret cannot be changed.
    await bench.client
      .delete({ resource: SECRETS, namespace: named.namespace, name: 'pull' })
      .catch(() => {});
    await put(bench.client, pullSecret({ ...named, name: 'pull' }, auths));
  };

  const mistakes: readonly Mistake[] = [
    {
      what: 'a range that is none',
      spec: () => ({ ...good(), policy: { semver: { range: 'the newest' } } }),
      reason: 'InvalidRange',
      message: /the newest/,
      mend: correct,
    },
    {
      what: 'a pattern that is none',
      spec: () => ({ ...good(), filterTags: { pattern: '^(?=1)' } }),
      reason: 'InvalidPattern',
      message: /filterTags\.pattern/,
      mend: correct,
    },
    {
      what: 'an image that does not parse',
      spec: () => ({ ...good(), image: `${registry.host}/Web` }),
      reason: 'InvalidImage',
      message: /could not parse reference: .*\/Web/,
      mend: correct,
    },
    {
      what: 'a Secret that is not there',
      spec: closedImage,
      reason: 'SecretNotFound',
      message: /^Secret secretnotfound\/pull does not exist; create it$/,
      mend: (named) => putSecret(named, rightEntry()),
    },
    {
      what: 'a Secret of the wrong type',
      spec: closedImage,
      objects: (namespace) => [secret({ namespace, name: 'pull' }, 'Opaque', { password: 'hunter2' })],
      reason: 'WrongSecretType',
      message: /wrongsecrettype\/pull is of the type Opaque; .*kubectl create secret docker-registry/,
      mend: (named) => putSecret(named, rightEntry()),
    },
    {
      what: 'a Secret whose content is broken',
      spec: closedImage,
      objects: (namespace) => [
        pullSecret({ namespace, name: 'pull' }, { [closed.host]: { auth: 'hunter2 hunter2' } }),
      ],
      reason: 'InvalidSecret',
      message:
        /invalidsecret\/pull: \.dockerconfigjson has at auths\.127\.0\.0\.1:\d+ an auth that is not base64/,
      mend: (named) => putSecret(named, rightEntry()),
    },
    {
      what: 'a password that the registry refuses',
      spec: closedImage,
      objects: (namespace) => [
        pullSecret(
          { namespace, name: 'pull' },
          { [closed.host]: { username: 'puller', password: 'hunter2' } },
        ),
      ],
      reason: 'Unauthorized',
      message: /refuses the tags of web \(status 401\) to the credential of the pull secrets/,
      mend: (named) => putSecret(named, rightEntry()),
    },
    {
      what: 'a repository that the registry does not know',
      spec: () => ({ ...good(), image: `${registry.host}/wbe` }),
      reason: 'NotFound',
      message: /does not know the tags of wbe \(status 404\): check the name/,
      mend: correct,
    },
    {
      what: 'a repository without a tag',
      spec: () => ({ ...good(), image: `${open.host}/empty` }),
      reason: 'NoTags',
      message: /^no tag found$/,
      mend: async () => open.push('empty', '1.1.0'),
    },
    {
      what: 'a range that no tag is in',
      spec: () => ({ ...good(), policy: { semver: { range: '^9' } } }),
      reason: 'NoMatch',
      message: /^no available version matching \^9$/,
      mend: correct,
    },
    {
      what: 'a registry that does not answer',
      spec: () => ({ ...good(), image: `${silentHost}/web` }),
      reason: 'Unreachable',
      message: /127\.0\.0\.1:\d+/,
      mend: correct,
    },
  ];

  describe(
    'says why in its condition and an Event, holds up no other, and recovers when it is mended:',
    CONCURRENTLY,
    () => {
      for (const { what, spec, objects, reason, message, mend } of mistakes) {
        it(`${what} is ${reason}`, async () => {
          const namespace = reason.toLowerCase();
          const [bad, other] = [
            { namespace, name: 'bad' },
            { namespace, name: 'good' },
          ];
          await put(
            bench.client,
            namespaceObject(namespace),
            ...(objects?.(namespace) ?? []),
            imageScan(bad, spec()),
            imageScan(other, good()),
          );
          const scan = await untilScan(
            bench.client,
            bad,
            `False ${reason}`,
            (scan) => conditionOf(scan, 'ImageScanned') === `False ${reason}`,
          );
          assert.match(messageOf(scan, 'ImageScanned'), message);
          assert.equal(conditionOf(scan, 'Ready'), 'False NoValue');
          assert.equal(scan.status.latestTag, undefined);
          await untilEvent(bench, bad, 'imagescan', 'Warning', reason);
          await untilInForce(bench.client, other, '1.1.0');
          await mend(bad);
          const mended = await untilInForce(bench.client, bad, '1.1.0');
          assert.equal(conditionOf(mended, 'ImageScanned'), 'True Scanned');
          assert.equal(conditionOf(mended, 'Ready'), 'True InForce');
          const said = `${JSON.stringify(scan)} ${bench.reconciler.process.output()}`;
          assert.doesNotMatch(said, /hunter2|correct-horse/);
          assert.ok(!said.includes(basicAuth({ ...USER, password: 'hunter2' }).slice('Basic '.length)));
        });
      }

      for (const [what, spec, auths] of [
        ['names no Secret', () => ({ ...closedImage(), secretRef: undefined }), {}],
        ['names one that is for another registry', closedImage, { 'registry.example': USER }],
      ] as const) {
        it(`${what} is told that it needs credentials, and for what`, async () => {
          const named = { namespace: `needs-${Object.keys(auths).length}`, name: 'web' };
          await put(
            bench.client,
            namespaceObject(named.namespace),
            pullSecret({ ...named, name: 'pull' }, auths),
            imageScan(named, spec()),
          );
          const scan = await untilScan(
            bench.client,
            named,
            'Unauthorized',
            (scan) => conditionOf(scan, 'ImageScanned') === 'False Unauthorized',
          );
          assert.match(
            messageOf(scan, 'ImageScanned'),
            /it wants credentials, and no pull secret has any for 127\.0\.0\.1:\d+\/web/,
          );
        });
      }
    },
  );

  describe('is refused by the CRD, and kubectl apply says why:', CONCURRENTLY, () => {
    const named = { namespace: 'default', name: 'refused' };
    const cases: readonly { what: string; spec: object; says: RegExp }[] = [
      { what: 'no image', spec: {}, says: /spec\.image: Required value/ },
      {
        what: 'a URL for an image',
        spec: { image: 'https://ghcr.io/acme/web' },
        says: /spec\.image: .*is an image, not a URL: leave out the scheme/,
      },
      {
        what: 'an image with a space',
        spec: { image: 'acme web' },
        says: /spec\.image: .*is an image reference and has no spaces/,
      },
      {
        what: 'an interval in days',
        spec: { image: 'web', interval: '1d' },
        says: /spec\.interval: .*must be a Go duration such as 30s, 15m or 1h30m \(there is no unit for days or weeks\)/,
      },
      {
        what: 'two policies',
        spec: { image: 'web', policy: { semver: { range: '*' }, numerical: {} } },
        says: /spec\.policy: .*name one policy only/,
      },
      {
        what: 'a field that is unknown',
        spec: { image: 'web', intervall: '1h' },
        says: /unknown field "spec\.intervall"/,
      },
    ];
    for (const { what, spec, says } of cases) {
      it(what, async () => assert.match(await refusal(bench, imageScan(named, spec)), says));
    }
  });

  describe('keeps what is in force', CONCURRENTLY, () => {
    /** A scan of an image of its own at the open registry, with a value in force. */
    async function inForce(name: string): Promise<Named> {
      for (const tag of ['1.0.0', '1.1.0']) open.push(name, tag);
      const named = { namespace: name, name: 'web' };
      await put(
        bench.client,
        namespaceObject(name),
        imageScan(named, { image: `${open.host}/${name}`, interval: '1s' }),
      );
      await untilInForce(bench.client, named, '1.1.0');
      return named;
    }

    /** Waits for a failure, and checks that what is in force was not touched by it. */
    async function survives(named: Named, reason: string, message: RegExp): Promise<void> {
      const { status: before } = await readScan(bench.client, named);
      const failed = await untilScan(
        bench.client,
        named,
        reason,
        (scan) => conditionOf(scan, 'ImageScanned') === `False ${reason}`,
      );
      assert.match(messageOf(failed, 'ImageScanned'), message);
      assert.equal(conditionOf(failed, 'Ready'), 'True InForce');
      assert.match(messageOf(failed, 'Ready'), /^1\.1\.0 .* is in force; the last scan failed, so it stays$/);
      for (const field of ['latestTag', 'latestImage', 'latestDigest', 'history'] as const) {
        assert.deepEqual(failed.status[field], before[field], field);
      }
      await untilEvent(bench, named, 'imagescan', 'Warning', reason);
    }

    const recovers = (named: Named): Promise<unknown> =>
      untilScan(
        bench.client,
        named,
        'recovered',
        (scan) =>
          conditionOf(scan, 'ImageScanned') === 'True Scanned' && !/failed/.test(messageOf(scan, 'Ready')),
      ).then(() => untilEvent(bench, named, 'imagescan', 'Normal', 'Recovered'));

    it('while the registry is down, and goes on when it is back', async () => {
      await pushImage(stoppable.host, 'web', '1.1.0');
      const named = { namespace: 'down', name: 'web' };
      await put(
        bench.client,
        namespaceObject('down'),
        imageScan(named, { image: `${stoppable.host}/web`, interval: '1s' }),
      );
      await untilInForce(bench.client, named, '1.1.0');
      await stoppable.stop();
      await survives(named, 'Unreachable', new RegExp(stoppable.host));
      await stoppable.start();
      await recovers(named);
    });

    for (const [status, reason, message] of [
      [500, 'Server', /fails to give the tags of .* \(status 500\)/],
      [429, 'RateLimited', /limits how often it is asked/],
      [401, 'Unauthorized', /refuses the tags/],
      [404, 'NotFound', /does not know the tags/],
    ] as const) {
      it(`when the registry answers ${status}`, async () => {
        const named = await inForce(`answers-${status}`);
        let isBroken = true;
        open.fail({
          path: new RegExp(`^/v2/answers-${status}/tags/list$`),
          respond: (...args) => {
            const respond = isBroken
              ? registryError(status, 'UNKNOWN')
              : respondWith(200, {}, '{"tags":["1.1.0"]}');
            respond(...args);
          },
        });
        await survives(named, reason, message);
        isBroken = false;
        await recovers(named);
      });
    }

    it('when the registry answers something that is no list', async () => {
      const named = await inForce('nonsense');
      open.fail({
        path: /^\/v2\/nonsense\/tags\/list$/,
        respond: respondWith(200, {}, '<html>Log in</html>'),
      });
      await survives(named, 'InvalidAnswer', /nonsense/);
    });

    it('when the tag was deleted, though there is an older one', async () => {
      const named = await inForce('deleted');
      open.makeEmpty('deleted');
      open.push('deleted', '1.0.0');
      await survives(
        named,
        'TagGone',
        /^1\.1\.0 is in force but gone from the registry, which has nothing newer/,
      );
      open.push('deleted', '1.2.0');
      await untilInForce(bench.client, named, '1.2.0');
    });

    it('when the tag was moved back to what it named before, until it is moved on', async () => {
      const named = await inForce('moved-back');
      const former = imageIndex('moved-back', ['linux/amd64']);
      open.push('moved-back', '1.1.0', former);
      await untilScan(bench.client, named, 'two values', ({ status }) => status.history?.length === 2);
      open.push('moved-back', '1.1.0');
      await survives(named, 'TagMovedBack', /^1\.1\.0 names sha256:\w+ again, which it did before/);
      open.push('moved-back', '1.1.0', former);
      await recovers(named);
    });

    it('when the tag was pushed again as a Helm chart', async () => {
      const named = await inForce('chart');
      open.push('chart', '1.1.0', {
        ...imageManifest('chart'),
        config: {
          mediaType: 'application/vnd.cncf.helm.config.v1+json',
          digest: `sha256:${'0'.repeat(64)}`,
          size: 2,
        },
      });
      await survives(named, 'TagReplaced', /^1\.1\.0 is in force but is now a Helm chart/);
      open.push('chart', '1.1.0');
      await recovers(named);
    });

    it('when all tags were deleted', async () => {
      const named = await inForce('emptied');
      open.makeEmpty('emptied');
      await survives(named, 'NoTags', /^no tag found$/);
      open.push('emptied', '1.1.0');
      await recovers(named);
    });

    it('but for another image in the spec, of which there is no value yet: pods are given none', async () => {
      const named = await inForce('renamed');
      await put(bench.client, imageScan(named, { image: `${open.host}/empty-too`, interval: '1s' }));
      const scan = await untilScan(
        bench.client,
        named,
        'StaleValue',
        (scan) => conditionOf(scan, 'Ready') === 'False StaleValue',
      );
      assert.match(messageOf(scan, 'Ready'), /renamed:1\.1\.0 is of the image that the spec named before/);
      assert.equal(scan.status.latestTag, '1.1.0');
    });
  });

  // Last, and alone, for it changes the CRD.
  it('since it is older than a rule of the CRD is told so, and holds up no other', async () => {
    const [odd, other] = [
      { namespace: 'older', name: 'odd' },
      { namespace: 'older', name: 'web' },
    ];
    await put(bench.client, namespaceObject('older'));
    const oddObject = imageScan(odd, { ...good(), interval: '1d' });
    await withoutIntervalRule(bench, async () => {
      await waitFor('the rule to be gone', async () => {
        await put(bench.client, oddObject);
        return true;
      });
    });
    await waitFor('the rule to be back', async () => {
      await refusal(bench, imageScan({ ...odd, name: 'probe' }, { image: 'web', interval: '1d' }));
      return true;
    });
    await apply(other, good());
    await untilInForce(bench.client, other, '1.1.0');
    const scan = await untilScan(
      bench.client,
      odd,
      'InvalidInterval',
      (scan) => conditionOf(scan, 'ImageScanned') === 'False InvalidInterval',
    );
    assert.match(messageOf(scan, 'ImageScanned'), /the interval "1d" is not a duration; write it like 30s/);
    await correct(odd);
    await untilInForce(bench.client, odd, '1.1.0');
    assert.equal(bench.reconciler.process.exitedWith(), undefined);
  });
});

/** Takes the rule about intervals out of the CRD while something is done. */
async function withoutIntervalRule({ cluster }: Reconciling, work: () => Promise<void>): Promise<void> {
  const field = ['versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec', 'properties', 'interval'];
  const path = `/spec/${field.join('/')}/x-kubernetes-validations`;
  const patch = async (operation: object): Promise<void> => {
    const json = JSON.stringify([operation]);
    const { code, stderr } = await cluster.kubectl(
      'patch',
      'crd',
      'imagescans.fleetscan.io',
      '--type=json',
      '-p',
      json,
    );
    assert.equal(code, 0, stderr);
  };
  const { stdout } = await cluster.kubectl('get', 'crd', 'imagescans.fleetscan.io', '-o', 'json');
  const rules = field.reduce((value, key) => value[key], JSON.parse(stdout).spec)['x-kubernetes-validations'];
  assert.equal(rules.length, 1);
  await patch({ op: 'remove', path });
  await work();
  await patch({ op: 'add', path, value: rules });
}
