import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { GitError, type GitErrorCode } from '../../git/errors.ts';
import { appAssertion, checkAppKey, gitHubApi } from '../../git/github-app.ts';
import { GitHubAppTokens } from '../../git/github-app-tokens.ts';
import { type FakeGitHubApp, type GitHubAppOptions, startGitHubApp } from '../fakes/github-app.ts';
import { front, silentServer } from './support.ts';

const IDS = { appId: '7', installationId: '70' };
const ASKING = { environment: {}, timeoutMs: 5000 };

async function start(t: TestContext, options: Partial<GitHubAppOptions> = {}): Promise<FakeGitHubApp> {
  const fake = await startGitHubApp({ ...IDS, ...options });
  t.after(() => fake.stop());
  return fake;
}

function tokenFrom(fake: FakeGitHubApp, tokens = new GitHubAppTokens(), refused?: string): Promise<string> {
  const app = { ...IDS, privateKey: fake.privateKey };
  return tokens.token(app, `${fake.url}/team/app.git`, ASKING, refused);
}

test('each kind of GitHub has its API', () => {
  assert.equal(gitHubApi('https://github.com/team/app'), 'https://api.github.com');
  assert.equal(gitHubApi('https://acme.ghe.com/team/app.git'), 'https://api.acme.ghe.com');
  assert.equal(gitHubApi('https://git.acme.example:8443/team/app'), 'https://git.acme.example:8443/api/v3');
  assert.equal(gitHubApi('https://notghe.com/team/app'), 'https://notghe.com/api/v3');
});

test('the assertion is signed by the key, begins before now and ends within ten minutes', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const now = 1_700_000_000_500;
  const [head = '', claims = '', signature = ''] = appAssertion({ ...IDS, privateKey: pem }, now).split('.');
  const signed = Buffer.from(`${head}.${claims}`);
  assert.ok(verify('RSA-SHA256', signed, createPublicKey(pem), Buffer.from(signature, 'base64url')));
  assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), { alg: 'RS256', typ: 'JWT' });
  assert.deepEqual(JSON.parse(Buffer.from(claims, 'base64url').toString()), {
    iat: 1_699_999_940,
    exp: 1_700_000_540,
    iss: '7',
  });
});

test('a token is kept, for its host and key', async (t) => {
  const [fake, other] = await Promise.all([start(t), start(t)]);
  const tokens = new GitHubAppTokens();
  assert.equal(await tokenFrom(fake, tokens), 'ghs_1');
  assert.equal(await tokenFrom(fake, tokens), 'ghs_1');
  assert.equal(fake.tokens.length, 1);
  assert.equal(await tokenFrom(other, tokens), 'ghs_1');
  assert.equal(other.tokens.length, 1);
  await fails(tokenFrom({ ...other, url: fake.url }, tokens), 'Unauthorized', /401 A JSON web token/);
});

test('a token is renewed when it is refused, or in the last five minutes of its life', async (t) => {
  const fake = await start(t);
  const tokens = new GitHubAppTokens();
  assert.equal(await tokenFrom(fake, tokens), 'ghs_1');
  assert.equal(await tokenFrom(fake, tokens, 'ghs_1'), 'ghs_2');
  assert.equal(await tokenFrom(fake, tokens, 'ghs_1'), 'ghs_2');
  const brief = await start(t, { lifetimeMs: 5 * 60_000 });
  assert.equal(await tokenFrom(brief, tokens), 'ghs_1');
  assert.equal(await tokenFrom(brief, tokens), 'ghs_2');
});

test('a clock that is a little ahead of GitHub’s does no harm, and one that is wrong is told of', async (t) => {
  await tokenFrom(await start(t, { now: () => Date.now() - 50_000 }));
  await tokenFrom(await start(t, { now: () => Date.now() + 500_000 }));
  const late = await start(t, { now: () => Date.now() - 120_000 });
  await fails(tokenFrom(late), 'Unauthorized', /App 7 \(or our clock\).*'iat'/);
});

test('what GitHub refuses says why', async (t) => {
  const fake = await start(t);
  const app = { appId: '7', installationId: '71', privateKey: fake.privateKey };
  const missing = new GitHubAppTokens().token(app, `${fake.url}/team/app`, ASKING);
  await fails(missing, 'Unauthorized', /App 7 has no installation 71 .*404 Not Found/);
  fake.failNext(403, '{"message":"This installation has been\\nsuspended"}');
  await fails(tokenFrom(fake), 'Unauthorized', /403 This installation has been; suspended/);
  fake.failNext(503, '<html>later</html>');
  await fails(tokenFrom(fake), 'Unreachable', /access_tokens: 503$/);
  fake.failNext(422, '{}');
  await fails(tokenFrom(fake), 'Failed', /422/);
});

test('an answer that is no token', async (t) => {
  const fake = await start(t);
  const wrong = ['<html>', '{"token":""}', '{"token":"x","expires_at":"soon"}', '[]'];
  for (const body of wrong) {
    fake.failNext(201, body);
    await fails(tokenFrom(fake), 'Failed', /no token/);
  }
  fake.failNext(201, 'x'.repeat(100_000));
  await fails(tokenFrom(fake), 'Unreachable', /larger than/);
});

test('a server that says nothing, and one that is not there', async (t) => {
  const fake = await start(t);
  const app = { ...IDS, privateKey: fake.privateKey };
  const silent = `${await silentServer(t)}/team/app`;
  const brief = { environment: {}, timeoutMs: 300 };
  await fails(new GitHubAppTokens().token(app, silent, brief), 'Timeout', /0\.3 s/);
  await fake.stop();
  await fails(tokenFrom(fake), 'Unreachable', /ECONNREFUSED/);
});

test('neither the assertion nor the token goes on to where a server redirects', async (t) => {
  const fake = await start(t);
  const elsewhere = await start(t);
  const location = `${elsewhere.url}/api/v3/app/installations/70/access_tokens`;
  const redirecting = await front(t, fake.url, (_, answer) => {
    answer.writeHead(307, { location }).end();
    return 'answered';
  });
  const app = { ...IDS, privateKey: elsewhere.privateKey };
  await fails(new GitHubAppTokens().token(app, `${redirecting}/team/app`, ASKING), 'Failed', /307/);
  assert.deepEqual([fake.tokens, elsewhere.tokens], [[], []]);
});

test('a key must be RSA', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  assert.throws(() => checkAppKey(pem), { code: 'InvalidKey', message: /is of type ed25519/ });
  assert.throws(() => checkAppKey('-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\n'), {
    code: 'InvalidKey',
    message: /cannot be read/,
  });
});

async function fails(work: Promise<unknown>, code: GitErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof GitError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n|eyJ/);
    return true;
  });
}
