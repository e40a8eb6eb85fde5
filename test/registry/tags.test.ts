import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryOf } from '../../registry/endpoint.ts';
import type { Send } from '../../registry/request.ts';
import { listTags } from '../../registry/tags.ts';
import {
  cutBody,
  type Dialect,
  endlessPages,
  flood,
  inTurn,
  redirectTo,
  registryError,
  respondWith,
  startFakeRegistry,
} from '../fakes/registry.ts';
import { ANONYMOUS, type Bench, failure, settingsOf, startBench, tagNames } from './harness.ts';

function push(bench: Bench, tags: readonly string[]): void {
  for (const tag of tags) bench.registry.push('acme/app', tag);
}

const DIALECTS: Record<string, Partial<Dialect>> = {
  'with a relative link': {},
  'with a link without brackets and quotes': { link: (target) => `${target}; rel=next` },
  'with a link to a path that is not ours': {
    link: (target) => `<${target.replace('/v2/', '/prefix/')}>; rel="next"`,
  },
  'with pages shorter than asked for': { pageSize: 7 },
  'that refuses more than 500 with 405, as ECR does': {
    tooMany: { above: 500, status: 405, code: 'UNSUPPORTED' },
  },
  'that refuses more than 100 with 400, as Distribution does': {
    tooMany: { above: 100, status: 400, code: 'PAGINATION_NUMBER_INVALID' },
  },
  'that refuses every number we ask for': {
    tooMany: { above: 10, status: 400, code: 'PAGINATION_NUMBER_INVALID' },
    pageSize: 10,
  },
};
for (const [name, dialect] of Object.entries(DIALECTS)) {
  test(`lists all tags in their order from a registry ${name}`, async () => {
    await using bench = await startBench({ pageSize: 100, ...dialect });
    push(bench, tagNames(305));
    assert.deepEqual(await bench.list(), tagNames(305));
  });
}

test('lists all tags from a registry with an absolute link', async () => {
  await using bench = await startBench({ pageSize: 2 });
  bench.registry.dialect.link = (target) => `<${bench.registry.origin}${target}>; rel="next"`;
  push(bench, tagNames(5));
  assert.deepEqual(await bench.list(), tagNames(5));
});

test('one request lists what fits on a page', async () => {
  await using bench = await startBench();
  push(bench, tagNames(1000));
  assert.equal((await bench.list()).length, 1000);
  assert.equal(bench.registry.requests.length, 1);
  assert.equal(bench.registry.requests[0]?.query.get('n'), '1000');
});

for (const emptyList of [null, []] as const) {
  test(`a repository without tags is an empty list, written ${JSON.stringify(emptyList)}`, async () => {
    await using bench = await startBench({ emptyList: emptyList as Dialect['emptyList'] });
    bench.registry.makeEmpty('acme/app');
    assert.deepEqual(await bench.list(), []);
  });
}

test('a repository that is not there is NotFound', async () => {
  await using bench = await startBench();
  await failure(bench.list(), 'NotFound', /the tags of acme\/app/);
});

test('lists from where a redirect leads', async () => {
  await using mirror = await startFakeRegistry({ pageSize: 2 });
  await using bench = await startBench();
  for (const tag of tagNames(5)) mirror.push('acme/app', tag);
  bench.registry.fail({
    respond: redirectTo(({ path, query }) => `${mirror.origin}${path}?${query.toString()}`),
  });
  assert.deepEqual(await bench.list(), tagNames(5));
});

test('a link to another host is refused, and not followed', async () => {
  await using other = await startFakeRegistry();
  await using bench = await startBench({
    pageSize: 2,
    link: (target) => `<${other.origin}${target}>; rel="next"`,
  });
  push(bench, tagNames(5));
  await failure(bench.list(), 'InvalidAnswer', /goes on at another host/);
  assert.equal(other.requests.length, 0);
});

test('a chain of pages that goes round in a circle is refused', async () => {
  await using bench = await startBench({ pageSize: 2, link: () => '<?last=1.0.1>; rel="next"' });
  push(bench, tagNames(9));
  await failure(bench.list(), 'InvalidAnswer', /circle/);
  assert.ok(bench.registry.requests.length < 4);
});

test('a chain of pages without end is refused', async () => {
  await using bench = await startBench({}, { maxTags: 50 });
  bench.registry.fail({ respond: endlessPages() });
  await failure(bench.list(), 'InvalidAnswer', /more than 50 tags/);
  assert.equal(bench.registry.requests.length, 100);
});

