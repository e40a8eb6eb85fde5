import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, imageConfig, imageIndex, manifestOf, startFakeRegistry } from './registry.ts';

test('lists in pages, each with a link to the next', async () => {
  await using registry = await startFakeRegistry({ pageSize: 2 });
  for (const tag of ['a', 'b', 'c']) registry.push('acme/app', tag);
  const first = await fetch(`${registry.origin}/v2/acme/app/tags/list?n=2`);
  assert.deepEqual(await first.json(), { name: 'acme/app', tags: ['a', 'b'] });
  assert.equal(first.headers.get('link'), '</v2/acme/app/tags/list?n=2&last=b>; rel="next"');
  const second = await fetch(`${registry.origin}/v2/acme/app/tags/list?n=2&last=b`);
  assert.deepEqual(await second.json(), { name: 'acme/app', tags: ['c'] });
  assert.equal(second.headers.get('link'), null);
  assert.deepEqual(
    registry.requests.map(({ query }) => query.get('last')),
    [null, 'b'],
  );
});

test('serves manifests by tag, with their digest, to HEAD and GET', async () => {
  await using registry = await startFakeRegistry();
  const digest = registry.push('acme/app', '1.0', imageIndex('app', ['linux/amd64']));
  for (const method of ['HEAD', 'GET']) {
    const answer = await fetch(`${registry.origin}/v2/acme/app/manifests/1.0`, { method });
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    assert.equal(answer.headers.get('content-type'), 'application/vnd.oci.image.index.v1+json');
    const body = Buffer.from(await answer.arrayBuffer());
    assert.equal(method === 'HEAD' ? body.length : digestOf(body), method === 'HEAD' ? 0 : digest);
  }
});

test('says 404 of what it does not have', async () => {
  await using registry = await startFakeRegistry();
  registry.push('acme/app', '1.0');
  for (const path of ['acme/none/tags/list', 'acme/app/manifests/2.0']) {
    assert.equal((await fetch(`${registry.origin}/v2/${path}`)).status, 404);
  }
});

test('gives tokens for a scope to those it knows, and takes them for that scope alone', async () => {
  await using registry = await startFakeRegistry({ auth: 'Bearer', users: { alice: 'secret' } });
  registry.push('acme/app', '1.0');
  registry.push('acme/other', '1.0');
  const get = (path: string, authorization?: string): Promise<Response> =>
    fetch(`${registry.origin}${path}`, { headers: authorization === undefined ? {} : { authorization } });
  const refused = await get('/v2/acme/app/tags/list');
  assert.equal(refused.status, 401);
  assert.equal(
    refused.headers.get('www-authenticate'),
    `Bearer realm="${registry.origin}/token",service="fake",scope="repository:acme/app:pull"`,
  );
  const realm = '/token?scope=repository:acme/app:pull';
  assert.equal((await get(realm)).status, 401);
  assert.equal((await get(realm, `Basic ${btoa('alice:wrong')}`)).status, 401);
  const { token } = (await (await get(realm, `Basic ${btoa('alice:secret')}`)).json()) as { token: string };
  assert.equal((await get('/v2/acme/app/tags/list', `Bearer ${token}`)).status, 200);
  assert.equal((await get('/v2/acme/other/tags/list', `Bearer ${token}`)).status, 401);
  registry.revokeTokens();
  assert.equal((await get('/v2/acme/app/tags/list', `Bearer ${token}`)).status, 401);
});

test('serves by digest what was pushed, also without a tag, and blobs', async () => {
  await using registry = await startFakeRegistry();
  const config = registry.pushBlob('acme/app', imageConfig('2026-01-01T00:00:00Z'));
  const digest = registry.push('acme/app', undefined, manifestOf('application/x', config));
  const manifest = await fetch(`${registry.origin}/v2/acme/app/manifests/${digest}`);
  assert.equal(digestOf(Buffer.from(await manifest.arrayBuffer())), digest);
  const blob = await fetch(`${registry.origin}/v2/acme/app/blobs/${config.digest}`);
  assert.equal(digestOf(Buffer.from(await blob.arrayBuffer())), config.digest);
  assert.equal((await fetch(`${registry.origin}/v2/acme/app/blobs/${digest}`)).status, 404);
  registry.dialect.blobLocation = (digest) => `https://cdn.example/${digest}`;
  const away = await fetch(`${registry.origin}/v2/acme/app/blobs/${config.digest}`, { redirect: 'manual' });
  assert.equal(away.headers.get('location'), `https://cdn.example/${config.digest}`);
});

test('a deleted tag is not listed, and a tag pushed again names the new manifest', async () => {
  await using registry = await startFakeRegistry();
  registry.push('acme/app', '1.0');
  const digest = registry.push('acme/app', '1.1');
  registry.untag('acme/app', '1.0');
  assert.deepEqual(await (await fetch(`${registry.origin}/v2/acme/app/tags/list`)).json(), {
    name: 'acme/app',
    tags: ['1.1'],
  });
  assert.equal((await fetch(`${registry.origin}/v2/acme/app/manifests/1.0`)).status, 404);
  assert.notEqual(registry.push('acme/app', '1.1', imageIndex('new', ['linux/amd64'])), digest);
  registry.makeEmpty('acme/app');
  assert.equal((await fetch(`${registry.origin}/v2/acme/app/manifests/1.1`)).status, 404);
  assert.equal((await fetch(`${registry.origin}/v2/acme/app/manifests/${digest}`)).status, 200);
});

