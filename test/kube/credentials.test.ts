import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { connect } from '../../kube/client.ts';
import { openCredentials } from '../../kube/credentials.ts';
import { PODS } from '../../kube/resource.ts';
import { FakeApiServer, sendStatus } from '../fakes/apiserver.ts';

let folder: string;
let server: FakeApiServer;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fleetscan-credentials-'));
  server = await new FakeApiServer().start();
});
after(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => server.requests.splice(0));

async function kubeconfig(user: object, cluster: object = {}): Promise<string> {
  const file = path.join(folder, 'config');
  const config = {
    clusters: [{ name: 'c', cluster: { server: server.url, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'team' } }],
    'current-context': 'x',
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

async function authorization(user: object): Promise<unknown> {
  const credentials = await openCredentials({ kubeconfig: await kubeconfig(user) });
  return (await credentials.identity()).headers['authorization'];
}

describe('openCredentials', () => {
  it('sends a token, or user and password', async () => {
    assert.equal(await authorization({ token: 'abc' }), 'Bearer abc');
    assert.equal(
      await authorization({ username: 'ann', password: 'pw' }),
      `Basic ${Buffer.from('ann:pw').toString('base64')}`,
    );
    assert.equal(await authorization({}), undefined);
  });

  it('reads a token file, line break and all, and again after the server refused its token', async () => {
    const tokenFile = path.join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    const client = await connect({ kubeconfig: await kubeconfig({ tokenFile }) });
    await client.list({ resource: PODS });
    await writeFile(tokenFile, 'second\n');
    await client.list({ resource: PODS });
    server.plan(
      () => true,
      (_, response) => sendStatus(response, 401, 'Unauthorized', 'expired'),
    );
    await client.list({ resource: PODS });
    await client.close();
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      ['Bearer first', 'Bearer first', 'Bearer first', 'Bearer second'],
    );
    assert.equal(client.namespace, 'team');
  });

  it('runs a credential plugin once, and tells it that nobody can be asked', async () => {
    const calls = path.join(folder, 'calls');
    const plugin = path.join(folder, 'plugin.mjs');
    await writeFile(
      plugin,
      `import { appendFileSync } from 'node:fs';
appendFileSync(${JSON.stringify(calls)}, process.env.KUBERNETES_EXEC_INFO + '\\n');
console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'from-plugin' } }));`,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [plugin] };
    const client = await connect({ kubeconfig: await kubeconfig({ exec }) });
    await Promise.all([client.list({ resource: PODS }), client.list({ resource: PODS })]);
    await client.close();
    assert.equal(server.requests[0]?.headers.authorization, 'Bearer from-plugin');
    const told = (await readFile(calls, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(told, [
      { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', spec: { interactive: false } },
    ]);
  });

  it('says why a credential plugin failed', async () => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', 'console.error("log in first"); process.exit(1)'],
    };
    const client = await connect({ kubeconfig: await kubeconfig({ exec }) });
    await assert.rejects(client.list({ resource: PODS }), {
      code: 'Unauthorized',
      message: /no credentials for the cluster: log in first$/,
    });
    await client.close();
  });

  it('gives client certificates, the authority and the name to expect to TLS', async () => {
    const file = await kubeconfig(
      { 'client-certificate-data': btoa('CERT'), 'client-key-data': btoa('KEY') },
      { server: 'https://x:1', 'certificate-authority-data': btoa('CA'), 'tls-server-name': 'kubernetes' },
    );
    const { tls } = await (await openCredentials({ kubeconfig: file })).identity();
    assert.deepEqual([tls.ca, tls.cert, tls.key].map(String), ['CA', 'CERT', 'KEY']);
    assert.equal(tls.servername, 'kubernetes');
    assert.equal(tls.rejectUnauthorized, undefined);
  });

  it('turns verification off only when told to', async () => {
    const file = await kubeconfig({}, { server: 'https://x:1' });
    const { tls } = await (
      await openCredentials({ kubeconfig: file, insecureSkipTLSVerify: true })
    ).identity();
    assert.equal(tls.rejectUnauthorized, false);
  });

  it('sends impersonation of the kubeconfig and of the options', async () => {
    const file = await kubeconfig({ token: 't', as: 'ann', 'as-groups': ['dev'] });
    const fromFile = await (await openCredentials({ kubeconfig: file })).identity();
    assert.equal(fromFile.headers['impersonate-user'], 'ann');
    assert.deepEqual(fromFile.headers['impersonate-group'], ['dev']);
    const options = await (
      await openCredentials({ kubeconfig: file, impersonate: { user: 'bob', uid: '7' } })
    ).identity();
    assert.equal(options.headers['impersonate-user'], 'bob');
    assert.equal(options.headers['impersonate-uid'], '7');
  });

  it('goes through the proxy of the kubeconfig, and to this machine through none', async () => {
    const at = async (cluster: object) =>
      (await openCredentials({ kubeconfig: await kubeconfig({}, cluster) })).proxy;
    assert.deepEqual(await at({ 'proxy-url': 'http://proxy:3128' }), { url: 'http://proxy:3128' });
    assert.equal(await at({}), 'none');
    assert.equal(await at({ server: 'https://k8s.example.com' }), 'environment');
  });
});
