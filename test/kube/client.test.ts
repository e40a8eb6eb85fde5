import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { readText } from '../../kube/answer.ts';
import { KubeClient } from '../../kube/client.ts';
import { ApiError, type ApiErrorCode } from '../../kube/errors.ts';
import type { Identity } from '../../kube/identity.ts';
import { IMAGE_SCANS, PODS } from '../../kube/resource.ts';
import { FakeApiServer, type Recorded, sendJson, sendStatus } from '../fakes/apiserver.ts';

let server: FakeApiServer;
let client: KubeClient;

beforeEach(async () => {
  server = await new FakeApiServer().start();
  client = server.client();
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

const SCAN = { resource: IMAGE_SCANS, namespace: 'a', name: 'x' };
const any = (): boolean => true;
const failsWith = (code: ApiErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

describe('KubeClient', () => {
  it('creates, gets, patches and deletes an object', async () => {
    await client.create(
      { resource: IMAGE_SCANS, namespace: 'a' },
      { metadata: { name: 'x' }, spec: { image: 'nginx' } },
    );
    await client.patch(SCAN, { spec: { suspend: true } }, 'merge', { fieldManager: 'test' });
    assert.partialDeepStrictEqual(await client.get(SCAN), { spec: { image: 'nginx', suspend: true } });
    await client.delete(SCAN);
    await assert.rejects(client.get(SCAN), failsWith('NotFound', /x not found/));
    const patch = server.requests.find(({ method }) => method === 'PATCH') as Recorded;
    assert.equal(patch.headers['content-type'], 'application/merge-patch+json');
    assert.equal(patch.query.get('fieldManager'), 'test');
  });

  it('names each kind of patch by its content type', async () => {
    server.put('/apis/fleetscan.io/v1alpha1/imagescans', { metadata: { name: 'x', namespace: 'a' } });
    for (const type of ['json', 'strategic', 'apply'] as const) await client.patch(SCAN, {}, type);
    assert.deepEqual(
      server.requests.map(({ headers }) => headers['content-type']),
      [
        'application/json-patch+json',
        'application/strategic-merge-patch+json',
        'application/apply-patch+yaml',
      ],
    );
  });

  it('sends the query of a list and leaves out what is not given', async () => {
    await client.list({ resource: PODS }, { limit: 5, labelSelector: 'a=b,c' });
    assert.equal(server.requests[0]?.path, '/api/v1/pods');
    assert.equal(server.requests[0]?.query.toString(), 'limit=5&labelSelector=a%3Db%2Cc');
  });

  const answers: [status: number, reason: string, code: ApiErrorCode][] = [
    [400, 'BadRequest', 'BadRequest'],
    [401, 'Unauthorized', 'Unauthorized'],
    [403, 'Forbidden', 'Forbidden'],
    [409, 'Conflict', 'Conflict'],
    [409, 'AlreadyExists', 'AlreadyExists'],
    [410, 'Expired', 'Expired'],
    [422, 'Invalid', 'Invalid'],
    [429, 'TooManyRequests', 'TooManyRequests'],
    [500, 'InternalError', 'Server'],
  ];
  for (const [status, reason, code] of answers) {
    it(`gives ${code} with the server's own words for ${status} ${reason}`, async () => {
      for (let times = 0; times < 2; times++)
        server.plan(any, (_, response) => sendStatus(response, status, reason, `because ${reason}`));
      await assert.rejects(client.get(SCAN), failsWith(code, new RegExp(`^because ${reason}$`)));
    });
  }

  it('says what a proxy said when the answer is no Status', async () => {
    server.plan(any, (_, response) => response.writeHead(502).end('<html>Bad Gateway\nmore'));
    await assert.rejects(
      client.get(SCAN),
      failsWith('Server', /^the API server answered HTTP 502: <html>Bad Gateway$/),
    );
  });

  it('never shows a body that is not JSON', async () => {
    server.plan(any, (_, response) => response.end('{"data":{"password":"hunter2'));
    await assert.rejects(client.get(SCAN), failsWith('Server', /not JSON \(HTTP 200, 28 characters\)$/));
  });

  it('gives the raw answer of any path, whatever its status', async () => {
    server.plan(any, (_, response) => response.writeHead(503).end('not yet'));
    const { status, body } = await client.raw('POST', '/readyz');
    assert.deepEqual([status, body], [503, 'not yet']);
  });

  it('keeps its connections', async () => {
    const ports = new Set<number | undefined>();
    const port = (_: Recorded, response: ServerResponse): void => {
      ports.add(response.socket?.remotePort);
      sendJson(response, 200, {});
    };
    for (let times = 0; times < 20; times++) {
      server.plan(any, port);
      await client.get(SCAN);
    }
    // A call that begins while the last is being wound up takes a second one.
    assert.ok(ports.size <= 2, `${ports.size} connections for 20 calls`);
  });
});

describe('a call that fails on the way', () => {
  it('is sent again once when it is a GET and the kept connection is dead', async () => {
    server.plan(any, (_, response) => response.socket?.destroy());
    await assert.rejects(client.get(SCAN), failsWith('NotFound', /x/));
    assert.equal(server.requests.length, 2);
  });

  it('is not sent again when it writes', async () => {
    server.plan(any, (_, response) => response.socket?.destroy());
    await assert.rejects(
      client.patch(SCAN, {}, 'merge'),
      failsWith('Unreachable', /cannot reach the API server at 127\.0\.0\.1:\d+/),
    );
    assert.equal(server.requests.length, 1);
  });

  it('waits out a 429 and a 503 as Retry-After asks', async () => {
    server.put('/apis/fleetscan.io/v1alpha1/imagescans', { metadata: { name: 'x', namespace: 'a' } });
    server.plan(any, (_, response) => response.writeHead(429, { 'retry-after': '0' }).end());
    await client.patch(SCAN, {}, 'merge');
    server.plan(any, (_, response) => response.writeHead(503, { 'retry-after': '0' }).end());
    await client.get(SCAN);
    assert.equal(server.requests.length, 4);
  });

  it('gives up after three answers of 429, and at once when the pause is long or not named', async () => {
    const refuse = (headers: Record<string, string>): void =>
      server.plan(any, (_, response) => response.writeHead(429, headers).end());
    for (let times = 0; times < 3; times++) refuse({ 'retry-after': '0' });
    await assert.rejects(client.get(SCAN), failsWith('TooManyRequests', /429/));
    assert.equal(server.requests.length, 3);
    refuse({ 'retry-after': '3600' });
    await assert.rejects(client.get(SCAN), failsWith('TooManyRequests', /429/));
    refuse({});
    await assert.rejects(client.get(SCAN), failsWith('TooManyRequests', /429/));
    assert.equal(server.requests.length, 5);
  });

  it('does not repeat a write after 503: it may have been half done', async () => {
    server.plan(any, (_, response) => response.writeHead(503, { 'retry-after': '0' }).end());
    await assert.rejects(client.patch(SCAN, {}, 'merge'), failsWith('Server', /503/));
    assert.equal(server.requests.length, 1);
  });

  it('ends when its time is over, also half way through the body', async () => {
    const hasty = server.client(200);
    server.plan(any, () => {});
    await assert.rejects(hasty.get(SCAN), failsWith('Unreachable', /gave no answer within 200 ms/));
    server.plan(any, (_, response) => response.write('{"a":'));
    await assert.rejects(hasty.get(SCAN), failsWith('Unreachable', /within 200 ms/));
    await hasty.close();
  });

  it('throws the reason of its signal', async () => {
    const controller = new AbortController();
    server.plan(any, () => controller.abort(new Error('enough')));
    await assert.rejects(client.get(SCAN, controller.signal), /^Error: enough$/);
  });

  it('says in plain words that nobody listens', async () => {
    await server.stop();
    await assert.rejects(
      client.get(SCAN),
      failsWith('Unreachable', /at 127\.0\.0\.1:\d+: connection refused; is the API server running\?/),
    );
    await server.start();
  });

  it('says so when the certificate is not trusted or the other side speaks no TLS', async () => {
    const tcp = createTcpServer((socket: Socket) => socket.end('HTTP/1.1 400 plain\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(tcp, 'listening');
    const https = clientOf(`https://127.0.0.1:${(tcp.address() as AddressInfo).port}`, async () => ({
      headers: {},
      tls: {},
    }));
    await assert.rejects(https.get(SCAN), failsWith('Unreachable', /cannot reach the API server at 127/));
    await https.close();
    tcp.close();
  });
});

describe('credentials', () => {
  it('are asked for again when the server refuses them, and the call is repeated', async () => {
    let token = 'old';
    const renewing = clientOf(
      server.url,
      async () => ({ headers: { authorization: `Bearer ${token}` }, tls: {} }),
      () => (token = 'new'),
    );
    server.plan(any, (_, response) => sendStatus(response, 401, 'Unauthorized', 'no'));
    await assert.rejects(renewing.patch(SCAN, {}, 'merge'), failsWith('NotFound', /x/));
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      ['Bearer old', 'Bearer new'],
    );
    await renewing.close();
  });

  it('send a list of groups as headers of their own, which impersonation needs', async () => {
    const headers = { 'impersonate-user': 'ann', 'impersonate-group': ['dev', 'ops'] };
    const ann = clientOf(server.url, async () => ({ headers, tls: {} }));
    await ann.list({ resource: PODS });
    assert.equal(server.requests[0]?.headers['impersonate-user'], 'ann');
    assert.equal(server.requests[0]?.headers['impersonate-group'], 'dev, ops');
    await ann.close();
  });

  it('that cannot be had are an error of the call', async () => {
    const none = clientOf(server.url, async () => {
      throw new Error('the plugin "aws" is not installed');
    });
    await assert.rejects(none.get(SCAN), failsWith('Unauthorized', /plugin "aws"/));
    await none.close();
  });
});

it('keeps the path of the server, as Rancher and other proxies have one', async () => {
  const behind = clientOf(`${server.url}/k8s/clusters/c-1`, async () => ({ headers: {}, tls: {} }));
  server.plan(any, (_, response) => sendJson(response, 200, {}));
  await behind.get(SCAN);
  assert.equal(
    server.requests[0]?.path,
    '/k8s/clusters/c-1/apis/fleetscan.io/v1alpha1/namespaces/a/imagescans/x',
  );
  await behind.close();
});

it('an answer without an end is not read to the end', async () => {
  const mebibyte = Buffer.alloc(1024 * 1024);
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) yield mebibyte;
  }
  await assert.rejects(readText(endless()), failsWith('Server', /larger than/));
});

function clientOf(url: string, identity: () => Promise<Identity>, renew: () => void = () => {}): KubeClient {
  return new KubeClient({ server: url, namespace: 'default', proxy: 'none', identity, renew });
}
