import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import forge from 'node-forge';
import { repositoryOf } from '../../registry/endpoint.ts';
import type { RegistryRequest } from '../../registry/request.ts';
import { createTransport } from '../../registry/transport.ts';
import {
  cutBody,
  flood,
  hang,
  redirectTo,
  respondWith,
  startFakeRegistry,
  trickle,
} from '../fakes/registry.ts';
import { ANONYMOUS, failure, settingsOf, startBench } from './harness.ts';

function requestTo(url: string): RegistryRequest {
  const repository = repositoryOf({ registry: new URL(url).host, repository: 'acme/app' }, settingsOf());
  return { method: 'GET', url: new URL(url), headers: {}, maxBytes: 1000, repository, access: ANONYMOUS };
}

async function failureOf(
  url: string,
  options: { connectTimeoutMs?: number } = {},
): Promise<Error & { code: string }> {
  const transport = createTransport({
    settings: settingsOf(),
    environment: {},
    timeoutMs: 5_000,
    userAgent: 'test',
    ...options,
  });
  try {
    return await transport.send(requestTo(url)).then(
      () => assert.fail('answered'),
      (error) => error,
    );
  } finally {
    await transport.close();
  }
}

/** A certificate for 127.0.0.1 that nobody has reason to trust. */
function selfSigned(): { key: string; cert: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' });
  const pair = forge.pki.privateKeyFromPem(key);
  const cert = forge.pki.createCertificate();
  cert.publicKey = forge.pki.setRsaPublicKey(pair.n, pair.e);
  cert.validity.notAfter = new Date(Date.now() + 3_600_000);
  cert.setSubject([{ name: 'commonName', value: '127.0.0.1' }]);
  cert.setIssuer([{ name: 'commonName', value: '127.0.0.1' }]);
  cert.sign(pair, forge.md.sha256.create());
  return { key, cert: forge.pki.certificateToPem(cert) };
}

test('sends the user agent, and no Accept-Encoding that could blow up a body', async () => {
  await using bench = await startBench({}, { userAgent: 'fleetscan/1.2' });
  bench.registry.push('acme/app', '1.0');
  await bench.list();
  const { headers } = bench.registry.requests[0]!;
  assert.equal(headers['user-agent'], 'fleetscan/1.2');
  assert.equal(headers['accept-encoding'], undefined);
});

test('a port that nobody listens on is Unreachable, after the host was tried three times', async () => {
  await using bench = await startBench();
  const image = { ...bench.image(), registry: '127.0.0.1:1' };
  await failure(
    bench.client.listTags(image, ANONYMOUS),
    'Unreachable',
    /cannot reach 127\.0\.0\.1:1: .*ECONNREFUSED/,
  );
  assert.equal(bench.clock.pauses.length, 2);
});

test('a host that does not exist is Unreachable', async () => {
  const error = await failureOf('https://registry.invalid/v2/');
  assert.equal(error.code, 'Unreachable');
  assert.match(error.message, /registry\.invalid/);
});

test('a certificate of no known authority is TLS', async () => {
  await using registry = await startFakeRegistry({}, selfSigned());
  const error = await failureOf(`${registry.origin}/v2/`);
  assert.equal(error.code, 'TLS');
  assert.match(error.message, /DEPTH_ZERO_SELF_SIGNED_CERT.*trusted CA/);
});

test('TLS is not tried again', async () => {
  await using secure = await startFakeRegistry({}, selfSigned());
  await using bench = await startBench();
  bench.registry.fail({ respond: redirectTo(`${secure.origin}/x`) });
  await failure(bench.list(), 'TLS');
  assert.deepEqual(bench.clock.pauses, []);
});

test('plain http where https is expected is TLS, and says what to do', async () => {
  await using registry = await startFakeRegistry();
  const error = await failureOf(`https://${registry.host}/v2/`);
  assert.equal(error.code, 'TLS');
  assert.match(error.message, /named as insecure/);
});

test('a server that does not speak HTTP is InvalidAnswer', async () => {
  const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const error = await failureOf(`http://127.0.0.1:${address.port}/v2/`);
  assert.equal(error.code, 'InvalidAnswer');
  assert.doesNotMatch(error.message, /OpenSSH/);
  server.close();
});

test('a host that takes no connection is Timeout before the time of the request is up', async () => {
  await using server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const error = await failureOf(`https://127.0.0.1:${address.port}/v2/`, { connectTimeoutMs: 100 });
  assert.equal(error.code, 'Timeout');
  assert.match(error.message, /takes no connection in time/);
  for (const socket of sockets) socket.destroy();
});

