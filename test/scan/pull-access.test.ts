import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseReference } from '../../core/reference.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { ServiceAccountError } from '../../kube/service-account.ts';
import { ProviderError } from '../../registry/credential-provider/errors.ts';
import type { CredentialProviders } from '../../registry/credential-provider/providers.ts';
import { CredentialsError } from '../../registry/credentials.ts';
import { pullAccessReader } from '../../scan/pull-access.ts';
import { createAuthority } from '../control-plane/certificates.ts';
import { ManualClock } from '../registry/harness.ts';
import { imageScan } from '../reconciler/samples.ts';

const IMAGE = parseReference('registry.example/web');
const of = (username: string) => ({ username, password: 'p' });

/** A pull secret with one entry for the registry. */
function secret(username: string, more: Record<string, string> = {}): object {
  const config = { auths: { 'registry.example': of(username) } };
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const data = { '.dockerconfigjson': encode(JSON.stringify(config)) };
  const others = Object.fromEntries(Object.entries(more).map(([key, value]) => [key, encode(value)]));
  return { type: 'kubernetes.io/dockerconfigjson', data: { ...data, ...others } };
}

function setUp(objects: Record<string, object>, providers?: CredentialProviders) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const get: KubeClient['get'] = async ({ resource, namespace, name }) => {
    const key = `${resource.plural}/${name}`;
    asked.push(key);
    assert.equal(namespace, 'team');
    const object = objects[key];
    if (object === undefined) throw new ApiError('NotFound', `${key} not found`);
    return object;
  };
  const read = pullAccessReader({ get }, { clock, ...(providers && { providers }) });
  const { signal } = new AbortController();
  return {
    clock,
    asked,
    read: (spec: object, maxAgeMs = 0) => read(imageScan({ spec }), IMAGE, { maxAgeMs, signal }),
  };
}

const everything = {
  secretRef: { name: 'own' },
  imagePullSecrets: [{ name: 'second' }, { name: 'own' }],
  serviceAccountName: 'builder',
};

describe('the credentials of an ImageScan', () => {
  it('are those of secretRef, imagePullSecrets, the ServiceAccount and providers, in this order', async () => {
    const { read, asked } = setUp(
      {
        'secrets/own': secret('own'),
        'secrets/second': secret('second'),
        'secrets/third': secret('third'),
        'serviceaccounts/builder': { imagePullSecrets: [{ name: 'third' }, { name: 'gone' }] },
      },
      { credentialsFor: async () => [of('cloud')] },
    );
    const { credentials, notes, ca } = await read(everything);
    assert.deepEqual(credentials, ['own', 'second', 'third', 'cloud'].map(of));
    assert.deepEqual(notes, ['the Secret team/gone, which ServiceAccount builder names, does not exist']);
    assert.equal(ca, undefined);
    assert.equal(asked.filter((key) => key === 'secrets/own').length, 1);
  });

  it('are none, with no question, where nothing is named', async () => {
    const { read, asked } = setUp({});
    assert.deepEqual(await read({}), { credentials: [], notes: [] });
    assert.deepEqual(asked, []);
  });

  it('bring the certificates of their Secrets along', async () => {
    const [one, other] = await Promise.all(['one', 'other'].map(createAuthority));
    const { read } = setUp({
      'secrets/own': secret('own', { 'ca.crt': one?.certificate ?? '' }),
      'secrets/second': secret('second', { 'ca.crt': other?.certificate ?? '' }),
    });
    const { ca } = await read({ ...everything, serviceAccountName: undefined });
    assert.equal(ca, `${one?.certificate}\n${other?.certificate}`);
  });

  it('are an error that names the Secret when one is broken, also among good ones', async () => {
    const { read } = setUp({
      'secrets/own': secret('own'),
      'secrets/second': secret('second', { 'ca.crt': 'no certificate' }),
    });
    await assert.rejects(read({ ...everything, serviceAccountName: undefined }), (error) => {
      assert.ok(error instanceof CredentialsError);
      assert.match(error.message, /team\/second: ca\.crt holds no certificates/);
      return true;
    });
  });

  it('are an error when what the ImageScan itself names is not there', async () => {
    const { read } = setUp({ 'secrets/own': secret('own') });
    await assert.rejects(read({ imagePullSecrets: [{ name: 'absent' }] }), /team\/absent does not exist/);
    await assert.rejects(read({ serviceAccountName: 'absent' }), (error) => {
      assert.ok(error instanceof ServiceAccountError);
      assert.equal(error.code, 'ServiceAccountNotFound');
      return true;
    });
  });

  it('are had without a provider that fails, if there are others', async () => {
    const failing: CredentialProviders = {
      credentialsFor: async () => {
        throw new ProviderError('ProviderFailed', 'no role');
      },
    };
    const { read } = setUp({ 'secrets/own': secret('own') }, failing);
    assert.deepEqual(await read({ secretRef: { name: 'own' } }), {
      credentials: [of('own')],
      notes: ['no role'],
    });
    await assert.rejects(read({}), /no role/);
  });

  it('are read once for many that are content with what was read a moment ago, and ten seconds at most', async () => {
    const { read, asked, clock } = setUp({ 'secrets/own': secret('own') });
    const spec = { secretRef: { name: 'own' } };
    await Promise.all(Array.from({ length: 100 }, () => read(spec, 60_000)));
    assert.equal(asked.length, 1);
    clock.time += 10_001;
    await read(spec, 60_000);
    assert.equal(asked.length, 2);
    await read(spec, 0);
    assert.equal(asked.length, 3);
  });

  it('are read again after a failure', async () => {
    const objects: Record<string, object> = {};
    const { read } = setUp(objects);
    await assert.rejects(read({ secretRef: { name: 'own' } }, 60_000));
    objects['secrets/own'] = secret('own');
    assert.deepEqual((await read({ secretRef: { name: 'own' } }, 60_000)).credentials, [of('own')]);
  });
});
