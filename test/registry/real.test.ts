import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseReference, type Reference } from '../../core/reference.ts';
import { createRegistryClient, type RegistryClient } from '../../registry/client.ts';
import { pushImage } from '../control-plane/push-image.ts';
import { type Registry, startRegistry } from '../control-plane/registry.ts';
import { ANONYMOUS, failure } from './harness.ts';

const LOGIN = { username: 'robot', password: 'correct-horse' };
const IDENTITY = { identityToken: 'long-lived' };
const TAGS = ['1.0.0', '1.1.0', '2.0.0-rc.1'];

let open: Registry;
let closed: Registry;
let client: RegistryClient;
const digests = new Map<string, string>();

before(async () => {
  [open, closed] = await Promise.all([
    startRegistry(),
    startRegistry({ auth: { ...LOGIN, identityToken: IDENTITY.identityToken } }),
  ]);
  client = createRegistryClient();
  for (const tag of TAGS) {
    digests.set(tag, (await pushImage(open.host, 'acme/app', tag)).digest);
    await pushImage(closed.host, 'acme/app', tag, { credential: LOGIN });
  }
});
after(async () => {
  await client.close();
  await Promise.all([open.stop(), closed.stop()]);
});

async function list(...parameters: Parameters<RegistryClient['listTags']>): Promise<readonly string[]> {
  return (await client.listTags(...parameters)).tags;
}

function image(registry: Registry, tag = '1.1.0', repository = 'acme/app'): Reference & { tag: string } {
  return { ...parseReference(`${registry.host}/${repository}`), tag };
}

test('lists tags and resolves the digest of the index', async () => {
  assert.deepEqual(await list(image(open), ANONYMOUS), TAGS);
  for (const tag of TAGS) {
    const want = { digest: digests.get(tag) };
    assert.deepEqual(await client.resolve(image(open, tag), ANONYMOUS), want);
  }
});

test('says NotFound of a repository and a tag that are not there', async () => {
  await failure(list(image(open, '1', 'acme/none'), ANONYMOUS), 'NotFound', /acme\/none/);
  await failure(client.resolve(image(open, '9.9.9'), ANONYMOUS), 'NotFound', /acme\/app:9\.9\.9/);
});

for (const [name, credential] of [
  ['a password', LOGIN],
  ['an identity token', IDENTITY],
] as const) {
  test(`gets in with ${name}, and asks for one token only`, async () => {
    const access = { credentials: [credential] };
    const before = closed.tokenRequests().asked;
    assert.deepEqual(await list(image(closed), access), TAGS);
    assert.deepEqual(await list(image(closed), access), TAGS);
    assert.equal((await client.resolve(image(closed), access)).digest, digests.get('1.1.0'));
    assert.equal(closed.tokenRequests().asked - before, 1);
  });
}

test('is Unauthorized without a credential and with the wrong one', async () => {
  const wrong = { credentials: [{ ...LOGIN, password: 'wrong-battery' }] };
  for (const access of [ANONYMOUS, wrong]) {
    await failure(list(image(closed), access), 'Unauthorized', /status 401/);
    await failure(client.resolve(image(closed), access), 'Unauthorized', /status 401/);
  }
});

test('is Unreachable while the registry is down, and recovers by itself', async () => {
  await open.stop();
  await failure(list(image(open), ANONYMOUS), 'Unreachable', /ECONNREFUSED/);
  await open.start();
  assert.deepEqual(await list(image(open), ANONYMOUS), TAGS);
});