for (const [name, respond] of Object.entries({ 'never answers': hang, 'never ends its answer': trickle })) {
  test(`a registry that ${name} is Timeout when the time is up`, async () => {
    await using bench = await startBench({}, { timeoutMs: 200 });
    bench.registry.fail({ respond });
    await failure(bench.list(), 'Timeout', /no complete answer in 200 ms/);
  });

  test(`a registry that ${name} is left at once when the caller aborts`, async () => {
    await using bench = await startBench();
    const abort = new AbortController();
    const reason = new Error('enough');
    bench.registry.fail({
      respond: (request, response) => {
        respond(request, response);
        setImmediate(() => abort.abort(reason));
      },
    });
    await assert.rejects(bench.list({ credentials: [], signal: abort.signal }), reason);
    assert.equal(bench.registry.requests.length, 1);
  });
}

test('a request that is aborted while it is under way throws the reason itself', async () => {
  await using registry = await startFakeRegistry();
  const abort = new AbortController();
  const reason = new Error('enough');
  registry.fail({ respond: () => abort.abort(reason) });
  const transport = createTransport({
    settings: settingsOf(),
    environment: {},
    timeoutMs: 5_000,
    userAgent: 'test',
  });
  const access = { credentials: [], signal: abort.signal };
  await assert.rejects(transport.send({ ...requestTo(`${registry.origin}/v2/`), access }), reason);
  await transport.close();
});

test('a call that is aborted before it begins sends nothing', async () => {
  await using bench = await startBench();
  await assert.rejects(
    bench.list({ credentials: [], signal: AbortSignal.abort(new Error('too late')) }),
    /too late/,
  );
  assert.equal(bench.registry.requests.length, 0);
});

test('a body that is cut is tried again, and Unreachable in the end', async () => {
  await using bench = await startBench();
  bench.registry.push('acme/app', '1.0');
  bench.registry.fail({ times: 2, respond: cutBody });
  assert.deepEqual(await bench.list(), ['1.0']);
  bench.registry.fail({ respond: cutBody });
  await failure(bench.list(), 'Unreachable', /cannot reach/);
});

test('headers above all measure are InvalidAnswer', async () => {
  await using bench = await startBench();
  bench.registry.fail({ respond: respondWith(200, { 'x-big': 'x'.repeat(100_000) }) });
  await failure(bench.list(), 'InvalidAnswer');
});

test('after an answer that is too long the client goes on working', async () => {
  await using bench = await startBench();
  bench.registry.push('acme/app', '1.0');
  bench.registry.fail({ times: 4, respond: flood(20 * 1024 * 1024) });
  for (let time = 0; time < 4; time++) await failure(bench.list(), 'InvalidAnswer');
  assert.deepEqual(await bench.list(), ['1.0']);
});

test('redirects: five are followed, six are not', async () => {
  await using bench = await startBench();
  bench.registry.push('acme/app', '1.0');
  const again = redirectTo(({ path }) => path, 302);
  bench.registry.fail({ times: 5, respond: again });
  assert.deepEqual(await bench.list(), ['1.0']);
  bench.registry.fail({ respond: again });
  await failure(bench.list(), 'InvalidAnswer', /redirects more than 5 times/);
  assert.equal(bench.registry.requests.length, 12);
});

test('redirects into the network, to other schemes and from https to http are refused', async () => {
  await using bench = await startBench();
  for (const target of [
    'http://169.254.169.254/latest',
    'http://10.0.0.1/',
    'file:///etc/passwd',
    'http://a:b@example.com/',
  ]) {
    bench.registry.fail({ times: 1, respond: redirectTo(target) });
    await failure(bench.list(), 'InvalidAnswer', /target of a redirect, which is not followed/);
  }
});

test('a redirect without a target, or to what is no URL, is InvalidAnswer', async () => {
  await using bench = await startBench();
  bench.registry.fail({ times: 1, respond: respondWith(302) });
  await failure(bench.list(), 'InvalidAnswer', /status 302/);
  bench.registry.fail({ respond: redirectTo('http://[') });
  await failure(bench.list(), 'InvalidAnswer', /not a URL/);
});

test('many origins may be asked, and each again', async () => {
  const registries = await Promise.all(Array.from({ length: 300 }, () => startFakeRegistry()));
  const transport = createTransport({
    settings: settingsOf(),
    environment: {},
    timeoutMs: 5_000,
    userAgent: 'test',
  });
  for (const registry of [...registries, ...registries]) {
    assert.equal((await transport.send(requestTo(`${registry.origin}/v2/`))).status, 200);
  }
  await transport.close();
  await Promise.all(registries.map((registry) => registry.stop()));
});
