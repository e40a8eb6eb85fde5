import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createAuthority } from '../control-plane/certificates.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { pushArtifact, pushImage } from '../control-plane/push-image.ts';
import { HTPASSWD_USER, type Registry, startRegistry } from '../control-plane/registry.ts';
import { startTlsProxy, type TlsProxy } from '../control-plane/tls-proxy.ts';
import {
  conditionOf,
  imageScan,
  messageOf,
  namespaceObject,
  put,
  type Reconciling,
  secret,
  startReconciling,
  untilInForce,
  untilScan,
} from './reconciling.ts';

const HELM = 'application/vnd.cncf.helm.config.v1+json';

let open: Registry;
let closed: Registry;
let byProvider: Registry;
let named: TlsProxy;
let bySecret: TlsProxy;
let secretCA: string;
let bench: Reconciling;

before(async () => {
  [open, closed, byProvider] = await Promise.all([
    startRegistry(),
    startRegistry({ htpasswd: true }),
    startRegistry({ htpasswd: true }),
  ]);
  const [company, other] = await Promise.all(['company', 'other'].map(createAuthority));
  assert.ok(company && other);
  named = await startTlsProxy(open.host, await company.issueServer([], ['127.0.0.1']));
  bySecret = await startTlsProxy(open.host, await other.issueServer([], ['127.0.0.1']));
  secretCA = other.certificate;
  bench = await startReconciling({ args: await settings(company.certificate) });
  for (const host of [closed.host, byProvider.host])
    await pushImage(host, 'team/app', '1.0.0', { credential: HTPASSWD_USER });
});

after(async () => {
  await bench?.stop();
  await Promise.all([named?.stop(), bySecret?.stop()]);
  await Promise.all([open?.stop(), closed?.stop(), byProvider?.stop()]);
});

/** The flags of the reconciler, and the files that they name: a CA for one host, and a credential provider for another. */
async function settings(ca: string): Promise<string[]> {
  const folder = temporaryFolder('registries');
  await writeFile(`${folder}/ca.crt`, ca);
  const registries = [{ host: named.host, caFile: `${folder}/ca.crt` }];
  await writeFile(`${folder}/registries.yaml`, JSON.stringify({ registries }));
  const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
  const answer = {
    kind: 'CredentialProviderResponse',
    apiVersion,
    cacheKeyType: 'Registry',
    auth: { [byProvider.host]: HTPASSWD_USER },
  };
  await mkdir(`${folder}/bin`);
  await writeFile(
    `${folder}/bin/cloud`,
    `#!/bin/sh\ncat > /dev/null\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`,
  );
  await chmod(`${folder}/bin/cloud`, 0o755);
  const provider = { name: 'cloud', apiVersion, matchImages: [byProvider.host], defaultCacheDuration: '1h' };
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1',
    kind: 'CredentialProviderConfig',
    providers: [provider],
  };
  await writeFile(`${folder}/providers.yaml`, JSON.stringify(config));
  return [
    `--registries-config=${folder}/registries.yaml`,
    `--image-credential-provider-config=${folder}/providers.yaml`,
    `--image-credential-provider-bin-dir=${folder}/bin`,
  ];
}

/** A namespace with an ImageScan in it. */
async function follow(namespace: string, spec: object) {
  const name = { namespace, name: 'web' };
  await put(bench.client, namespaceObject(namespace), imageScan(name, { interval: '1h', ...spec }));
  return name;
}

const pullSecret = (namespace: string, auths: object, more: Record<string, string> = {}) =>
  secret({ namespace, name: 'pull' }, 'kubernetes.io/dockerconfigjson', {
    '.dockerconfigjson': JSON.stringify({ auths }),
    ...more,
  });

