import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SCAN_REQUEST_ANNOTATION } from '../../kube/kinds/image-scan.ts';
import { IMAGE_SCANS } from '../../kube/resource.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { waitFor } from '../wait.ts';
import {
  conditionOf,
  imageScan,
  type Named,
  namespaceObject,
  readScan,
  put,
  type Reconciling,
  startReconciling,
  untilEvent,
  untilInForce,
  untilScan,
} from './reconciling.ts';

const CREDENTIAL = { username: 'puller', password: 'a password: with a colon' };

describe('the reconciler scans', () => {
  let registry: Registry;
  let authRegistry: Registry;
  let bench: Reconciling;

  before(async () => {
    [registry, authRegistry] = await Promise.all([startRegistry(), startRegistry({ auth: CREDENTIAL })]);
    bench = await startReconciling({ insecureRegistries: [registry.host, authRegistry.host] });
  });

  after(async () => {
    await bench?.stop();
    await Promise.all([registry?.stop(), authRegistry?.stop()]);
  });

  /** A namespace and an image repository of one name, with these tags, and an ImageScan `web` of it. */
  async function follow(namespace: string, tags: readonly string[], spec: object = {}): Promise<Named> {
    for (const tag of tags) await pushImage(registry.host, namespace, tag);
    const named = { namespace, name: 'web' };
    const image = `${registry.host}/${namespace}`;
    await put(bench.client, namespaceObject(namespace), imageScan(named, { image, ...spec }));
    return named;
  }

  /** Asks for a scan and waits for the answer. */
  async function request(named: Named, text: string): Promise<void> {
    await annotate(named, text);
    await untilScan(
      bench.client,
      named,
      `an answer to ${text}`,
      ({ status }) => status.lastHandledScanRequest === text,
    );
  }

  async function annotate({ namespace, name }: Named, text: string): Promise<void> {
    const annotations = { [SCAN_REQUEST_ANNOTATION]: text };
    await bench.client.patch(
      { resource: IMAGE_SCANS, namespace, name },
      { metadata: { annotations } },
      'merge',
    );
  }

  /** How often the tags of a repository were listed. */
  const listings = (repository: string): number =>
    registry.requests().filter(({ url }) => url.startsWith(`/v2/${repository}/tags/list`)).length;

  /** The registry writes its log after it has answered. */
  const untilListed = (repository: string, times: number): Promise<true> =>
    waitFor(`${times} listings of ${repository}`, () => (listings(repository) >= times ? true : undefined));

  it('a new one at once, and puts the newest tag in force with the digest of its index', async () => {
    const { digest } = await pushImage(registry.host, 'fresh', '1.1.0');
    const named = await follow('fresh', ['1.0.0']);
    const { status, metadata } = await untilInForce(bench.client, named, '1.1.0');
    assert.equal(status.latestDigest, digest);
    assert.equal(status.latestImage, `${registry.host}/fresh:1.1.0`);
    assert.equal(status.canonicalImageName, `${registry.host}/fresh`);
    assert.equal(status.tagCount, 2);
    assert.equal(status.observedGeneration, metadata.generation);
    assert.deepEqual(
      status.history?.map(({ tag, digest: past, cause }) => [tag, past, cause]),
      [['1.1.0', digest, 'Scan']],
    );
    assert.equal(conditionOf({ metadata, status }, 'ImageScanned'), 'True Scanned');
    assert.equal(conditionOf({ metadata, status }, 'Ready'), 'True InForce');
    await untilEvent(bench, named, 'imagescan', 'ValueChanged', 'nothing -> 1.1.0');
  });

  it('at the interval, and so finds a new tag by itself', async () => {
    const named = await follow('interval', ['1.0.0'], { interval: '1s' });
    await untilInForce(bench.client, named, '1.0.0');
    await pushImage(registry.host, 'interval', '1.1.0');
    const { status } = await untilInForce(bench.client, named, '1.1.0');
    assert.deepEqual(
      status.history?.map(({ tag }) => tag),
      ['1.1.0', '1.0.0'],
    );
    await untilEvent(bench, named, 'imagescan', 'ValueChanged', '1.0.0 -> 1.1.0');
  });

  it('at once when the spec changes', async () => {
    const named = await follow('changed', ['1.0.0', '1.1.0'], { interval: '1h' });
    await untilInForce(bench.client, named, '1.1.0');
    await follow('changed', [], { interval: '1h', policy: { semver: { range: '<1.1' } } });
    const { status, metadata } = await untilInForce(bench.client, named, '1.0.0');
    assert.equal(metadata.generation, 2);
    assert.equal(status.observedGeneration, 2);
  });

  it('at once when asked by the annotation, and answers in the status', async () => {
    const named = await follow('asked', ['1.0.0'], { interval: '1h' });
    await untilInForce(bench.client, named, '1.0.0');
    await pushImage(registry.host, 'asked', '1.1.0');
    await request(named, 'first');
    assert.equal((await readScan(bench.client, named)).status.latestTag, '1.1.0');
    await request(named, 'second, with nothing new');
    await untilListed('asked', 3);
  });

  it('with the digest of today where a tag was moved, and keeps the former one in the history', async () => {
    const named = await follow('moved', ['1.0.0'], { interval: '1h' });
    const { status: before } = await untilInForce(bench.client, named, '1.0.0');
    const { digest } = await pushImage(registry.host, 'moved', '1.0.0', { salt: 'another build' });
    assert.notEqual(digest, before.latestDigest);
    await request(named, 'now');
    const { status } = await readScan(bench.client, named);
    assert.equal(status.latestTag, '1.0.0');
    assert.equal(status.latestDigest, digest);
    assert.deepEqual(
      status.history?.map((entry) => entry.digest),
      [digest, before.latestDigest],
    );
  });

  it('by the alphabetical policy too', async () => {
    const named = await follow('letters', ['a', 'c', 'b'], { policy: { alphabetical: { order: 'desc' } } });
    await untilInForce(bench.client, named, 'c');
  });

  it('a private image, with a Secret that kubectl made', async () => {
    await pushImage(authRegistry.host, 'team/private', '1.0.0', { credential: CREDENTIAL });
    await put(bench.client, namespaceObject('private'));
    const { code, stderr } = await bench.cluster.kubectl(
      'create',
      'secret',
      'docker-registry',
      'pull',
      '--namespace=private',
      `--docker-server=${authRegistry.host}`,
      `--docker-username=${CREDENTIAL.username}`,
      `--docker-password=${CREDENTIAL.password}`,
    );
    assert.equal(code, 0, stderr);
    const named = { namespace: 'private', name: 'web' };
    const spec = { image: `${authRegistry.host}/team/private`, secretRef: { name: 'pull' } };
    await put(bench.client, imageScan(named, spec));
    await untilInForce(bench.client, named, '1.0.0');
    assert.doesNotMatch(bench.reconciler.process.output(), /a password/);
  });

  it('nothing that is suspended, and goes on with it when it no longer is', async () => {
    const suspended = await follow('suspended', ['1.0.0'], { interval: '1s', suspend: true });
    const running = await follow('running', ['1.0.0'], { interval: '1s' });
    await annotate(suspended, 'please');
    await untilInForce(bench.client, running, '1.0.0');
    await untilListed('running', 3);
    assert.equal(listings('suspended'), 0);
    assert.deepEqual((await readScan(bench.client, suspended)).status, {});
    await follow('suspended', [], { interval: '1s', suspend: false });
    const { status } = await untilInForce(bench.client, suspended, '1.0.0');
    assert.equal(status.lastHandledScanRequest, 'please');
  });

  it('one that is suspended later no more, and its value stays', async () => {
    const named = await follow('paused', ['1.0.0'], { interval: '1s' });
    await untilInForce(bench.client, named, '1.0.0');
    await follow('paused', ['1.1.0'], { interval: '1s', suspend: true });
    const { metadata } = await readScan(bench.client, named);
    const running = await follow('runs-on', ['1.0.0'], { interval: '1s' });
    await untilInForce(bench.client, running, '1.0.0');
    // A scan that was under way may still ask, but not write.
    const asked = listings('paused');
    await untilListed('runs-on', 3);
    assert.ok(listings('paused') <= asked + 1);
    const { status } = await readScan(bench.client, named);
    assert.ok(status.latestTag === '1.0.0' && status.observedGeneration !== metadata.generation);
  });

  it('two with one tagName, tells both, and takes it back when one is renamed', async () => {
    const a = await follow('twins', ['1.0.0']);
    const b = { namespace: 'twins', name: 'b' };
    const image = `${registry.host}/twins`;
    await put(bench.client, imageScan(b, { image, tagName: 'web' }));
    const ready = (reason: string): Promise<unknown> =>
      Promise.all(
        [a, b].map((named) =>
          untilScan(bench.client, named, reason, (scan) => conditionOf(scan, 'Ready') === reason),
        ),
      );
    await ready('False DuplicateTagName');
    await put(bench.client, imageScan(b, { image, tagName: 'web-b' }));
    await ready('True InForce');
  });

  // Last, for it starts the reconciler anew.
  it('nothing anew because it was restarted: no burst at the registry', async () => {
    const count = 50;
    await pushImage(registry.host, 'many', '1.0.0');
    const names = Array.from({ length: count }, (_, index) => ({ namespace: 'many', name: `web-${index}` }));
    const spec = { image: `${registry.host}/many`, interval: '1h' };
    await put(bench.client, namespaceObject('many'), ...names.map((named) => imageScan(named, spec)));
    for (const named of names) await untilInForce(bench.client, named, '1.0.0');
    // Those that ask at the same moment share an answer.
    const asked = listings('many');
    assert.ok(asked >= 1 && asked <= count);

    await bench.reconciler.process.stop();
    assert.equal(bench.reconciler.process.exitedWith(), 0);
    await bench.product.startReconciler();
    // A new scan that is served shows that the new leader has seen them all: they are listed together.
    const later = await follow('later', ['1.0.0']);
    await untilInForce(bench.client, later, '1.0.0');
    // Its answer to a request comes through the watch, after the list.
    await request(later, 'now');
    await untilListed('later', 2);
    assert.equal(listings('many'), asked);
  });
});
