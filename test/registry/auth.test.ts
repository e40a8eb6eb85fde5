import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Credential } from '../../registry/credentials.ts';
import {
  type Dialect,
  registryError,
  redirectTo,
  respondWith,
  startFakeRegistry,
} from '../fakes/registry.ts';
import { ALICE, type Bench, failure, MALLORY, startBench, tagNames } from './harness.ts';

const USERS = { [ALICE.username]: ALICE.password };
const as = (...credentials: Credential[]): { credentials: Credential[] } => ({ credentials });

async function startPrivate(dialect: Partial<Dialect> = {}, tags = 1): Promise<Bench> {
  const bench = await startBench({ auth: 'Bearer', users: USERS, ...dialect });
  for (const tag of tagNames(tags)) bench.registry.push('acme/app', tag);
  return bench;
}

const tokenRequests = (bench: Bench): number => bench.registry.seen(/^\/token/).length;

for (const auth of ['Basic', 'Bearer'] as const) {
  test(`${auth}: the right credential lists, the wrong one and none are Unauthorized`, async () => {
    await using bench = await startPrivate({ auth });
    assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
    await failure(
      bench.list(as(MALLORY)),
      'Unauthorized',
      /the credential of the pull secrets and without: check user/,
    );
    await failure(bench.list(), 'Unauthorized', /no pull secret has any for 127\.0\.0\.1:\d+\/acme\/app/);
  });

  test(`${auth}: credentials are tried in their order`, async () => {
    await using bench = await startPrivate({ auth });
    assert.deepEqual(await bench.list(as(MALLORY, ALICE)), tagNames(1));
    await failure(
      bench.list(as(MALLORY, { ...MALLORY, username: 'x' })),
      'Unauthorized',
      /all 2 credentials/,
    );
  });

  test(`${auth}: the way in that worked is taken at once the next time`, async () => {
    await using bench = await startPrivate({ auth });
    await bench.list(as(MALLORY, ALICE));
    const before = bench.registry.requests.length;
    await bench.list(as({ ...MALLORY }, { ...ALICE }));
    assert.equal(bench.registry.requests.length - before, 1);
  });
}

test('anonymous: a registry that gives tokens to anybody is read without credentials', async () => {
  await using bench = await startPrivate({ anonymousPull: true });
  assert.deepEqual(await bench.list(), tagNames(1));
  assert.deepEqual(await bench.list(as(MALLORY)), tagNames(1));
});

test('the challenge is answered with service and scope, and a query of the realm is kept', async () => {
  await using bench = await startPrivate();
  const { origin, dialect } = bench.registry;
  dialect.challenges = [
    `bearer Realm="${origin}/token?tenant=7",Service="Reg One",Scope="repository:acme/app:pull,metadata_read"`,
  ];
  await bench.list(as(ALICE));
  const [request] = bench.registry.seen(/^\/token/);
  assert.deepEqual(Object.fromEntries(request!.query), {
    tenant: '7',
    service: 'Reg One',
    scope: 'repository:acme/app:pull,metadata_read',
  });
});

for (const scope of ['*', 'repository:user/image:pull', '']) {
  test(`where the challenge's scope is "${scope}" the repository's own is asked for`, async () => {
    await using bench = await startPrivate();
    bench.registry.dialect.challenges = [`Bearer realm="${bench.registry.origin}/token",scope="${scope}"`];
    assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
    assert.deepEqual(bench.registry.seen(/^\/token/)[0]!.query.getAll('scope'), ['repository:acme/app:pull']);
    assert.equal(bench.registry.seen(/^\/token/)[0]!.query.has('service'), false);
  });
}

test('Bearer is chosen where Basic is offered too', async () => {
  await using bench = await startPrivate();
  const bearer = `Bearer realm="${bench.registry.origin}/token"`;
  bench.registry.dialect.challenges = ['Basic realm="a"', bearer];
  assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
  bench.registry.dialect.challenges = [`${bearer},Basic realm="a"`];
  assert.deepEqual(await bench.list(as(MALLORY, ALICE)), tagNames(1));
});

test('Basic is chosen where the realm of Bearer is no URL', async () => {
  await using bench = await startPrivate({
    auth: 'Basic',
    challenges: ['Bearer realm="nowhere", Basic realm="a"'],
  });
  assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
});

test('Basic is chosen where the realm of Bearer is no place for credentials', async () => {
  await using bench = await startPrivate({
    auth: 'Basic',
    challenges: ['Bearer realm="http://10.1.2.3/token", Basic realm="a"'],
  });
  assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
});

test('of several realms the first that may have credentials is asked', async () => {
  await using bench = await startPrivate();
  bench.registry.dialect.challenges = [
    'Bearer realm="http://10.1.2.3/token"',
    `Bearer realm="${bench.registry.origin}/token"`,
  ];
  assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
});