describe('the reconciler follows an image', { concurrency: 4 }, () => {
  it('behind TLS with a private CA, of the settings', async () => {
    await pushImage(open.host, 'settings', '1.0.0');
    await untilInForce(bench.client, await follow('settings', { image: `${named.host}/settings` }), '1.0.0');
  });

  it('behind TLS with a private CA, of its pull secret, and says without it that it does not trust', async () => {
    await pushImage(open.host, 'secret-ca', '1.0.0');
    await put(
      bench.client,
      namespaceObject('secret-ca'),
      pullSecret('secret-ca', { 'other.example': HTPASSWD_USER }, { 'ca.crt': secretCA }),
    );
    const image = `${bySecret.host}/secret-ca`;
    await untilInForce(
      bench.client,
      await follow('secret-ca', { image, secretRef: { name: 'pull' } }),
      '1.0.0',
    );
    const without = await follow('no-ca', { image });
    const failed = await untilScan(bench.client, without, 'a failure', (scan) =>
      Boolean(conditionOf(scan, 'ImageScanned')?.startsWith('False')),
    );
    assert.match(messageOf(failed, 'ImageScanned'), new RegExp(bySecret.host));
  });

  it('with the pull secrets of a ServiceAccount', async () => {
    const namespace = 'account';
    await put(
      bench.client,
      namespaceObject(namespace),
      pullSecret(namespace, { [closed.host]: HTPASSWD_USER }),
    );
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder', namespace } };
    const { code, stderr } = await bench.cluster.kubectlWith(
      { stdin: JSON.stringify({ ...account, imagePullSecrets: [{ name: 'absent' }, { name: 'pull' }] }) },
      'apply',
      '-f',
      '-',
    );
    assert.equal(code, 0, stderr);
    const image = `${closed.host}/team/app`;
    await untilInForce(
      bench.client,
      await follow(namespace, { image, serviceAccountName: 'builder' }),
      '1.0.0',
    );
  });

  it('with several pull secrets, and says which one is missing', async () => {
    const namespace = 'several';
    await put(
      bench.client,
      namespaceObject(namespace),
      pullSecret(namespace, { [closed.host]: HTPASSWD_USER }),
    );
    const image = `${closed.host}/team/app`;
    const web = await follow(namespace, { image, imagePullSecrets: [{ name: 'other' }, { name: 'pull' }] });
    const failed = await untilScan(bench.client, web, 'SecretNotFound', (scan) =>
      Boolean(conditionOf(scan, 'ImageScanned')?.endsWith('SecretNotFound')),
    );
    assert.match(messageOf(failed, 'ImageScanned'), /several\/other does not exist/);
    const other = secret({ namespace, name: 'other' }, 'kubernetes.io/dockerconfigjson', {
      '.dockerconfigjson': JSON.stringify({ auths: { 'other.example': HTPASSWD_USER } }),
    });
    await put(bench.client, other);
    await follow(namespace, { image, imagePullSecrets: [{ name: 'pull' }, { name: 'other' }] });
    await untilInForce(bench.client, web, '1.0.0');
  });

  it('with what a credential provider gives', async () => {
    const image = `${byProvider.host}/team/app`;
    await untilInForce(bench.client, await follow('provider', { image }), '1.0.0');
    assert.doesNotMatch(bench.reconciler.process.output(), /correct-horse/);
  });

  it('by number, as a filter extracts it, and tells what became of the others', async () => {
    for (const tag of ['main-9', 'main-10', 'dev-99', 'latest']) await pushImage(open.host, 'builds', tag);
    const filterTags = { pattern: '^main-(?P<build>\\d+)$', extract: '$build' };
    const web = await follow('builds', {
      image: `${open.host}/builds`,
      policy: { numerical: {} },
      filterTags,
    });
    const { status } = await untilInForce(bench.client, web, 'main-10');
    assert.deepEqual(status.candidates?.slice(0, 2), [
      { tag: 'main-10', verdict: 'Chosen', message: 'the greatest number' },
      { tag: 'main-9', verdict: 'Lower', message: 'main-10 is preferred' },
    ]);
  });

  it('by the time at which it was created', async () => {
    await pushImage(open.host, 'dated', 'alpha', { created: '2026-03-01T00:00:00Z' });
    await pushImage(open.host, 'dated', 'omega', { created: '2026-02-01T00:00:00Z' });
    const web = await follow('dated', { image: `${open.host}/dated`, policy: { newest: {} } });
    await untilInForce(bench.client, web, 'alpha');
  });

  it('by the digest of one tag', async () => {
    const { digest } = await pushImage(open.host, 'mutable', 'stable');
    await pushImage(open.host, 'mutable', '9.9.9');
    const spec = { image: `${open.host}/mutable`, policy: { digest: { tag: 'stable' } }, interval: '1s' };
    const web = await follow('mutable', spec);
    assert.equal((await untilInForce(bench.client, web, 'stable')).status.latestDigest, digest);
    const next = await pushImage(open.host, 'mutable', 'stable', { salt: 'next' });
    await untilScan(
      bench.client,
      web,
      'the next digest',
      ({ status }) => status.latestDigest === next.digest,
    );
    assert.ok(open.requests().every(({ url }) => !url.startsWith('/v2/mutable/tags')));
  });

  it('beside a chart and an SBOM of higher versions', async () => {
    await pushImage(open.host, 'mixed', '1.0.0');
    await pushArtifact(open.host, 'mixed', '3.0.0', { configType: HELM });
    const web = await follow('mixed', { image: `${open.host}/mixed` });
    const { status } = await untilInForce(bench.client, web, '1.0.0');
    assert.deepEqual(status.candidates, [
      { tag: '1.0.0', verdict: 'Chosen', message: 'the highest version in *' },
      { tag: '3.0.0', verdict: 'NotImage', message: 'is a Helm chart' },
    ]);
  });
});