test('a chain of pages that bring nothing new is refused', async () => {
  let page = 0;
  const send: Send = async ({ url }) => {
    const link = `<?last=${page++}>; rel="next"`;
    return { status: 200, headers: { link }, body: Buffer.from('{"tags":["1.0"]}'), url };
  };
  const repository = repositoryOf({ registry: 'ghcr.io', repository: 'acme/app' }, settingsOf());
  await failure(
    listTags(send, repository, ANONYMOUS, 1000),
    'InvalidAnswer',
    /100 pages that bring nothing new/,
  );
  assert.equal(page, 200);
});

test('a revision is the same for the same pages only, and known without reading them', async () => {
  await using bench = await startBench({ pageSize: 2 });
  push(bench, tagNames(5));
  const revision = async (): Promise<string> =>
    (await bench.client.listTags(bench.image(), ANONYMOUS)).revision;
  const first = await revision();
  assert.equal(await revision(), first);
  bench.registry.push('acme/app', '2.0');
  assert.notEqual(await revision(), first);
});

test('a list that comes and goes is given as it is each time', async () => {
  await using bench = await startBench();
  bench.registry.fail({
    respond: inTurn(respondWith(200, {}, '{"tags":["a","b"]}'), respondWith(200, {}, '{"tags":["a"]}')),
  });
  const lists = [];
  for (let time = 0; time < 3; time++) lists.push(await bench.client.listTags(bench.image(), ANONYMOUS));
  assert.deepEqual(
    lists.map(({ tags }) => tags),
    [['a', 'b'], ['a'], ['a', 'b']],
  );
  assert.equal(lists[0]?.revision, lists[2]?.revision);
  assert.notEqual(lists[0]?.revision, lists[1]?.revision);
});

test('a page that is cut off, and again each time, is Unreachable: no part of it is given', async () => {
  await using bench = await startBench();
  bench.registry.fail({ respond: cutBody });
  await failure(bench.list(), 'Unreachable');
});

test('a tag that comes on two pages is listed once', async () => {
  await using bench = await startBench();
  bench.registry.fail({
    times: 1,
    respond: respondWith(200, { link: '<?last=b>; rel="next"' }, '{"tags":["a","b"]}'),
  });
  bench.registry.fail({ times: 1, respond: respondWith(200, {}, '{"tags":["b","c"]}') });
  assert.deepEqual(await bench.list(), ['a', 'b', 'c']);
});

test('a refusal of the number in the words of ECR is no refusal of the list', async () => {
  await using bench = await startBench();
  bench.registry.push('acme/app', '1.0');
  const words = 'Invalid parameter at maxResults: Member must have value less than or equal to 1000';
  bench.registry.fail({ times: 1, respond: respondWith(400, {}, words) });
  assert.deepEqual(await bench.list(), ['1.0']);
});

test('a page of 100 MB is refused, and not read to its end', async () => {
  await using bench = await startBench();
  bench.registry.fail({ respond: flood(100 * 1024 * 1024) });
  const before = process.memoryUsage().rss;
  await failure(bench.list(), 'InvalidAnswer', /8388608 bytes/);
  assert.ok(process.memoryUsage().rss - before < 80 * 1024 * 1024);
});

for (const body of ['', 'null', '<html>log in</html>', '{"tags":"a"}', '{"tags":[1]}', '[]']) {
  test(`a list that is ${JSON.stringify(body)} is InvalidAnswer`, async () => {
    await using bench = await startBench();
    bench.registry.fail({ respond: respondWith(200, {}, body) });
    await failure(bench.list(), 'InvalidAnswer', /tags of acme\/app/);
  });
}

test('a failing page fails the list: no part of it is given', async () => {
  await using bench = await startBench({ pageSize: 2 });
  push(bench, tagNames(9));
  bench.registry.fail({ after: 2, respond: registryError(503, 'UNAVAILABLE') });
  await failure(bench.list(), 'Server', /status 503/);
});

test('a page that fails once is asked for again, and it alone', async () => {
  await using bench = await startBench({ pageSize: 2 });
  push(bench, tagNames(6));
  bench.registry.fail({ after: 1, times: 1, respond: registryError(503, 'UNAVAILABLE') });
  assert.deepEqual(await bench.list(), tagNames(6));
  assert.deepEqual(
    bench.registry.requests.map(({ query }) => query.get('last')),
    [null, '1.0.1', '1.0.1', '1.0.3'],
  );
});
