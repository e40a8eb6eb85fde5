import assert from 'node:assert/strict';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { type Logger, pino } from 'pino';
import { ScanIndex } from '../../core/scan.ts';
import type { Answer } from '../../webhook/answer.ts';
import { createApp } from '../../webhook/app.ts';
import { Metrics } from '../../webhook/metrics.ts';
import { AdmissionServer, type KeyPair } from '../../webhook/server.ts';
import { scanOf } from '../core/samples.ts';
import { imageScanReviewOf, marked, patchOf, podOf, reviewOf, UID } from './reviews.ts';
import { certificates, Client, type Reply } from './tls.ts';

const MEGABYTE = 1024 * 1024;

describe('the admission endpoint', () => {
  const scans = new ScanIndex();
  let ca: string;
  let pair: KeyPair;
  let port: number;
  let server: AdmissionServer;
  let api: Client;
  let metrics: Metrics;
  let isReady: boolean;
  let logged: string[];

  before(async () => {
    const { pairs, ...authority } = await certificates(1);
    ca = authority.ca;
    // Each test has its own app; they share the server and the connection to it.
    pair = pairs[0]!;
    server = new AdmissionServer((request, response) => app(request, response), pair);
    port = await server.listen('127.0.0.1', 0);
    api = new Client(port, ca);
  });
  let app: ReturnType<typeof createApp>;
  beforeEach(() => {
    scans.replace([scanOf()]);
    isReady = true;
    logged = [];
    metrics = new Metrics(() => ({ scans: scans.size, lastContact: 1_700_000_000_000 }));
    const log: Logger = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
    app = createApp({ scans, metrics, log, isReady: () => isReady });
  });
  after(async () => {
    api.close();
    await server.drain(0, 0);
  });

  const counted = async (): Promise<string[]> =>
    (await metrics.registry.metrics())
      .split('\n')
      .filter((line) => /^fleetscan_(admission|takeover)_(requests|images)_total\{/.test(line))
      .map((line) => line.replace(/^fleetscan_(admission_)?/, ''));
  const answerIn = (reply: Reply): Answer => {
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['content-type'], 'application/json');
    return JSON.parse(reply.body);
  };

  it('answers a review with a patch', async () => {
    const answer = answerIn(await api.post(reviewOf(podOf(marked({ app: 'app' })))));
    assert.equal(answer.kind, 'AdmissionReview');
    assert.equal(answer.apiVersion, 'admission.k8s.io/v1');
    assert.equal(answer.response.uid, UID);
    assert.equal(answer.response.allowed, true);
    assert.equal(answer.response.patchType, 'JSONPatch');
    assert.equal(patchOf(answer)?.[0]?.value, 'nginx:1.3');
    assert.deepEqual(await counted(), [
      'requests_total{result="patched"} 1',
      'images_total{decision="resolved",reason=""} 1',
    ]);
  });

  it('answers a review without one, and without its type', async () => {
    const answer = answerIn(await api.post(reviewOf(podOf())));
    assert.deepEqual(answer.response, { uid: UID, allowed: true });
    assert.deepEqual(await counted(), ['requests_total{result="unchanged"} 1']);
  });

  it('answers with a warning in letters of any script', async () => {
    const answer = answerIn(await api.post(reviewOf(podOf(marked({ app: 'größe-名前' })))));
    assert.match(answer.response.warnings?.[0] ?? '', /no scan größe-名前 in namespace team/);
    assert.deepEqual(await counted(), [
      'requests_total{result="unchanged"} 1',
      'images_total{decision="kept",reason="UnknownScan"} 1',
    ]);
  });

  it('answers with a denial, which is an answer and no failure', async () => {
    const pod = podOf({ 'fleetscan.io/required': 'true', ...marked({ app: 'nobody' }) });
    const answer = answerIn(await api.post(reviewOf(pod)));
    assert.equal(answer.response.allowed, false);
    assert.deepEqual(await counted(), [
      'requests_total{result="denied"} 1',
      'images_total{decision="kept",reason="UnknownScan"} 1',
    ]);
  });

  it("puts an ImageScan of Fleet's into our shard, and counts it apart", async () => {
    const shard = { 'fleet.cattle.io/shard-ref': 'fleetscan' };
    const answer = answerIn(await api.post(imageScanReviewOf({ name: 'web' })));
    assert.deepEqual(answer.response, {
      uid: UID,
      allowed: true,
      patchType: 'JSONPatch',
      patch: answer.response.patch,
    });
    assert.deepEqual(patchOf(answer), [{ op: 'add', path: '/metadata/labels', value: shard }]);
    const again = answerIn(await api.post(imageScanReviewOf({ name: 'web', labels: shard })));
    assert.deepEqual(again.response, { uid: UID, allowed: true });
    assert.deepEqual(await counted(), [
      'takeover_requests_total{result="patched"} 1',
      'takeover_requests_total{result="unchanged"} 1',
    ]);
  });

  it('sees a scan that changed at the next request', async () => {
    const review = reviewOf(podOf(marked({ app: 'app' })));
    scans.replace([]);
    assert.equal(answerIn(await api.post(review)).response.patch, undefined);
    scans.put(scanOf());
    assert.notEqual(answerIn(await api.post(review)).response.patch, undefined);
  });

  it('takes the query that the API server adds, and any content type', async () => {
    const body = JSON.stringify(reviewOf(podOf()));
    for (const headers of [
      { 'content-type': 'application/json; charset=utf-8' },
      { 'content-type': 'x/y' },
      {},
    ])
      answerIn(await api.send('POST', '/mutate?timeout=2s', body, headers));
  });

  const invalid: [body: string, message: string][] = [
    ['', 'the body is not JSON'],
    ['not JSON', 'the body is not JSON'],
    ['[]', 'the body is not an object'],
    ['{}', 'request is not an object'],
    [
      JSON.stringify(reviewOf(podOf(), { kind: { group: 'apps', version: 'v1', kind: 'ReplicaSet' } })),
      'request.kind is neither v1 Pod nor ImageScan of fleet.cattle.io: the webhook configuration asks for those only',
    ],
    [JSON.stringify(reviewOf({ spec: { containers: 5 } })), 'request.object.spec.containers is not a list'],
  ];
  for (const [body, message] of invalid) {
    it(`answers ${body.slice(0, 30) || 'an empty body'} with 400: ${message}`, async () => {
      const reply = await api.post(body);
      assert.equal(reply.status, 400);
      assert.equal(reply.body, `${message}\n`);
      assert.match(String(reply.headers['content-type']), /^text\/plain/);
      assert.deepEqual(await counted(), ['requests_total{result="invalid"} 1']);
    });
  }

  it('answers 413 to a body beyond what two objects can hold, with and without its length', async () => {
    const huge = 'x'.repeat(8 * MEGABYTE);
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const reply = await api.send('POST', '/mutate', huge, headers);
      assert.equal(reply.status, 413);
      assert.equal(reply.body, 'the review is larger than 7 MiB\n');
    }
    assert.deepEqual(await counted(), ['requests_total{result="invalid"} 2']);
  });

  it('reads a review of the greatest size that there is', async () => {
    const status = { filler: 'x'.repeat(3 * MEGABYTE) };
    const pod = { ...podOf(marked({ app: 'app' })), status };
    assert.notEqual(answerIn(await api.post(reviewOf(pod, { options: status }))).response.patch, undefined);
  });

  it('does not unpack a body: a small one could become a huge one', async () => {
    const packed = gzipSync(JSON.stringify(reviewOf(podOf())));
    const reply = await api.send('POST', '/mutate', packed, { 'content-encoding': 'gzip' });
    assert.equal(reply.status, 400);
    assert.equal(reply.body, 'the body is not JSON\n');
  });

  it('answers the next request when one broke off', async () => {
    const broken = connect({ host: '127.0.0.1', port, ca });
    await once(broken, 'secureConnect');
    broken.write('POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"request":');
    broken.destroy();
    await once(broken, 'close');
    answerIn(await api.post(reviewOf(podOf())));
    assert.deepEqual(await counted(), ['requests_total{result="unchanged"} 1']);
  });

  it('reads a text whose letters are cut in two by the network', async () => {
    const body = Buffer.from(JSON.stringify(reviewOf(podOf(marked({ app: 'größe' })))));
    const cut = body.indexOf('ö') + 1;
    const raw = connect({ host: '127.0.0.1', port, ca });
    await once(raw, 'secureConnect');
    raw.write(
      `POST /mutate HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    raw.write(body.subarray(0, cut), () => raw.write(body.subarray(cut)));
    assert.match(await text(raw), /no scan größe in namespace team/);
  });

  it('asks the API server to come back a second later until the scans are complete', async () => {
    isReady = false;
    const early = await api.post(reviewOf(podOf(marked({ app: 'app' }))));
    assert.equal(early.status, 503);
    assert.equal(early.headers['retry-after'], '1');
    assert.equal(early.body, 'the scans are still being read; ask again\n');
    isReady = true;
    const again = await api.post(reviewOf(podOf(marked({ app: 'app' }))));
    assert.equal(again.reused, true);
    assert.notEqual(answerIn(again).response.patch, undefined);
    assert.deepEqual(await counted(), [
      'requests_total{result="not_ready"} 1',
      'requests_total{result="patched"} 1',
      'images_total{decision="resolved",reason=""} 1',
    ]);
  });

  for (const method of ['GET', 'PUT', 'DELETE']) {
    it(`answers ${method} with 405: a review is sent by POST`, async () => {
      const reply = await api.send(method, '/mutate');
      assert.deepEqual([reply.status, reply.headers.allow], [405, 'POST']);
    });
  }

  const elsewhere: [method: string, path: string][] = [
    ['POST', '/'],
    ['GET', '/metrics'],
    ['POST', '/mutate/x'],
    ['POST', '/mutatex'],
    ['POST', '//mutate'],
  ];
  for (const [method, path] of elsewhere) {
    it(`answers ${method} ${path} with 404`, async () => {
      const body = method === 'POST' ? JSON.stringify(reviewOf(podOf())) : '';
      assert.equal((await api.send(method, path, body)).status, 404);
      assert.deepEqual(await counted(), []);
    });
  }

  it('tells at /readyz whether the scans are complete', async () => {
    assert.equal((await api.send('GET', '/readyz')).status, 200);
    isReady = false;
    const reply = await api.send('GET', '/readyz');
    assert.deepEqual([reply.status, reply.body], [503, 'the scans are still being read\n']);
  });

  it('answers 500 to a mistake of ours, and tells the log and not the caller', async () => {
    scans.find = () => {
      throw new Error('a secret of ours');
    };
    try {
      const reply = await api.post(reviewOf(podOf(marked({ app: 'app' }))));
      assert.equal(reply.status, 500);
      assert.equal(reply.body, 'the webhook failed; its log says why\n');
      assert.match(
        logged.join(''),
        /an admission request failed.*a secret of ours|a secret of ours.*an admission request failed/,
      );
      assert.deepEqual(await counted(), ['requests_total{result="failed"} 1']);
    } finally {
      Reflect.deleteProperty(scans, 'find');
    }
  });

  it('logs nothing about requests that it answers or refuses', async () => {
    await api.post(reviewOf(podOf(marked({ app: 'nobody' }))));
    await api.post('not JSON');
    assert.deepEqual(logged, []);
  });

  it('answers a review that is on its way when the drain begins, and closes its connection', async () => {
    const draining = new AdmissionServer(app, pair);
    const raw = connect({ host: '127.0.0.1', port: await draining.listen('127.0.0.1', 0), ca });
    await once(raw, 'secureConnect');
    const body = JSON.stringify(reviewOf(podOf(marked({ app: 'app' }))));
    const head = [
      'POST /mutate HTTP/1.1',
      'Host: x',
      `Content-Length: ${body.length}`,
      'Expect: 100-continue',
    ];
    raw.write(`${head.join('\r\n')}\r\n\r\n`);
    assert.match(String(await once(raw, 'data')), /^HTTP\/1\.1 100 Continue/);
    const drained = draining.drain(0, 60_000);
    const answered = text(raw);
    raw.write(body);
    const answer = await answered;
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /\r\nConnection: close\r\n/i);
    assert.match(answer, /"patchType":"JSONPatch"/);
    await drained;
  });

  it('tells nobody what it is made of', async () => {
    const { headers } = await api.post(reviewOf(podOf()));
    assert.equal(headers['x-powered-by'], undefined);
    assert.equal(headers.etag, undefined);
  });
});