test('with ETags sends nothing to who has it', async () => {
  await using registry = await startFakeRegistry({ etag: true });
  registry.push('acme/app', '1.0');
  const list = `${registry.origin}/v2/acme/app/tags/list`;
  const etag = (await fetch(list)).headers.get('etag') ?? '';
  const again = await fetch(list, { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, await again.text()], [304, '']);
  registry.push('acme/app', '1.1');
  assert.equal((await fetch(list, { headers: { 'if-none-match': etag } })).status, 200);
});

test('names the next page in a word of its own, and adds fields and headers', async () => {
  await using registry = await startFakeRegistry({
    pageSize: 2,
    cursor: 'next_page',
    link: (target) => `<{origin}${target}>; rel="next"`,
    listFields: (tags) => ({ child: [], manifest: { count: tags.length } }),
    headers: { 'ratelimit-remaining': '97;w=21600' },
  });
  for (const tag of ['a', 'b', 'c']) registry.push('acme/app', tag);
  const first = await fetch(`${registry.origin}/v2/acme/app/tags/list?n=100`);
  assert.equal(first.headers.get('ratelimit-remaining'), '97;w=21600');
  assert.deepEqual(await first.json(), {
    name: 'acme/app',
    child: [],
    manifest: { count: 3 },
    tags: ['a', 'b'],
  });
  const [, next = ''] = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '') ?? [];
  assert.match(next, /^http:\/\/127\.0\.0\.1:\d+\/v2\/acme\/app\/tags\/list\?n=100&next_page=[\w%]+$/);
  assert.deepEqual(((await (await fetch(next)).json()) as { tags: string[] }).tags, ['c']);
});

test('takes a token for the list only when it is good for what the list needs', async () => {
  const listActions = ['pull', 'metadata_read'];
  await using registry = await startFakeRegistry({ auth: 'Bearer', anonymousPull: true, listActions });
  registry.push('acme/app', '1.0');
  const get = async (path: string, actions: string): Promise<number> => {
    const realm = `${registry.origin}/token?scope=repository:acme/app:${actions}`;
    const { token } = (await (await fetch(realm)).json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${registry.origin}/v2/acme/app/${path}`, { headers })).status;
  };
  assert.equal(await get('tags/list', 'pull'), 401);
  assert.equal(await get('manifests/1.0', 'pull'), 200);
  assert.equal(await get('tags/list', 'metadata_read,pull'), 200);
  assert.match(
    (await fetch(`${registry.origin}/v2/acme/app/tags/list`)).headers.get('www-authenticate') ?? '',
    /scope="repository:acme\/app:pull,metadata_read"/,
  );
});

test('speaks of pages, limits and digests as it is told to', async () => {
  await using registry = await startFakeRegistry({
    pageSize: 2,
    tooMany: { above: 10, status: 405, code: 'UNSUPPORTED' },
    link: (target) => `${target}; rel=next`,
    digestHeader: () => 'wrong',
    head: false,
    emptyList: null,
  });
  const url = (path: string): string => `${registry.origin}/v2/acme/app/${path}`;
  for (const tag of ['a', 'b', 'c']) registry.push('acme/app', tag);
  assert.equal((await fetch(url('tags/list?n=11'))).status, 405);
  registry.dialect.tooMany = { above: 10, status: 400, code: 'PAGINATION_NUMBER_INVALID' };
  const refused = await fetch(url('tags/list?n=11'));
  assert.match(await refused.text(), /PAGINATION_NUMBER_INVALID/);
  registry.dialect.tooMany = { above: 10, status: 400, code: 'X', message: 'less than or equal to 10' };
  assert.match(await (await fetch(url('tags/list?n=11'))).text(), /"message":"less than or equal to 10"/);
  assert.equal(
    (await fetch(url('tags/list'))).headers.get('link'),
    '/v2/acme/app/tags/list?last=b; rel=next',
  );
  assert.equal((await fetch(url('manifests/a'), { method: 'HEAD' })).status, 405);
  assert.equal((await fetch(url('manifests/a'))).headers.get('docker-content-digest'), 'wrong');
  registry.makeEmpty('acme/app');
  assert.deepEqual(await (await fetch(url('tags/list'))).json(), { name: 'acme/app', tags: null });
});

test('challenges as it is told to, in one header or several', async () => {
  await using registry = await startFakeRegistry({
    auth: 'Basic',
    users: { alice: 'secret' },
    challenges: ['Bearer realm="https://a.example/token"', 'Basic realm="b"'],
  });
  const refused = await fetch(`${registry.origin}/v2/`);
  assert.equal(
    refused.headers.get('www-authenticate'),
    'Bearer realm="https://a.example/token", Basic realm="b"',
  );
  const headers = { authorization: `Basic ${btoa('alice:secret')}` };
  assert.equal((await fetch(`${registry.origin}/v2/`, { headers })).status, 200);
});
