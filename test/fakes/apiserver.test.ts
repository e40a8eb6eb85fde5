import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { z } from 'zod';
import { waitFor } from '../wait.ts';
import { FakeApiServer, sendStatus } from './apiserver.ts';
import { mergePatch } from './merge-patch.ts';

const PODS = '/api/v1/pods';
const answer = z.looseObject({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }).optional(),
  reason: z.string().optional(),
  spec: z.unknown().optional(),
  items: z.array(z.unknown()).optional(),
});
let server: FakeApiServer;

beforeEach(async () => {
  server = await new FakeApiServer().start();
});
afterEach(() => server.stop());

async function call(
  path: string,
  method = 'GET',
  body?: object,
): Promise<{ status: number; json: z.infer<typeof answer> }> {
  const response = await fetch(server.url + path, { method, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, json: answer.parse(await response.json()) };
}

test('creates, gets, patches and deletes objects', async () => {
  const created = await call('/api/v1/namespaces/a/pods', 'POST', {
    metadata: { name: 'x' },
    spec: { n: 1, gone: true },
  });
  assert.equal(created.status, 201);
  assert.equal(
    (await call('/api/v1/namespaces/a/pods', 'POST', { metadata: { name: 'x' } })).json.reason,
    'AlreadyExists',
  );
  const patched = await call('/api/v1/namespaces/a/pods/x', 'PATCH', { spec: { n: 2, gone: null } });
  assert.deepEqual(patched.json.spec, { n: 2 });
  assert.notEqual(patched.json.metadata?.resourceVersion, created.json.metadata?.resourceVersion);
  const stale = { metadata: { resourceVersion: created.json.metadata?.resourceVersion } };
  assert.equal((await call('/api/v1/namespaces/a/pods/x', 'PATCH', stale)).status, 409);
  await call('/api/v1/namespaces/a/pods/x', 'DELETE');
  assert.equal((await call('/api/v1/namespaces/a/pods/x')).status, 404);
});

test('lists in pages, by namespace or all, and refuses a page after compaction', async () => {
  for (const name of ['x', 'y', 'z']) server.put(PODS, { metadata: { name, namespace: 'a' } });
  server.put(PODS, { metadata: { name: 'x', namespace: 'b' } });
  const first = (await call(`${PODS}?limit=3`)).json;
  assert.equal(first.items?.length, 3);
  assert.equal((await call(`${PODS}?limit=3&continue=${first.metadata?.continue}`)).json.items?.length, 1);
  assert.equal((await call('/api/v1/namespaces/b/pods')).json.items?.length, 1);
  server.compact();
  assert.equal((await call(`${PODS}?limit=3&continue=${first.metadata?.continue}`)).status, 410);
});

test('a watch tells what came after its version, then what comes', async () => {
  const { metadata } = server.put(PODS, { metadata: { name: 'x', namespace: 'a' } });
  server.put(PODS, { metadata: { name: 'y', namespace: 'a' } });
  const response = await fetch(`${server.url}${PODS}?watch=true&resourceVersion=${metadata.resourceVersion}`);
  await waitFor('the watch', () => (server.openWatches === 1 ? true : undefined));
  server.remove(PODS, 'a', 'x');
  server.endWatches();
  const events = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ type, object }) => [type, object.metadata.name]),
    [
      ['ADDED', 'y'],
      ['DELETED', 'x'],
    ],
  );
});

test('a watch from a forgotten version is refused as the test says', async () => {
  server.compact();
  assert.equal((await call(`${PODS}?watch=true&resourceVersion=1`)).status, 410);
  server.expireBy = 'event';
  const response = await fetch(`${server.url}${PODS}?watch=true&resourceVersion=1`);
  const { value } = await response.body!.getReader().read();
  assert.equal(JSON.parse(Buffer.from(value ?? []).toString()).object.code, 410);
  assert.equal(server.openWatches, 1);
});

test('a planned answer comes once, in place of the usual one, and requests are recorded', async () => {
  server.plan(
    ({ path }) => path === PODS,
    (_, response) => sendStatus(response, 500, 'InternalError', 'boom'),
  );
  assert.equal((await call(PODS)).status, 500);
  assert.equal((await call(PODS)).status, 200);
  assert.deepEqual(
    server.requests.map(({ method, path }) => `${method} ${path}`),
    [`GET ${PODS}`, `GET ${PODS}`],
  );
});

test('a merge patch follows RFC 7396', () => {
  assert.deepEqual(mergePatch({ a: { b: 1, c: 2 }, l: [1] }, { a: { b: null, d: { e: null } }, l: [2] }), {
    a: { c: 2, d: {} },
    l: [2],
  });
});

test('what it has not it tells as a real one does: an object by its name, a group in plain text', async () => {
  const { json } = await call('/api/v1/namespaces/a/pods/x');
  assert.deepEqual([json.reason, json['details']], ['NotFound', { name: 'x' }]);
  server.unserved.add('example.io');
  const response = await fetch(`${server.url}/apis/example.io/v1/things`);
  assert.deepEqual([response.status, await response.text()], [404, '404 page not found\n']);
});
