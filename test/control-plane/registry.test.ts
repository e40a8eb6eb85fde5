import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { request } from 'undici';
import { waitFor } from '../wait.ts';
import { pushImage } from './push-image.ts';
import { type Registry, startRegistry } from './registry.ts';
import { openSession } from './registry-session.ts';

const credential = { username: 'robot', password: 'correct horse' };
const INDEX = 'application/vnd.oci.image.index.v1+json';

let open: Registry;
let closed: Registry;
before(async () => {
  [open, closed] = await Promise.all([
    startRegistry(),
    startRegistry({ auth: { ...credential, identityToken: 'long-lived' } }),
  ]);
});
after(() => Promise.all([open.stop(), closed.stop()]));

async function head(
  registry: Registry,
  path: string,
): Promise<{ status: number; digest: unknown; type: unknown }> {
  const { statusCode, headers, body } = await request(`http://${registry.host}/v2/${path}`, {
    method: 'HEAD',
    headers: { accept: INDEX },
    reset: true,
  });
  await body.dump();
  return { status: statusCode, digest: headers['docker-content-digest'], type: headers['content-type'] };
}

test('the digest of a pushed image is that of its index, the same for the same content', async () => {
  const pushed = await pushImage(open.host, 'team/app', '1.0.0');
  const { digest } = pushed;
  assert.deepEqual(await head(open, 'team/app/manifests/1.0.0'), { status: 200, digest, type: INDEX });
  assert.deepEqual(await pushImage(open.host, 'team/app', '1.0.0'), pushed);
  assert.notEqual((await pushImage(open.host, 'team/app', '1.1.0')).digest, digest);
  assert.deepEqual(await pushImage(open.host, 'team/app', 'other', { salt: 'team/app:1.0.0' }), pushed);
});

test('the index lists the platforms, each with a manifest of its own', async () => {
  const { images } = await pushImage(open.host, 'team/arm', '1', {
    platforms: ['linux/amd64', 'linux/arm/v7'],
  });
  const session = openSession(open.host, 'team/arm');
  const { body } = await session.send('GET', 'manifests/1', {}, [200]);
  const index = JSON.parse(body) as { manifests: { digest: string; platform: object }[] };
  assert.deepEqual(
    index.manifests.map(({ digest }) => digest),
    images,
  );
  const platforms = index.manifests.map(({ platform }) => platform);
  assert.deepEqual(platforms, [
    { architecture: 'amd64', os: 'linux' },
    { architecture: 'arm', os: 'linux', variant: 'v7' },
  ]);
  for (const { digest } of index.manifests) await session.send('GET', `manifests/${digest}`, {}, [200]);
  await session.close();
});

test('a tag can be deleted', async () => {
  await pushImage(open.host, 'team/gone', '1');
  const session = openSession(open.host, 'team/gone');
  await session.send('DELETE', 'manifests/1', {}, [202]);
  assert.equal((await head(open, 'team/gone/manifests/1')).status, 404);
  await session.close();
});

test('the address and the data outlive a stop', async () => {
  const { digest } = await pushImage(open.host, 'team/kept', '1');
  await open.stop();
  await assert.rejects(head(open, 'team/kept/manifests/1'), { code: 'ECONNREFUSED' });
  await open.start();
  assert.equal((await head(open, 'team/kept/manifests/1')).digest, digest);
});

test('every request is in the list of requests', async () => {
  await head(open, 'no/such/manifests/1');
  const seen = await waitFor('the access log', () =>
    open.requests().find(({ url }) => url === '/v2/no/such/manifests/1'),
  );
  assert.deepEqual({ method: seen.method, status: seen.status }, { method: 'HEAD', status: 404 });
});

test('with authentication nobody gets in without a token', async () => {
  const { digest } = await pushImage(closed.host, 'team/app', '1', { credential });
  assert.match(digest, /^sha256:/);
  assert.equal((await head(closed, 'team/app/manifests/1')).status, 401);
  await assert.rejects(pushImage(closed.host, 'team/app', '2'), /answered 401/);
  await assert.rejects(
    pushImage(closed.host, 'team/app', '2', { credential: { ...credential, password: 'wrong' } }),
    /the token server answered 401/,
  );
  assert.deepEqual(closed.tokenRequests(), { asked: 2, granted: 1 });
});

test('the token server takes an identity token by POST', async () => {
  const { headers, body } = await request(`http://${closed.host}/v2/`, { reset: true });
  await body.dump();
  const realm = /realm="([^"]+)"/.exec(String(headers['www-authenticate']))![1]!;
  const ask = async (refresh_token: string) => {
    const form = new URLSearchParams({ grant_type: 'refresh_token', service: 'x', refresh_token });
    const answer = await request(realm, { method: 'POST', body: form.toString(), reset: true });
    await answer.body.dump();
    return answer.statusCode;
  };
  assert.equal(await ask('long-lived'), 200);
  assert.equal(await ask('guessed'), 401);
});
