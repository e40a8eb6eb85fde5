import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseReference } from '../../core/reference.ts';
import { createRegistryClient } from '../../registry/client.ts';
import { proxyAuthorization, proxyFor } from '../../registry/proxy.ts';
import { createAuthority } from '../control-plane/certificates.ts';
import { startProxy } from '../fakes/proxy.ts';
import { startFakeRegistry } from '../fakes/registry.ts';
import { ANONYMOUS, failure } from './harness.ts';

const PROXY = 'http://proxy.example:3128';

describe('the proxy for an origin', () => {
  for (const [origin, environment, want] of [
    ['https://ghcr.io', { HTTPS_PROXY: PROXY }, PROXY],
    ['https://ghcr.io', { https_proxy: PROXY }, PROXY],
    ['https://ghcr.io', { HTTP_PROXY: PROXY }, undefined],
    ['http://reg.example', { HTTP_PROXY: PROXY }, PROXY],
    ['https://ghcr.io', { ALL_PROXY: PROXY }, PROXY],
    ['https://ghcr.io', { HTTPS_PROXY: 'proxy.example:3128' }, PROXY],
    ['https://ghcr.io', { HTTPS_PROXY: 'socks5://proxy.example' }, undefined],
    ['https://ghcr.io', { HTTPS_PROXY: PROXY, NO_PROXY: '*' }, undefined],
    ['https://ghcr.io', { HTTPS_PROXY: PROXY, NO_PROXY: 'example.com, ghcr.io' }, undefined],
    ['https://a.ghcr.io', { HTTPS_PROXY: PROXY, no_proxy: 'ghcr.io' }, undefined],
    ['https://ghcr.io', { HTTPS_PROXY: PROXY, NO_PROXY: '.ghcr.io' }, PROXY],
    ['https://a.ghcr.io', { HTTPS_PROXY: PROXY, NO_PROXY: '.ghcr.io' }, undefined],
    ['https://a.ghcr.io', { HTTPS_PROXY: PROXY, NO_PROXY: '*.ghcr.io' }, undefined],
    ['https://notghcr.io', { HTTPS_PROXY: PROXY, NO_PROXY: 'ghcr.io' }, PROXY],
    ['https://ghcr.io', { HTTPS_PROXY: PROXY, NO_PROXY: 'GHCR.IO:443' }, undefined],
    ['https://ghcr.io:8443', { HTTPS_PROXY: PROXY, NO_PROXY: 'ghcr.io:443' }, PROXY],
    ['https://10.1.2.3', { HTTPS_PROXY: PROXY, NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { HTTPS_PROXY: PROXY, NO_PROXY: '10.0.0.0/8' }, PROXY],
    ['https://[fd00::1]', { HTTPS_PROXY: PROXY, NO_PROXY: 'fd00::/8' }, undefined],
    ['https://10.1.2.3', { HTTPS_PROXY: PROXY, NO_PROXY: '10.0.0.0/99, nonsense/8' }, PROXY],
    ['https://localhost:5000', { HTTPS_PROXY: PROXY }, undefined],
    ['http://127.0.0.1:5000', { HTTP_PROXY: PROXY }, undefined],
    ['https://[::1]:5000', { HTTPS_PROXY: PROXY }, undefined],
    ['https://ghcr.io', {}, undefined],
  ] as const) {
    it(`${origin} with ${JSON.stringify(environment)} is ${want ?? 'none'}`, () => {
      assert.equal(proxyFor(new URL(origin), environment)?.origin, want);
    });
  }
});

describe('the credentials of a proxy', () => {
  for (const [userinfo, want] of [
    ['', undefined],
    ['user:word@', 'user:word'],
    ['user@', 'user:'],
    ['a%40b:c%3Ad@', 'a@b:c:d'],
    ['user:100%@', 'user:100%'],
    ['user:%zz%41@', 'user:%zzA'],
    ['user:p%C3%A4ss@', 'user:p\u00e4ss'],
    ['user:%ff@', 'user:\xff'],
  ] as const) {
    it(`of http://${userinfo}proxy are ${want ?? 'none'}`, () => {
      const shown = proxyAuthorization(new URL(`http://${userinfo}proxy`));
      const encoding = want === 'user:\xff' ? 'latin1' : 'utf8';
      assert.equal(
        shown,
        want === undefined ? '' : `Basic ${Buffer.from(want, encoding).toString('base64')}`,
      );
    });
  }
});

describe('a registry behind a proxy', () => {
  it('is asked in plain HTTP through it, with the credentials of its URL, which no message tells', async () => {
    await using registry = await startFakeRegistry();
    registry.push('app', '1.0');
    await using proxy = await startProxy(Number(registry.host.split(':')[1]));
    const url = proxy.url.replace('http://', 'http://user:pass-word@');
    const client = createRegistryClient({
      insecureHosts: ['reg.example'],
      environment: { HTTP_PROXY: url, NO_PROXY: 'other.example' },
    });
    const { tags } = await client.listTags(parseReference('reg.example/app'), ANONYMOUS);
    assert.deepEqual(tags, ['1.0']);
    assert.deepEqual(proxy.asked, [
      {
        line: 'GET http://reg.example/v2/app/tags/list?n=1000',
        authorization: `Basic ${btoa('user:pass-word')}`,
      },
    ]);
    await proxy[Symbol.asyncDispose]();
    const error = await failure(client.listTags(parseReference('reg.example/app'), ANONYMOUS), 'Unreachable');
    assert.doesNotMatch(error.message, /pass-word/);
    await client.close();
  });

  it('is asked by TLS through it, to the end and with the certificates for it', async () => {
    const authority = await createAuthority('company');
    const { certificate: cert, key } = await authority.issueServer(['reg.example'], []);
    await using registry = await startFakeRegistry({}, { cert, key });
    registry.push('acme/app', '1.0');
    await using proxy = await startProxy(Number(registry.host.split(':')[1]));
    const client = createRegistryClient({ environment: { HTTPS_PROXY: proxy.url } });
    const reference = parseReference('reg.example/acme/app');
    await failure(client.listTags(reference, ANONYMOUS), 'TLS');
    const { tags } = await client.listTags(reference, { ...ANONYMOUS, ca: authority.certificate });
    assert.deepEqual(tags, ['1.0']);
    assert.equal(proxy.asked.at(-1)?.line, 'CONNECT reg.example:443');
    await client.close();
  });

  it("is Unreachable, with the proxy's answer and not its password, where that refuses", async () => {
    await using proxy = await startProxy(1, { refuse: 407 });
    const url = proxy.url.replace('http://', 'http://user:pass-word%@');
    const client = createRegistryClient({ environment: { HTTPS_PROXY: url } });
    const error = await failure(client.listTags(parseReference('reg.example/app'), ANONYMOUS), 'Unreachable');
    assert.match(error.message, /407/);
    assert.doesNotMatch(error.message, /pass-word/);
    await client.close();
  });
});