test('a registry that hides from strangers with a 404 is asked at its root how to log in', async () => {
  await using bench = await startPrivate();
  bench.registry.fail({ path: /tags/, times: 1, respond: registryError(404, 'NAME_UNKNOWN') });
  assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
  assert.equal(bench.registry.seen(/^\/v2\/$/).length, 1);
});

test('a missing tag is NotFound to a credential that was taken', async () => {
  await using bench = await startPrivate();
  await failure(bench.resolve(as(ALICE)), 'NotFound', /acme\/app:1\.0 \(status 404\)/);
  await failure(bench.resolve(as(MALLORY, ALICE)), 'NotFound');
});

test('a missing tag stays NotFound where a later credential is refused', async () => {
  await using bench = await startPrivate({ auth: 'Basic' });
  await failure(bench.resolve(as(ALICE, MALLORY)), 'NotFound');
});

for (const [name, respond] of Object.entries({
  'knows nothing': registryError(404, 'NOT_FOUND'),
  fails: registryError(500, 'X'),
})) {
  test(`a token server that has moved is found again: the old one ${name}`, async () => {
    await using bench = await startPrivate({ oauth: false });
    const { origin, dialect } = bench.registry;
    dialect.challenges = [`Bearer realm="${origin}/token?server=old"`];
    await bench.list(as(ALICE));
    bench.registry.fail({ path: /token/, times: name === 'fails' ? 3 : 2, respond });
    dialect.challenges = [`Bearer realm="${origin}/token?server=new"`];
    bench.clock.time += 3_600_000;
    await failure(bench.list(as(ALICE)), name === 'fails' ? 'Server' : 'Unauthorized');
    assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
    assert.equal(bench.registry.seen(/token/).at(-1)!.query.get('server'), 'new');
  });
}

test('a token is kept while it lives, and renewed some seconds before it ends', async () => {
  await using bench = await startPrivate({ expiresIn: 300 });
  for (let scan = 0; scan < 3; scan++) await bench.list(as(ALICE));
  assert.equal(tokenRequests(bench), 1);
  bench.clock.time += 294_000;
  await bench.list(as(ALICE));
  assert.equal(tokenRequests(bench), 1);
  bench.clock.time += 1_000;
  await bench.list(as(ALICE));
  assert.equal(tokenRequests(bench), 2);
});

for (const expiresIn of [undefined, 1, -5]) {
  test(`a token that lives ${expiresIn} seconds is taken to live 60`, async () => {
    await using bench = await startPrivate({ expiresIn });
    await bench.list(as(ALICE));
    bench.clock.time += 54_000;
    await bench.list(as(ALICE));
    assert.equal(tokenRequests(bench), 1);
    bench.clock.time += 1_000;
    await bench.list(as(ALICE));
    assert.equal(tokenRequests(bench), 2);
  });
}

test('a token may be called access_token', async () => {
  await using bench = await startPrivate({ tokenField: 'access_token' });
  assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
});

test('no token is used for another repository, or for another who asks', async () => {
  await using bench = await startPrivate({ anonymousPull: true });
  bench.registry.push('acme/other', '1.0');
  await bench.list(as(ALICE));
  await bench.client.listTags(bench.image('1.0', 'acme/other'), as(ALICE));
  await bench.list();
  assert.equal(tokenRequests(bench), 3);
});

test('many that wait for the same token cause one request for it', async () => {
  await using bench = await startPrivate();
  await Promise.all(Array.from({ length: 20 }, () => bench.list(as(ALICE))));
  assert.equal(tokenRequests(bench), 1);
  bench.registry.revokeTokens();
  await Promise.all(Array.from({ length: 20 }, () => bench.list(as(ALICE))));
  assert.equal(tokenRequests(bench), 2);
  bench.clock.time += 3_600_000;
  await Promise.all(Array.from({ length: 20 }, () => bench.list(as(ALICE))));
  assert.equal(tokenRequests(bench), 3);
});

test('who gives up waiting for a token does not spoil it for the others', async () => {
  await using bench = await startPrivate();
  const giveUp = new AbortController();
  bench.registry.fail({
    path: /^\/token/,
    times: 1,
    respond: (request, response) => {
      giveUp.abort(new Error('gave up'));
      // Answered only after the first of them has left.
      setImmediate(() => respondWith(503)(request, response));
    },
  });
  const first = bench.list({ ...as(ALICE), signal: giveUp.signal });
  const second = bench.list(as(ALICE));
  await assert.rejects(first, /gave up/);
  assert.deepEqual(await second, tagNames(1));
});

