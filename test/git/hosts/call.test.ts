import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { HostError } from '../../../git/hosts/host.ts';
import { createAuthority } from '../../control-plane/certificates.ts';
import { FakeGitea } from '../../fakes/hosts/gitea.ts';
import { startProxy } from '../../fakes/proxy.ts';
import { connectTo } from './stage.ts';

const BRANCHES = { source: 'bot/main', target: 'main' };

describe('a host with a certificate of a private CA', () => {
  const host = new FakeGitea();
  let folder: string;
  let caFile: string;
  before(async () => {
    const authority = await createAuthority('company');
    const { certificate: cert, key } = await authority.issueServer(['git.example'], ['127.0.0.1']);
    folder = await mkdtemp(join(tmpdir(), 'hosts-'));
    caFile = join(folder, 'ca.crt');
    await writeFile(caFile, authority.certificate);
    await host.start({ cert, key });
  });
  after(async () => {
    await host.stop();
    await rm(folder, { recursive: true });
  });

  test('is not trusted by itself, and sees no token', async () => {
    const isUntrusted = (error: HostError): boolean => error.code === 'TLS';
    await assert.rejects(connectTo(host).latest(BRANCHES), isUntrusted);
    assert.deepEqual(host.requests, []);
  });

  test('is trusted by its CA, or without verification', async () => {
    assert.equal(await connectTo(host, { caFile }).latest(BRANCHES), undefined);
    assert.equal(await connectTo(host, { insecureSkipTLSVerify: true }).latest(BRANCHES), undefined);
  });

  test('is reached through a proxy, which sees no token, with the same trust', async () => {
    await using proxy = await startProxy(host.port);
    const through = {
      repositoryUrl: 'https://git.example/acme/app.git',
      environment: { https_proxy: proxy.url },
    };
    const isUntrusted = (error: HostError): boolean => error.code === 'TLS';
    await assert.rejects(connectTo(host, through).latest(BRANCHES), isUntrusted);
    assert.equal(await connectTo(host, { ...through, caFile }).latest(BRANCHES), undefined);
    assert.deepEqual(proxy.asked.map(({ line, authorization }) => [line, authorization]).at(-1), [
      'CONNECT git.example:443',
      undefined,
    ]);
  });

  test('is reached without the proxy where no_proxy names it', async () => {
    await using proxy = await startProxy(1);
    const environment = { https_proxy: proxy.url, no_proxy: '127.0.0.1' };
    assert.equal(await connectTo(host, { caFile, environment }).latest(BRANCHES), undefined);
    assert.deepEqual(proxy.asked, []);
  });

  test('a CA file that is not there says so', async () => {
    const named = (error: HostError): boolean => /no-such-file/.test(error.message);
    await assert.rejects(connectTo(host, { caFile: join(folder, 'no-such-file') }).latest(BRANCHES), named);
  });
});
