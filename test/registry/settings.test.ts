import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { parseReference } from '../../core/reference.ts';
import { createRegistryClient } from '../../registry/client.ts';
import {
  DEFAULT_SETTINGS,
  type HostSettings,
  loadRegistrySettings,
  SettingsError,
} from '../../registry/settings.ts';
import { createAuthority } from '../control-plane/certificates.ts';
import { temporaryFolder } from '../control-plane/processes.ts';
import { startFakeRegistry } from '../fakes/registry.ts';
import { ALICE, ANONYMOUS, failure, settingsOf } from './harness.ts';

async function written(content: string): Promise<string> {
  const file = `${temporaryFolder('settings')}/registries.yaml`;
  await writeFile(file, content);
  return file;
}

describe('the settings of registries', () => {
  it('are read from YAML, the host in any case', async () => {
    const settings = await loadRegistrySettings(
      await written('registries:\n- {host: "Reg.example:5000", plainHTTP: true, concurrency: 9}\n'),
    );
    assert.deepEqual(settings.for('reg.EXAMPLE:5000'), {
      ...DEFAULT_SETTINGS,
      plainHTTP: true,
      concurrency: 9,
    });
    assert.deepEqual(settings.for('reg.example'), DEFAULT_SETTINGS);
  });

  for (const [content, message] of [
    ['registries: [{host: "https://reg.example"}]', /registries\.0\.host: must be a host/],
    ['registries: [{host: a, plainHttp: true}]', /registries\.0: .*plainHttp/],
    ['registries: [{host: a, requestsPerSecond: 0}, {}]', /requestsPerSecond.*registries\.1\.host/],
    ['registries: [{host: a}, {host: A}]', /registries\.1\.host: a is there twice/],
    ['registries: [{host: a, caFile: /nowhere/ca.crt}]', /ENOENT.*\/nowhere\/ca\.crt/],
    [
      'registries: [{host: a, caFile: /dev/null}]',
      /registries\.0\.caFile: \/dev\/null holds no certificates in PEM/,
    ],
    ['registries: [{host: docker.io}, {host: index.docker.io}]', /index\.docker\.io is there twice/],
    [
      'registries: [{host: a, caFile: /nowhere/1}, {host: b, caFile: /nowhere/2}, {host: a}]',
      /registries\.0\.caFile: .*registries\.1\.caFile: .*registries\.2\.host: a is there twice/,
    ],
    ['registries: [', /the settings of registries in .*registries\.yaml: /],
    ['[]', /the file: /],
  ] as const) {
    it(`are refused with the place: ${content}`, async () => {
      await assert.rejects(loadRegistrySettings(await written(content)), (error) => {
        assert.ok(error instanceof SettingsError);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('hold for Docker Hub by whichever of its names', async () => {
    const settings = await loadRegistrySettings(
      await written('registries: [{host: docker.io, concurrency: 2}]'),
    );
    for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io'])
      assert.equal(settings.for(name).concurrency, 2);
    assert.equal(settings.for('auth.docker.io').concurrency, 4);
  });

  it('are read again, and stay as they were when that fails', async () => {
    const file = await written('registries: [{host: a, plainHTTP: true}]');
    const settings = await loadRegistrySettings(file);
    await writeFile(file, 'registries: [{host: a, concurrency: 2}]');
    await settings.reload();
    assert.deepEqual(settings.for('a'), { ...DEFAULT_SETTINGS, concurrency: 2 });
    await writeFile(file, 'nonsense');
    await assert.rejects(settings.reload(), SettingsError);
    assert.equal(settings.for('a').concurrency, 2);
  });
});

describe('a registry with a certificate of a private CA', () => {
  const tls = async (name: string): Promise<{ ca: string; tls: { cert: string; key: string } }> => {
    const authority = await createAuthority(name);
    const { certificate: cert, key } = await authority.issueServer([], ['127.0.0.1']);
    return { ca: authority.certificate, tls: { cert, key } };
  };

  it('is trusted by the CA of the settings, by that of the access, and unverified where its host is named so', async () => {
    const company = await tls('company');
    const other = await tls('other');
    await using registry = await startFakeRegistry({}, company.tls);
    registry.push('app', '1.0');
    const list = async (host: Partial<HostSettings>, ca?: string): Promise<readonly string[]> => {
      const client = createRegistryClient({ settings: settingsOf(host) });
      try {
        const reference = parseReference(`${registry.host}/app`);
        return (await client.listTags(reference, { ...ANONYMOUS, ca })).tags;
      } finally {
        await client.close();
      }
    };
    await failure(list({ plainHTTP: false }), 'TLS', /its certificate must be valid/);
    await failure(list({ ca: other.ca }), 'TLS');
    assert.deepEqual(await list({ ca: company.ca }), ['1.0']);
    assert.deepEqual(await list({ ca: other.ca }, company.ca), ['1.0']);
    assert.deepEqual(await list({}, company.ca), ['1.0']);
    assert.deepEqual(await list({ insecureSkipTLSVerify: true }), ['1.0']);
  });

  it('is trusted by a CA that is given while the client runs', async () => {
    const { ca, tls: certificate } = await tls('company');
    await using registry = await startFakeRegistry({}, certificate);
    registry.push('app', '1.0');
    let host: HostSettings = { ...DEFAULT_SETTINGS, plainHTTP: false };
    const client = createRegistryClient({ settings: { for: () => host } });
    const list = async (): Promise<readonly string[]> =>
      (await client.listTags(parseReference(`${registry.host}/app`), ANONYMOUS)).tags;
    await failure(list(), 'TLS');
    host = { ...host, ca };
    assert.deepEqual(await list(), ['1.0']);
    host = { ...DEFAULT_SETTINGS, plainHTTP: false };
    await failure(list(), 'TLS', /its certificate must be valid/);
    await client.close();
  });

  it('is trusted with its token server, and keeps its credentials to itself', async () => {
    const { ca, tls: certificate } = await tls('company');
    await using tokens = await startFakeRegistry(
      { auth: 'Bearer', users: { [ALICE.username]: ALICE.password } },
      certificate,
    );
    await using registry = await startFakeRegistry({ auth: 'Bearer' }, certificate);
    registry.dialect.challenges = [`Bearer realm="${tokens.origin}/token",service="fake"`];
    const client = createRegistryClient();
    const reference = parseReference(`${registry.host}/app`);
    await failure(client.listTags(reference, { credentials: [ALICE], ca }), 'Unauthorized');
    assert.equal(tokens.requests.length > 0, true);
    assert.ok(tokens.requests.some(({ headers }) => headers.authorization?.startsWith('Basic ')));
    for (const { headers } of registry.requests) assert.doesNotMatch(headers.authorization ?? '', /^Basic/);
    await client.close();
  });
});