test('a token that is refused in the middle of pages is renewed once, and the same page asked for again', async () => {
  await using bench = await startPrivate({ pageSize: 2 }, 7);
  bench.registry.fail({
    path: /tags/,
    after: 2,
    times: 1,
    respond: (request, response) => {
      bench.registry.revokeTokens();
      const challenge = `Bearer realm="${bench.registry.origin}/token",scope="repository:acme/app:pull"`;
      respondWith(401, { 'www-authenticate': challenge })(request, response);
    },
  });
  assert.deepEqual(await bench.list(as(ALICE)), tagNames(7));
  assert.equal(tokenRequests(bench), 2);
  const pages = bench.registry.seen(/tags/).map(({ query }) => query.get('last'));
  assert.deepEqual(pages, [null, null, '1.0.1', '1.0.1', '1.0.3', '1.0.5']);
});

test('a registry that refuses every token is Unauthorized after few requests', async () => {
  await using bench = await startPrivate();
  await bench.list(as(ALICE));
  bench.registry.fail({ path: /tags/, respond: registryError(401, 'UNAUTHORIZED') });
  const before = bench.registry.requests.length;
  await failure(bench.list(as(ALICE)), 'Unauthorized');
  assert.ok(bench.registry.requests.length - before <= 5);
});

test('it recovers when the right is given again', async () => {
  await using bench = await startPrivate();
  bench.registry.dialect.users = {};
  await failure(bench.list(as(ALICE)), 'Unauthorized');
  bench.registry.dialect.users = USERS;
  assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
});

for (const oauth of [true, false]) {
  test(`an identity token is exchanged by ${oauth ? 'OAuth 2' : 'GET, where OAuth 2 is not known'}`, async () => {
    await using bench = await startPrivate({ oauth, identityTokens: ['id-token'] });
    assert.deepEqual(await bench.list(as({ identityToken: 'id-token' })), tagNames(1));
    const [post, ...rest] = bench.registry.seen(/^\/token/);
    const form = Object.fromEntries(new URLSearchParams(post!.body));
    assert.deepEqual(form, {
      grant_type: 'refresh_token',
      refresh_token: 'id-token',
      client_id: 'fleetscan',
      service: 'fake',
      scope: 'repository:acme/app:pull',
    });
    assert.deepEqual(
      rest.map(({ method }) => method),
      oauth ? [] : ['GET'],
    );
  });
}

for (const status of [400, 401, 404, 405]) {
  test(`an identity token is exchanged by GET where POST is answered with ${status}`, async () => {
    await using bench = await startPrivate({ identityTokens: ['id-token'] });
    bench.registry.fail({ method: 'POST', path: /^\/token/, respond: registryError(status, 'UNSUPPORTED') });
    assert.deepEqual(await bench.list(as({ identityToken: 'id-token' })), tagNames(1));
    const [, get] = bench.registry.seen(/^\/token/);
    assert.equal(get?.headers.authorization, `Basic ${btoa('<token>:id-token')}`);
  });
}

test('the password of the user <token> is an identity token', async () => {
  await using bench = await startPrivate({ identityTokens: ['id-token'] });
  const credential = { username: '<token>', password: 'id-token' };
  assert.deepEqual(await bench.list(as(credential)), tagNames(1));
  assert.deepEqual(
    bench.registry.seen(/^\/token/).map(({ method }) => method),
    ['POST'],
  );
});

/** As ACR with tokens of scope maps: lists to one right, manifests to another, and the challenge names what was missed. */
async function startWithTwoRights(): Promise<Bench> {
  const bench = await startPrivate();
  const { registry } = bench;
  registry.fail({
    path: /^\/token/,
    respond: (request, response) =>
      respondWith(
        200,
        {},
        JSON.stringify({ token: request.query.getAll('scope').join('/') }),
      )(request, response),
  });
  for (const [path, right, answer] of [
    [/tags/, 'metadata_read', respondWith(200, {}, '{"tags":["1.0"]}')],
    [/manifests/, 'pull', respondWith(200, { 'docker-content-digest': `sha256:${'a'.repeat(64)}` })],
  ] as const) {
    const scope = `repository:acme/app:${right}`;
    const challenge = `Bearer realm="${registry.origin}/token",service="fake",scope="${scope}"`;
    const refusal = respondWith(401, { 'www-authenticate': challenge });
    const has = (token = ''): boolean => token.split(/[:,]/).includes(right);
    registry.fail({
      path,
      respond: (request, response) =>
        (has(request.headers.authorization) ? answer : refusal)(request, response),
    });
  }
  return bench;
}

