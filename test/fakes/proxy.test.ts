import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProxyAgent, request } from 'undici';
import { startProxy } from './proxy.ts';
import { startFakeRegistry } from './registry.ts';

test('passes plain requests on, whatever the host', async () => {
  await using registry = await startFakeRegistry();
  registry.push('acme/app', '1.0');
  await using proxy = await startProxy(Number(registry.host.split(':')[1]));
  const dispatcher = new ProxyAgent(proxy.url);
  const { statusCode, body } = await request('http://nowhere.example/v2/acme/app/tags/list', { dispatcher });
  assert.deepEqual([statusCode, await body.json()], [200, { name: 'acme/app', tags: ['1.0'] }]);
  assert.equal(proxy.asked[0]?.line, 'GET http://nowhere.example/v2/acme/app/tags/list');
  await dispatcher.close();
});

test('refuses to connect with the status it was told', async () => {
  await using proxy = await startProxy(1, { refuse: 407 });
  const dispatcher = new ProxyAgent(proxy.url);
  await assert.rejects(request('https://nowhere.example/', { dispatcher }), /407/);
  assert.equal(proxy.asked[0]?.line, 'CONNECT nowhere.example:443');
  await dispatcher.close();
});
