import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseReference } from '../../core/reference.ts';
import {
  type Credential,
  CredentialsError,
  credentialsFor,
  parsePullSecret,
  type PullSecret,
  type SecretData,
} from '../../registry/credentials.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const LOGIN = { username: 'u', password: 'p' };

function secretOf(config: unknown, type = 'kubernetes.io/dockerconfigjson'): SecretData {
  const key = type === 'kubernetes.io/dockercfg' ? '.dockercfg' : '.dockerconfigjson';
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return { namespace: 'team', name: 'pull', type, data: { [key]: base64(text) } };
}

const parse = (auths: object): PullSecret => parsePullSecret(secretOf({ auths }));
const credentials = (auths: object, image: string): Credential[] =>
  credentialsFor([parse(auths)], parseReference(image));
const userNames = (found: Credential[]): string[] =>
  found.map((one) => ('username' in one ? one.username : '?'));

// What Fleet makes of these configurations; it fails on the keys that kubectl and docker write, where we must not.
const FLEET: [object, string, Credential[]][] = [
  [{ 'https://index.docker.io/v1/': LOGIN }, 'nginx', [LOGIN]],
  [{ 'index.docker.io': LOGIN }, 'nginx', [LOGIN]],
  [{ 'docker.io': LOGIN }, 'nginx', [LOGIN]],
  [{ 'https://ghcr.io': LOGIN }, 'ghcr.io/acme/x', [LOGIN]],
  [{ 'ghcr.io': { auth: 'dTpw' } }, 'ghcr.io/acme/x', [LOGIN]],
  [{ 'ghcr.io/acme': { auth: 'dTpw' } }, 'ghcr.io/acme/x', [LOGIN]],
  [{ 'ghcr.io': { identitytoken: 't' } }, 'ghcr.io/acme/x', [{ identityToken: 't' }]],
];
for (const [auths, image, want] of FLEET) {
  test(`finds for ${image} what ${JSON.stringify(auths)} holds`, () =>
    assert.deepEqual(credentials(auths, image), want));
}

// https://kubernetes.io/docs/concepts/containers/images/#config-json and the kubelet's own keyring_test.go
const MATCHES: [key: string, image: string, matches: boolean][] = [
  ['ghcr.io', 'ghcr.io/acme/x', true],
  ['GHCR.io', 'ghcr.io/acme/x', true],
  ['ghcr.io', 'quay.io/acme/x', false],
  ['http://ghcr.io/v2/', 'ghcr.io/acme/x', true],
  ['https://ghcr.io/v1', 'ghcr.io/acme/x', true],
  ['ghcr.io/', 'ghcr.io/acme/x', true],
  ['ghcr.io/acme', 'ghcr.io/acme/x', true],
  ['ghcr.io/v2/acme', 'ghcr.io/acme/x', true],
  ['ghcr.io/other', 'ghcr.io/acme/x', false],
  ['ghcr.io/acme/x', 'ghcr.io/acme', false],
  ['reg.example.com:5000', 'reg.example.com:5000/app', true],
  ['reg.example.com', 'reg.example.com:5000/app', false],
  ['reg.example.com:5000', 'reg.example.com/app', false],
  ['[::1]:5000', '[::1]:5000/app', true],
  ['*.kubernetes.io', 'abc.kubernetes.io/x1', true],
  ['*.kubernetes.io', 'kubernetes.io/x1', false],
  ['*.kubernetes.io', 'a.b.kubernetes.io/x1', false],
  ['*.*.kubernetes.io', 'abc.def.kubernetes.io/x1', true],
  ['prefix.*.io', 'prefix.kubernetes.io/x1', true],
  ['*-good.kubernetes.io', 'prefix-good.kubernetes.io/x1', true],
  ['*-good.kubernetes.io', 'prefix-bad.kubernetes.io/x1', false],
  ['*.kubernetes.io:5000', 'abc.kubernetes.io:5000/x1', true],
  ['*.kubernetes.io/acme', 'abc.kubernetes.io/acme/x', true],
  ['*a*b*.io', 'xaxbx.io/x1', true],
  ['*a*b*.io', 'xbxax.io/x1', false],
  ['docker.io', 'acme/x', true],
  ['index.docker.io/acme', 'docker.io/acme/x', true],
  ['https://registry-1.docker.io/v2/', 'acme/x', true],
  ['docker.io/library', 'nginx', true],
  ['docker.io/library', 'acme/x', false],
  ['docker.io', 'notdocker.io/acme/x', false],
];
for (const [key, image, matches] of MATCHES) {
  test(`key ${key} is ${matches ? '' : 'not '}for ${image}`, () => {
    assert.deepEqual(credentials({ [key]: LOGIN }, image), matches ? [LOGIN] : []);
  });
}

test('tries the longest path first, over all secrets, and equal keys in the order of the secrets', () => {
  const user = (username: string): object => ({ username, password: 'p' });
  const secrets = [
    parse({ 'ghcr.io': user('host'), 'ghcr.io/acme/x': user('repository'), '*.io': user('glob') }),
    parse({ 'ghcr.io/acme': user('path'), 'ghcr.io': user('later'), 'quay.io': user('other') }),
  ];
  const found = credentialsFor(secrets, parseReference('ghcr.io/acme/x'));
  assert.deepEqual(userNames(found), ['repository', 'path', 'host', 'later', 'glob']);
});

test('reads the older form of a pull secret', () => {
  const secret = secretOf(
    { 'https://index.docker.io/v1/': { ...LOGIN, email: 'a@b' } },
    'kubernetes.io/dockercfg',
  );
  assert.deepEqual(credentialsFor([parsePullSecret(secret)], parseReference('nginx')), [LOGIN]);
});

