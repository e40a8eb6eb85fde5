import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { get } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { Counter, Registry } from 'prom-client';
import { serveProbes } from '../../program/probes.ts';

describe('serveProbes', () => {
  let missing: string | undefined;
  let metrics: Registry;
  let server: Server;
  let port: number;

  beforeEach(async () => {
    missing = undefined;
    metrics = new Registry();
    const address = { host: '127.0.0.1', port: 0 };
    ({ server, port } = await serveProbes(address, { notReady: () => missing, metrics }));
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  async function read(
    path: string,
    toPort = port,
  ): Promise<{ status: number | undefined; type: string | undefined; body: string }> {
    const [response] = (await once(get({ host: '127.0.0.1', port: toPort, path }), 'response')) as [
      IncomingMessage,
    ];
    return {
      status: response.statusCode,
      type: response.headers['content-type'],
      body: await text(response),
    };
  }

  it('is alive, ready or not', async () => {
    missing = 'something';
    assert.deepEqual(await read('/healthz'), {
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: 'ok\n',
    });
  });

  it('is ready when nothing is missing, and otherwise says what is, as of now', async () => {
    assert.equal((await read('/readyz')).status, 200);
    missing = 'the scans are still being read';
    const { status, body } = await read('/readyz');
    assert.deepEqual([status, body], [503, 'the scans are still being read\n']);
    missing = undefined;
    assert.equal((await read('/readyz?verbose')).status, 200);
  });

  it('gives the metrics in the form that Prometheus asks for', async () => {
    new Counter({ name: 'things_total', help: 'Things.', registers: [metrics] }).inc(2);
    const { status, type, body } = await read('/metrics');
    assert.equal(status, 200);
    assert.equal(type, metrics.contentType);
    assert.match(body, /^# HELP things_total Things\.\n# TYPE things_total counter\nthings_total 2$/m);
  });

  it('says what is wrong with them, and goes on', async () => {
    new Counter({
      name: 'broken_total',
      help: 'Broken.',
      registers: [metrics],
      collect: () => Promise.reject(new Error('cannot count')),
    });
    const { status, body } = await read('/metrics');
    assert.deepEqual([status, body], [500, 'Error: cannot count\n']);
    assert.equal((await read('/healthz')).status, 200);
  });

  for (const path of ['/', '/healthz/', '/mutate', '/favicon.ico']) {
    it(`has nothing at ${path}`, async () => assert.equal((await read(path)).status, 404));
  }

  it('listens on all interfaces when no host is given', async () => {
    const everywhere = await serveProbes(
      { host: undefined, port: 0 },
      { notReady: () => undefined, metrics },
    );
    try {
      assert.equal((await read('/healthz', everywhere.port)).status, 200);
    } finally {
      everywhere.server.close();
      everywhere.server.closeAllConnections();
    }
  });

  it('fails when the port is taken', async () => {
    const taken = serveProbes({ host: '127.0.0.1', port }, { notReady: () => undefined, metrics });
    await assert.rejects(taken, { code: 'EADDRINUSE' });
  });
});
