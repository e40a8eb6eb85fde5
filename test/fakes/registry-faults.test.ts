import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cutBody,
  endlessPages,
  flood,
  hang,
  inTurn,
  limited,
  redirectTo,
  registryError,
  startFakeRegistry,
  trickle,
} from './registry.ts';

test('fails the requests that it is told to, and no others', async () => {
  await using registry = await startFakeRegistry();
  registry.push('acme/app', '1.0');
  registry.fail({
    method: 'GET',
    path: /tags/,
    after: 1,
    times: 1,
    respond: registryError(503, 'UNAVAILABLE'),
  });
  const status = async (path: string): Promise<number> =>
    (await fetch(`${registry.origin}/v2/acme/app/${path}`)).status;
  assert.equal(await status('tags/list'), 200);
  assert.equal(await status('manifests/1.0'), 200);
  assert.equal(await status('tags/list'), 503);
  assert.equal(await status('tags/list'), 200);
});

test('cuts bodies, floods and redirects', async () => {
  await using registry = await startFakeRegistry();
  registry.fail({ path: /cut/, respond: cutBody });
  registry.fail({ path: /flood/, respond: flood(1024 * 1024) });
  registry.fail({ path: /redirect/, respond: redirectTo('/flood') });
  await assert.rejects(fetch(`${registry.origin}/cut`).then((answer) => answer.text()));
  assert.equal((await (await fetch(`${registry.origin}/redirect`)).text()).length, 1024 * 1024);
});

const DATE = 'Thu, 01 Jan 2026 00:01:00 GMT';
const LIMITS: Record<string, Record<string, string>> = {
  seconds: { 'retry-after': '3' },
  date: { 'retry-after': DATE },
  remaining: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' },
  reset: { 'ratelimit-remaining': '0', 'ratelimit-reset': '30' },
  nothing: {},
};
for (const [form, headers] of Object.entries(LIMITS)) {
  test(`refuses with 429 and, of when to come again, ${form}`, async () => {
    await using registry = await startFakeRegistry();
    registry.fail({ respond: limited(headers) });
    const answer = await fetch(`${registry.origin}/v2/`);
    assert.equal(answer.status, 429);
    for (const name of ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'])
      assert.equal(answer.headers.get(name), headers[name] ?? null);
    assert.match(await answer.text(), /TOOMANYREQUESTS/);
  });
}

test('refuses with 429 in the words of GHCR', async () => {
  await using registry = await startFakeRegistry();
  registry.fail({ respond: limited({}, 'retry-after: 1.16ms, allowed: 44000/minute') });
  assert.match(await (await fetch(`${registry.origin}/v2/`)).text(), /"message":"retry-after: 1\.16ms/);
});

test('answers in turn, and in pages without an end', async () => {
  await using registry = await startFakeRegistry();
  registry.fail({ path: /turn/, respond: inTurn(registryError(401, 'A'), registryError(404, 'B')) });
  registry.fail({ path: /pages/, respond: endlessPages() });
  const statuses = [];
  for (let time = 0; time < 3; time++) statuses.push((await fetch(`${registry.origin}/turn`)).status);
  assert.deepEqual(statuses, [401, 404, 401]);
  for (const page of [1, 2]) {
    const answer = await fetch(`${registry.origin}/pages`);
    assert.equal(answer.headers.get('link'), `</pages?last=endless-${page}>; rel="next"`);
    assert.deepEqual(await answer.json(), { tags: [`endless-${page}`] });
  }
});

test('loses its connection in the middle of the pages, and asks for a token again', async () => {
  await using registry = await startFakeRegistry({ auth: 'Bearer', anonymousPull: true, pageSize: 1 });
  for (const tag of ['a', 'b']) registry.push('acme/app', tag);
  const { token } = (await (
    await fetch(`${registry.origin}/token?scope=repository:acme/app:pull`)
  ).json()) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  const list = `${registry.origin}/v2/acme/app/tags/list`;
  registry.fail({
    path: /tags/,
    after: 1,
    times: 1,
    respond: (_request, response) => response.socket?.destroy(),
  });
  assert.equal((await fetch(list, { headers })).status, 200);
  await assert.rejects(fetch(`${list}?last=a`, { headers }));
  registry.revokeTokens();
  assert.equal((await fetch(`${list}?last=a`, { headers })).status, 401);
});

test('never answers, or never ends its answer', async () => {
  await using registry = await startFakeRegistry();
  registry.fail({ path: /hang/, respond: hang });
  registry.fail({ path: /trickle/, respond: trickle });
  const signal = AbortSignal.timeout(200);
  await assert.rejects(fetch(`${registry.origin}/hang`, { signal }), { name: 'TimeoutError' });
  const begun = await fetch(`${registry.origin}/trickle`, { signal: AbortSignal.timeout(200) });
  assert.equal(begun.status, 200);
  await assert.rejects(begun.text(), { name: 'TimeoutError' });
});
