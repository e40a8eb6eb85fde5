import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { AdmissionServer, type KeyPair } from '../../webhook/server.ts';
import { certificates, Client, handshake } from './tls.ts';

const ok: RequestListener = (request, response) => {
  request.resume();
  request.on('end', () => response.end('ok'));
};

describe('the admission server', () => {
  let ca: string;
  let pairs: KeyPair[];
  let server: AdmissionServer;
  let port: number;
  const closing: (() => unknown)[] = [];

  before(async () => {
    ({ ca, pairs } = await certificates(2));
  });
  beforeEach(() => start(ok));
  after(() => Promise.all(closing.map((close) => close())));

  async function start(handle: RequestListener): Promise<void> {
    const started = new AdmissionServer(handle, pairs[0]!);
    port = await started.listen('127.0.0.1', 0);
    closing.push(() => started.drain(0, 0));
    server = started;
  }

  function client(options = {}): Client {
    const opened = new Client(port, ca, options);
    closing.push(() => opened.close());
    return opened;
  }

  const isRefused = (): Promise<void> =>
    assert.rejects(handshake(port, ca, ['http/1.1']), { code: 'ECONNREFUSED' });

  it('keeps idle connections longer than the API server does, which is 90 s', async () => {
    const api = client();
    const { headers } = await api.post('{}');
    assert.equal(headers.connection, 'keep-alive');
    const [, seconds] = /^timeout=(\d+)$/.exec(String(headers['keep-alive'])) ?? [];
    assert.ok(Number(seconds) > 90, `Keep-Alive: ${String(headers['keep-alive'])}`);
    assert.equal((await api.post('{}')).reused, true);
  });

  it('speaks HTTP/1.1 only, even with a client that would rather speak HTTP/2', async () => {
    assert.equal((await handshake(port, ca, ['h2', 'http/1.1'])).protocol, 'http/1.1');
    await assert.rejects(handshake(port, ca, ['h2']), /no application protocol/);
  });

  it('refuses TLS below 1.2', async () => {
    const socket = connectTls({ host: '127.0.0.1', port, ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' });
    await assert.rejects(once(socket, 'secureConnect'), /alert|protocol|version/i);
  });

  it('listens on all interfaces when no host is given', async () => {
    const started = new AdmissionServer(ok, pairs[0]!);
    port = await started.listen(undefined, 0);
    closing.push(() => started.drain(0, 0));
    assert.equal((await client().post('{}')).status, 200);
  });

  it('says which port it cannot have', async () => {
    const second = new AdmissionServer(ok, pairs[0]!);
    await assert.rejects(second.listen('127.0.0.1', port), { code: 'EADDRINUSE' });
  });

  it('exchanges its certificate for new connections while old ones go on', async () => {
    const fingerprint = (pair: KeyPair): string => new X509Certificate(pair.cert).fingerprint256;
    const api = client();
    await api.post('{}');
    assert.equal((await handshake(port, ca, [])).certificate.fingerprint256, fingerprint(pairs[0]!));

    server.exchangeCertificate(pairs[1]!);

    const reply = await api.post('{}');
    assert.equal(reply.status, 200);
    assert.equal(reply.reused, true);
    const after = await handshake(port, ca, ['h2', 'http/1.1']);
    assert.equal(after.certificate.fingerprint256, fingerprint(pairs[1]!));
    assert.equal(after.protocol, 'http/1.1');
  });

  it('keeps the certificate that it has when the new one cannot be used', async () => {
    assert.throws(() => server.exchangeCertificate({ ...pairs[1]!, cert: 'nonsense' }));
    assert.throws(() => server.exchangeCertificate({ cert: pairs[0]!.cert, key: pairs[1]!.key }));
    assert.equal((await client().post('{}')).status, 200);
  });

  describe('that drains', () => {
    const GRACE_MS = 1500;
    let held: ServerResponse[];
    let arrived: PromiseWithResolvers<void>;

    beforeEach(() => {
      held = [];
      arrived = Promise.withResolvers();
      return start((request, response) => {
        if (request.url !== '/held') return ok(request, response);
        held.push(response);
        arrived.resolve();
      });
    });

    it('serves what is in flight and what comes, says goodbye to each connection, then closes the port', async () => {
      const idle = client();
      const busy = client();
      await idle.post('{}');
      const inFlight = busy.send('GET', '/held');
      await arrived.promise;

      const drained = server.drain(GRACE_MS);
      const [old, fresh] = await Promise.all([idle.post('{}'), client().post('{}')]);
      held[0]?.end('late');
      const late = await inFlight;

      assert.deepEqual([old.status, old.reused, old.headers.connection], [200, true, 'close']);
      assert.deepEqual([fresh.status, fresh.headers.connection], [200, 'close']);
      assert.deepEqual([late.body, late.headers.connection], ['late', 'close']);
      await drained;
      await isRefused();
    });

    it('waits for what is still in flight when the port is closed', async () => {
      const inFlight = client().send('GET', '/held');
      await arrived.promise;
      const drained = server.drain(0, 60_000);
      held[0]?.end('late');
      assert.equal((await inFlight).body, 'late');
      await drained;
      await isRefused();
    });

    it('is not held up by idle connections', { timeout: 20_000 }, async () => {
      await client().post('{}');
      await server.drain(0, 60_000);
      await isRefused();
    });

    // In less time than a handshake has.
    it('cuts what does not come to an end', { timeout: 8000 }, async () => {
      const silent = connectTcp(port, '127.0.0.1');
      const unanswered = client().send('GET', '/held');
      await Promise.all([once(silent, 'connect'), arrived.promise]);
      const cut = assert.rejects(unanswered, { code: 'ECONNRESET' });
      await server.drain(0, 10);
      await cut;
      await isRefused();
    });

    it('twice is the same as once', async () => {
      await Promise.all([server.drain(0), server.drain(0)]);
      await server.drain(0);
      await isRefused();
    });

    it('needs not have listened', () => new AdmissionServer(ok, pairs[0]!).drain(60_000));
  });
});
