import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { type Authority, createAuthority } from '../../control-plane/certificates.ts';
import { temporaryFolder } from '../../control-plane/processes.ts';
import { pushImage } from '../../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../../control-plane/registry.ts';
import { startTlsProxy, type TlsProxy } from '../../control-plane/tls-proxy.ts';
import { secret } from '../../e2e/reconciling.ts';
import { fleetMessage, fleetScanName, fleetStatus } from '../objects.ts';
import { type FleetWorld, startFleetWorld } from './world.ts';

const PULLER = { username: 'puller', password: 'a password: with a colon' };
const AUTH = Buffer.from(`${PULLER.username}:${PULLER.password}`).toString('base64');

describe("where Fleet's scan was refused, or pinned the image of one platform", { concurrency: 4 }, () => {
  let closed: Registry;
  let authority: Authority;
  let behindTLS: TlsProxy;
  let unverified: TlsProxy;
  let world: FleetWorld;

  before(async () => {
    [closed, authority] = await Promise.all([startRegistry({ auth: PULLER }), createAuthority('company')]);
    const issued = await authority.issueServer([], ['127.0.0.1']);
    world = await startFleetWorld({
      insecureRegistries: [closed.host],
      args: async ({ host }) => {
        [behindTLS, unverified] = await Promise.all([
          startTlsProxy(host, issued),
          startTlsProxy(host, issued),
        ]);
        const registries = [{ host: unverified.host, insecureSkipTLSVerify: true }];
        const file = `${temporaryFolder('registries')}/registries.yaml`;
        await writeFile(file, JSON.stringify({ registries }));
        return [`--registries-config=${file}`];
      },
    });
  });
  after(async () => {
    await world?.stop();
    await Promise.all([behindTLS?.stop(), unverified?.stop(), closed?.stop()]);
  });

  it('a pull secret is found by whatever key names the registry: with a scheme, a path or a repository', async () => {
    const namespace = 'keys';
    const { host } = closed;
    await pushImage(host, namespace, '1.0.0', { credential: PULLER });
    const keys = [host, `https://${host}/v1/`, `https://${host}`, `${host}/${namespace}`, `${host}/v2/`];
    const secrets = keys.map((key, index) =>
      secret({ namespace, name: `key-${index}` }, 'kubernetes.io/dockerconfigjson', {
        '.dockerconfigjson': JSON.stringify({ auths: { [key]: { auth: AUTH } } }),
      }),
    );
    const legacy = secret({ namespace, name: `key-${keys.length}` }, 'kubernetes.io/dockercfg', {
      '.dockercfg': JSON.stringify({ [host]: { auth: AUTH } }),
    });
    await world.team(namespace, ...secrets, legacy);
    const indexes = [...keys.keys(), keys.length];
    await world.apply(
      ...indexes.map((index) =>
        world.web(
          namespace,
          { tagName: `web-${index}`, image: `${host}/keys`, secretRef: { name: `key-${index}` } },
          { index },
        ),
      ),
    );
    for (const index of indexes) {
      const { status } = await world.untilScanned(namespace, 'True', { index });
      assert.equal(status.latestTag, '1.0.0');
    }
  });

  it('a registry of a private CA is trusted by the ca.crt of the pull secret, and named where it is not', async () => {
    const namespace = 'private-ca';
    const image = `${behindTLS.host}/${namespace}`;
    const ca = secret({ namespace, name: 'pull' }, 'kubernetes.io/dockerconfigjson', {
      '.dockerconfigjson': '{"auths": {}}',
      'ca.crt': authority.certificate,
    });
    await world.team(namespace, ca);
    await world.push(namespace, '1.0.0');
    await world.apply(
      world.web(namespace, { image, secretRef: { name: 'pull' } }),
      world.web(namespace, { tagName: 'without', image }, { index: 1 }),
    );
    assert.equal((await world.untilScanned(namespace, 'True')).status.latestTag, '1.0.0');
    const message = fleetMessage(
      await world.untilScanned(namespace, 'False Error', { index: 1 }),
      'ImageScanned',
    );
    assert.ok(message.includes(behindTLS.host), message);
  });

  it('a registry is read without verification where an administrator says so for its host alone', async () => {
    const namespace = 'unverified';
    await world.team(namespace);
    await world.push(namespace, '1.0.0');
    await world.apply(world.web(namespace, { image: `${unverified.host}/${namespace}` }));
    assert.equal((await world.untilScanned(namespace, 'True')).status.latestTag, '1.0.0');
  });

  it(':digest pins the index, so that a node of each platform finds its image, also without one for linux/amd64', async () => {
    const namespace = 'platforms';
    const image = world.image(namespace);
    const arm = `${image}-arm`;
    await world.team(namespace);
    const both = await pushImage(world.registry.host, namespace, '1.1.0', {
      platforms: ['linux/amd64', 'linux/arm64'],
    });
    const only = await pushImage(world.registry.host, `${namespace}-arm`, '2.0.0', {
      platforms: ['linux/arm64'],
    });
    const text = (web: string, other: string): string =>
      `a: ${web} # {"$imagescan": "web:digest"}\nb: ${other} # {"$imagescan": "arm:digest"}\n`;
    await world.git.createRepository(namespace, { 'a.yaml': text(`${image}:1.0.0`, `${arm}:1.0.0`) });
    await world.apply(
      world.apps(namespace),
      world.web(namespace),
      world.web(namespace, { tagName: 'arm', image: arm }, { index: 1 }),
    );
    await world.untilFile(
      namespace,
      'a.yaml',
      text(`${image}:1.1.0@${both.digest}`, `${arm}:2.0.0@${only.digest}`),
    );
    const named = fleetScanName({ namespace, gitRepo: 'apps' });
    const { latestDigest } = await fleetStatus(world.bench.client, 'ImageScan', named);
    assert.equal(latestDigest, both.digest);
    assert.ok(!both.images.includes(both.digest));
  });
});