test('where lists and manifests want different rights one token has both, and an idle scan is two requests', async () => {
  await using bench = await startWithTwoRights();
  const scan = async (): Promise<void> => {
    await bench.resolve(as(ALICE));
    await bench.list(as(ALICE));
  };
  await scan();
  const [before, tokens] = [bench.registry.requests.length, tokenRequests(bench)];
  for (let count = 0; count < 5; count++) await scan();
  assert.deepEqual([bench.registry.requests.length - before, tokenRequests(bench) - tokens], [10, 0]);
});

test('an identity token is no use for Basic, and is not sent', async () => {
  await using bench = await startPrivate({ auth: 'Basic' });
  await failure(bench.list(as({ identityToken: 'id-token' })), 'Unauthorized');
  assert.ok(bench.registry.requests.every(({ headers }) => headers.authorization === undefined));
});

test('a token server that fails is not taken for a refusal', async () => {
  await using bench = await startPrivate();
  bench.registry.fail({ path: /token/, respond: registryError(500, 'UNKNOWN') });
  await failure(bench.list(as(ALICE)), 'Server', /a token/);
});

for (const body of ['', 'null', '{}', '{"token":""}', '{"token":"a\\r\\nX-Evil: 1"}', '{"token":5}']) {
  test(`a token server that answers ${JSON.stringify(body)} is InvalidAnswer`, async () => {
    await using bench = await startPrivate();
    bench.registry.fail({ path: /token/, respond: respondWith(200, {}, body) });
    await failure(bench.list(as(ALICE)), 'InvalidAnswer', /asked for a token and sent none/);
  });
}

test('a token above 64 KiB is refused', async () => {
  await using bench = await startPrivate();
  bench.registry.fail({
    path: /token/,
    respond: respondWith(200, {}, JSON.stringify({ token: 'x'.repeat(70_000) })),
  });
  await failure(bench.list(as(ALICE)), 'InvalidAnswer', /65536 bytes/);
});

test('no credential is sent to a realm inside the network, or by another scheme', async () => {
  await using bench = await startPrivate();
  for (const realm of [
    'http://169.254.169.254/token',
    'http://10.1.2.3/token',
    'http://localhost/token',
    'ftp://x/y',
  ]) {
    bench.registry.dialect.challenges = [`Bearer realm="${realm}"`];
    await failure(bench.list(as(ALICE)), 'InvalidAnswer', /token server, which is not followed/);
  }
  assert.ok(bench.registry.requests.every(({ headers }) => headers.authorization === undefined));
});

for (const auth of ['Basic', 'Bearer'] as const) {
  test(`${auth}: a redirect to another origin goes without Authorization, one within it keeps it`, async () => {
    await using other = await startFakeRegistry();
    other.push('acme/app', '2.0');
    await using bench = await startPrivate({ auth });
    await bench.list(as(ALICE));
    bench.registry.fail({
      path: /acme\/app\/tags/,
      times: 1,
      respond: redirectTo(`${other.origin}/v2/acme/app/tags/list`),
    });
    assert.deepEqual(await bench.list(as(ALICE)), ['2.0']);
    assert.equal(other.requests[0]?.headers.authorization, undefined);
    bench.registry.fail({
      path: /acme\/app\/tags/,
      times: 1,
      respond: redirectTo('/v2/acme/app/tags/list?moved=1', 301),
    });
    assert.deepEqual(await bench.list(as(ALICE)), tagNames(1));
    assert.match(bench.registry.requests.at(-1)?.headers.authorization ?? '', new RegExp(auth));
  });
}

test('credentials are not sent to a token server that only the target of a redirect names', async () => {
  await using evil = await startFakeRegistry({ auth: 'Bearer', users: USERS });
  await using bench = await startBench();
  bench.registry.fail({ path: /tags/, respond: redirectTo(`${evil.origin}/v2/acme/app/tags/list`) });
  await failure(bench.list(as(ALICE)), 'Unauthorized', /127\.0\.0\.1:\d+ \(for 127\.0\.0\.1:\d+\)/);
  assert.deepEqual(evil.seen(/token/), []);
  assert.ok(evil.requests.every(({ headers }) => headers.authorization === undefined));
});

test('a registry token is sent as it is, and no token is asked for', async () => {
  await using bench = await startBench({ auth: 'Bearer' });
  bench.registry.push('acme/app', '1.0');
  const isRight = (authorization: string | undefined): boolean => authorization === 'Bearer from-elsewhere';
  bench.registry.fail({
    path: /tags/,
    after: 1,
    respond: ({ headers }, response) =>
      response.writeHead(isRight(headers.authorization) ? 200 : 401).end('{"tags":["1.0"]}'),
  });
  assert.deepEqual(await bench.list({ credentials: [{ registryToken: 'from-elsewhere' }] }), ['1.0']);
  assert.deepEqual(bench.registry.seen(/token/), []);
});
