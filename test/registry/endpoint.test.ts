import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReference } from '../../core/reference.ts';
import { checkDestination } from '../../registry/destination.ts';
import { apiUrl, repositoryOf, schemeOf } from '../../registry/endpoint.ts';
import { RegistryError } from '../../registry/errors.ts';
import { withPlainHosts } from '../../registry/settings.ts';
import { settingsOf } from './harness.ts';

const origin = (image: string): string => repositoryOf(parseReference(image), settingsOf()).origin.href;

// As go-containerregistry decides in Fleet, but for the last ones, which it does not get to see.
const SCHEMES: [registry: string, scheme: string][] = [
  ['localhost:5000', 'http'],
  ['localhost', 'https'],
  ['reg.local', 'https'],
  ['10.0.0.1:5000', 'http'],
  ['192.168.1.1', 'http'],
  ['172.16.0.1:80', 'http'],
  ['172.31.255.255', 'http'],
  ['127.0.0.1:5000', 'http'],
  ['[::1]:5000', 'http'],
  ['172.32.0.1', 'https'],
  ['11.0.0.1:5000', 'https'],
  ['reg.example.com:443', 'https'],
  ['reg.example.com:80', 'https'],
  ['app:5000', 'https'],
  ['index.docker.io', 'https'],
  ['registry-1.docker.io', 'https'],
  ['ghcr.io', 'https'],
  ['localhost.example.com:5000', 'https'],
  ['10.0.0.1.example.com', 'https'],
  ['999.0.0.1', 'https'],
];
for (const [registry, scheme] of SCHEMES) {
  test(`${registry} is spoken to in ${scheme}`, () => assert.equal(schemeOf(registry), scheme));
}

test('a host that is named as insecure is spoken to in http, with its port and no other', () => {
  const settings = withPlainHosts(settingsOf(), ['Reg.example.com:5000']);
  const schemeAt = (registry: string): string =>
    repositoryOf({ registry, repository: 'app' }, settings).origin.protocol;
  assert.equal(schemeAt('reg.Example.com:5000'), 'http:');
  assert.equal(schemeAt('reg.example.com'), 'https:');
  assert.equal(schemeAt('evil-reg.example.com:5000'), 'https:');
});

test('Docker Hub is served by its own host', () => {
  assert.equal(origin('nginx'), 'https://registry-1.docker.io/');
  assert.equal(origin('docker.io/acme/app'), 'https://registry-1.docker.io/');
  assert.equal(origin('ghcr.io/acme/app'), 'https://ghcr.io/');
  assert.equal(origin('localhost:5000/app'), 'http://localhost:5000/');
});

test('an image written with a scheme is refused in words that help', () => {
  for (const image of ['https://ghcr.io/a/b', 'oci://ghcr.io/a/b']) {
    assert.throws(() => origin(image), { code: 'Unreachable', message: /without a scheme/ });
  }
});

test('no name leads out of the API', () => {
  const at = (repository: string): string =>
    apiUrl(repositoryOf({ registry: 'ghcr.io', repository }, settingsOf()), 'tags/list').href;
  assert.equal(at('acme/app.x'), 'https://ghcr.io/v2/acme/app.x/tags/list');
  for (const name of ['../admin', 'a/../../b', 'a/./b', 'a/..']) assert.throws(() => at(name), RegistryError);
  const repository = repositoryOf({ registry: 'ghcr.io', repository: 'acme/app' }, settingsOf());
  assert.throws(() => apiUrl(repository, 'manifests/..'), { code: 'NotFound' });
});

const GOOD: [target: string, from: string][] = [
  ['https://auth.docker.io/token', 'https://registry-1.docker.io/'],
  ['https://cdn.example.com/x', 'http://10.0.0.5:5000/'],
  ['http://10.0.0.5:5001/token', 'http://10.0.0.5:5000/'],
  ['http://localhost:5001/token', 'http://localhost:5000/'],
  ['https://8.8.8.8/token', 'https://reg.example.com/'],
  ['http://auth.example.com/token', 'http://reg.example.com/'],
];
const BAD: [target: string, from: string, reason: RegExp][] = [
  ['http://auth.example.com/token', 'https://reg.example.com/', /plain http/],
  ['http://reg.example.com/token', 'https://reg.example.com/', /plain http/],
  ['ftp://reg.example.com/', 'https://reg.example.com/', /not an http/],
  ['file:///etc/passwd', 'http://reg.example.com/', /not an http/],
  ['https://user:pass@auth.example.com/', 'https://reg.example.com/', /credentials/],
  ['https://localhost/x', 'https://reg.example.com/', /private network/],
  ['https://a.localhost./x', 'https://reg.example.com/', /private network/],
  ['http://169.254.169.254/latest/meta-data', 'http://reg.example.com/', /private network/],
  ['https://10.1.2.3/token', 'https://reg.example.com/', /private network/],
  ['https://192.168.0.1/', 'http://10.0.0.5:5000/', /private network/],
  ['https://2130706433/', 'https://reg.example.com/', /private network/],
  ['https://0x7f.1/', 'https://reg.example.com/', /private network/],
  ['https://127.0.0.1./', 'https://reg.example.com/', /private network/],
  ['https://[::1]/', 'https://reg.example.com/', /private network/],
  ['https://[::ffff:169.254.169.254]/', 'https://reg.example.com/', /private network/],
  ['https://[fd00::1]/', 'https://reg.example.com/', /private network/],
  ['https://[fe80::1]/', 'https://reg.example.com/', /private network/],
  ['https://[64:ff9b::a9fe:a9fe]/', 'https://reg.example.com/', /private network/],
  ['https://[64:ff9b:1::a9fe:a9fe]/', 'https://reg.example.com/', /private network/],
  ['https://[2002:a9fe:a9fe::1]/', 'https://reg.example.com/', /private network/],
  ['https://[fec0::1]/', 'https://reg.example.com/', /private network/],
  ['http://192.0.0.192/opc/v2', 'http://reg.example.com/', /private network/],
  ['https://198.18.0.1/', 'https://reg.example.com/', /private network/],
];
for (const [target, from] of GOOD) {
  test(`${from} may send us to ${target}`, () => checkDestination(new URL(target), new URL(from), 'x', []));
}
for (const [target, from, reason] of BAD) {
  test(`${from} may not send us to ${target}`, () => {
    assert.throws(() => checkDestination(new URL(target), new URL(from), 'x', []), {
      code: 'InvalidAnswer',
      message: reason,
    });
  });
}

test('a host inside the network that is named as trusted may be led to, by the same port and scheme rules', () => {
  const lead = (target: string, from = 'https://reg.example.com/'): void =>
    checkDestination(new URL(target), new URL(from), 'x', ['10.1.2.3:8443', '10.1.2.3', '10.1.2.4:443']);
  lead('https://10.1.2.3:8443/token');
  lead('https://10.1.2.3/token');
  lead('https://10.1.2.4/token');
  assert.throws(() => lead('https://10.1.2.3:9000/token'), { code: 'InvalidAnswer' });
  assert.throws(() => lead('http://10.1.2.3/token'), { code: 'InvalidAnswer', message: /plain http/ });
});
