import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, before, test } from 'node:test';
import { request } from 'undici';
import { type FakeGitHubApp, startGitHubApp } from './github-app.ts';

let fake: FakeGitHubApp;
before(async () => {
  fake = await startGitHubApp({ appId: '7', installationId: '70' });
});
after(() => fake.stop());

const now = Math.floor(Date.now() / 1000);
const good = { iat: now - 60, exp: now + 500, iss: '7' };

function token(claims: object, key = fake.privateKey, alg = 'RS256'): string {
  const parts = [{ alg, typ: 'JWT' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signed = parts.join('.');
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
}

async function ask(authorization: string, path = '/api/v3/app/installations/70/access_tokens') {
  const { statusCode, body } = await request(`${fake.url}${path}`, {
    method: 'POST',
    headers: { authorization },
  });
  return { statusCode, text: await body.text() };
}

test('it gives a token to the App', async () => {
  const { statusCode, text } = await ask(`Bearer ${token(good)}`);
  assert.equal(statusCode, 201);
  assert.match(text, /^\{"token":"ghs_1","expires_at":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"\}$/);
});

test('it gives none to anybody else, nor for long', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = privateKey.export({ type: 'pkcs1', format: 'pem' });
  const refused: [string, RegExp][] = [
    ['', /could not be decoded/],
    [`Basic ${token(good)}`, /could not be decoded/],
    [`Bearer ${token(good, other)}`, /could not be decoded/],
    [`Bearer ${token(good, undefined, 'none')}`, /could not be decoded/],
    [`Bearer ${token({ ...good, iss: '8' })}`, /not found/],
    [`Bearer ${token({ ...good, iat: now + 30 })}`, /'iat'/],
    [`Bearer ${token({ ...good, exp: now - 1 })}`, /must be in the future/],
    [`Bearer ${token({ ...good, exp: now + 700 })}`, /too far/],
  ];
  for (const [authorization, message] of refused) {
    const { statusCode, text } = await ask(authorization);
    assert.equal(statusCode, 401);
    assert.match(text, message);
  }
});

test('it knows one installation', async () => {
  const { statusCode } = await ask(`Bearer ${token(good)}`, '/api/v3/app/installations/71/access_tokens');
  assert.equal(statusCode, 404);
});

test('it fails once when told', async () => {
  fake.failNext(503, 'later');
  assert.deepEqual(await ask(`Bearer ${token(good)}`), { statusCode: 503, text: 'later' });
  assert.equal((await ask(`Bearer ${token(good)}`)).statusCode, 201);
});