test('reads a password with colons and other letters, and prefers identitytoken, then auth', () => {
  const auth = base64('ü:p:w:ö');
  assert.deepEqual(credentials({ a: { auth: `${auth}\n` } }, 'a:1/xx'), []);
  assert.deepEqual(credentials({ 'a.io': { auth: `${auth}\n` } }, 'a.io/xx'), [
    { username: 'ü', password: 'p:w:ö' },
  ]);
  assert.deepEqual(credentials({ 'a.io': { auth, ...LOGIN } }, 'a.io/xx'), [
    { username: 'ü', password: 'p:w:ö' },
  ]);
  assert.deepEqual(credentials({ 'a.io': { auth, identitytoken: 't' } }, 'a.io/xx'), [
    { identityToken: 't' },
  ]);
});

test('an entry without a password beside others is nobody, as docker login leaves it', () => {
  assert.deepEqual(credentials({ 'a.io': {}, 'b.io': LOGIN }, 'a.io/xx'), []);
  assert.deepEqual(credentials({}, 'a.io/xx'), []);
});

const INVALID: [name: string, secret: SecretData, code: string, message: RegExp][] = [
  [
    'another type',
    { ...secretOf({}), type: 'Opaque' },
    'WrongSecretType',
    /team\/pull.*Opaque.*kubectl create secret/,
  ],
  ['no type', { ...secretOf({}), type: '' }, 'WrongSecretType', /Opaque/],
  ['no key', { ...secretOf({}), data: {} }, 'InvalidSecret', /team\/pull: \.dockerconfigjson is missing/],
  ['no JSON', secretOf('hunter2{'), 'InvalidSecret', /\.dockerconfigjson is not JSON/],
  [
    'no auths',
    secretOf({ credHelpers: { 'ghcr.io': 'hunter2' } }),
    'InvalidSecret',
    /not a Docker configuration \(auths/,
  ],
  [
    'an entry that is no object',
    secretOf({ auths: { 'ghcr.io': 'hunter2' } }),
    'InvalidSecret',
    /auths\.ghcr\.io/,
  ],
  [
    'a password that is no text',
    secretOf({ auths: { 'ghcr.io': { password: 5 } } }),
    'InvalidSecret',
    /auths\.ghcr\.io\.password/,
  ],
  [
    'an auth that is not base64',
    secretOf({ auths: { 'ghcr.io': { auth: 'hunter2:x' } } }),
    'InvalidSecret',
    /auths\.ghcr\.io an auth that is not base64/,
  ],
  [
    'an auth without a colon',
    secretOf({ auths: { 'ghcr.io': { auth: base64('hunter2') } } }),
    'InvalidSecret',
    /auths\.ghcr\.io an auth/,
  ],
  [
    'half a login',
    secretOf({ auths: { 'ghcr.io': { password: 'hunter2' } } }),
    'InvalidSecret',
    /auths\.ghcr\.io only one of/,
  ],
  ['a copy without passwords', secretOf({ auths: { 'ghcr.io': {} } }), 'InvalidSecret', /credential store/],
  [
    'a bad entry in the older form',
    secretOf({ 'a.io': { auth: '%' } }, 'kubernetes.io/dockercfg'),
    'InvalidSecret',
    /\.dockercfg has at a\.io/,
  ],
];
for (const [name, secret, code, message] of INVALID) {
  test(`refuses a pull secret with ${name}`, () => {
    assert.throws(
      () => parsePullSecret(secret),
      (error) => {
        assert.ok(error instanceof CredentialsError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      },
    );
  });
}

// A model of the kubelet's rule in other means: each key a regular expression over host and path.
function modelMatches(key: string, image: string): boolean {
  const stripped = key.replace(/^https:\/\//, '').replace(/\/v[12]\//, '/');
  const [host = '', ...path] = stripped.split('/');
  const globs = host
    .split('*')
    .map((part) => part.replaceAll('.', '\\.'))
    .join('[^.:/]*');
  const rest = path.join('/').replaceAll('.', '\\.');
  return new RegExp(`^${globs}/${rest}`).test(image);
}

const label = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', 'b*a');
const port = fc.constantFrom('', ':1', ':80');
const keys = fc.record({
  scheme: fc.constantFrom('', 'https://'),
  labels: fc.array(label, { minLength: 2, maxLength: 3 }),
  port,
  path: fc.constantFrom('', '/', '/v1/', '/v2/team', '/team', '/team/', '/team/app', '/t'),
});
const images = fc.record({
  labels: fc.array(fc.constantFrom('a', 'b', 'ab', 'ba', 'bca'), { minLength: 2, maxLength: 3 }),
  port,
  path: fc.constantFrom('/team', '/team/app', '/teams/app', '/other'),
});

test('matches keys and images as a model of the kubelet does', () => {
  fc.assert(
    fc.property(keys, images, (k, i) => {
      const key = `${k.scheme}${k.labels.join('.')}${k.port}${k.path}`;
      const image = `${i.labels.join('.')}${i.port}${i.path}`;
      assert.equal(
        credentials({ [key]: LOGIN }, image).length > 0,
        modelMatches(key, image),
        `${key} for ${image}`,
      );
    }),
    { numRuns: 2000 },
  );
});

test('does not stall on a key full of globs', () => {
  const start = performance.now();
  credentials({ [`${'*a'.repeat(20_000)}.io`]: LOGIN }, `${'a'.repeat(200)}.io/xx`);
  assert.ok(performance.now() - start < 2_000);
});
