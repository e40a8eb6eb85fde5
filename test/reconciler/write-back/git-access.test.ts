import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CodedError } from '../../../core/errors.ts';
import { GitHubAppTokens } from '../../../git/github-app-tokens.ts';
import { openRepository } from '../../../git/repository.ts';
import { ApiError } from '../../../kube/errors.ts';
import { type AccessDependencies, gitAccess } from '../../../reconciler/write-back/git-access.ts';
import { startGitServer } from '../../control-plane/git-server.ts';
import { mustRun } from '../../control-plane/run.ts';
import { makeKeyPair, startSshServer } from '../../control-plane/sshd.ts';
import { startGitHubApp } from '../../fakes/github-app.ts';
import { gitRepo } from '../samples.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const encoded = (texts: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, base64(text)]));
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

describe('gitAccess', () => {
  let cacheDirectory: string;
  before(async () => {
    cacheDirectory = await mkdtemp(join(tmpdir(), 'fleetscan-access-'));
  });
  after(() => rm(cacheDirectory, { recursive: true }));

  /** The access to a GitRepo with this spec, in a cluster with these objects by their names; what was asked is in `asked`. */
  async function access(
    spec: object,
    objects: Record<string, unknown> = {},
    dependencies: Partial<AccessDependencies> = {},
  ) {
    const asked: string[] = [];
    const get: AccessDependencies['client']['get'] = async ({ resource, namespace, name = '' }) => {
      asked.push(`${resource.plural} ${namespace}/${name}`);
      const object = objects[name];
      if (object instanceof Error) throw object;
      return object;
    };
    const given = await gitAccess(gitRepo({ spec }), {
      client: { get },
      cacheDirectory,
      environment: {},
      appTokens: new GitHubAppTokens(),
      signal: new AbortController().signal,
      ...dependencies,
    });
    return { ...given, asked };
  }

  /** The access by a Secret of this type and these texts. */
  const accessBy = (type: string, texts: Record<string, string>, spec: object = {}) =>
    access({ clientSecretName: 'git', ...spec }, { git: { type, data: encoded(texts) } });

  const failsWith = (code: string, message: RegExp) => (error: unknown) =>
    error instanceof CodedError && error.code === code && message.test(error.message);

  it('needs no Secret for a repository that all may read and write', async () => {
    assert.deepEqual(await access({}), {
      url: 'https://git.example/apps.git',
      insecureSkipTLSVerify: false,
      asked: [],
    });
  });

  describe('by kubernetes.io/basic-auth', () => {
    const type = 'kubernetes.io/basic-auth';

    it('takes user and password from the Secret of its own namespace', async () => {
      const { credential, apiCredential, asked } = await accessBy(type, {
        username: 'me',
        password: 'a: b\u{FC}',
      });
      assert.deepEqual(credential, { username: 'me', password: 'a: b\u{FC}' });
      assert.deepEqual(apiCredential, credential);
      assert.deepEqual(asked, ['secrets team/git']);
    });

    it('takes a token alone, with the user name that its host wants', async () => {
      const cases = [
        ['https://github.com/team/app', 'x-access-token'],
        ['https://acme.ghe.com/team/app', 'x-access-token'],
        ['https://gitlab.com/team/app', 'oauth2'],
        ['https://bitbucket.org/team/app', 'x-token-auth'],
        ['https://bitbucket.acme.example/scm/team/app.git', 'x-token-auth'],
        ['https://git.acme.example/team/app', 'oauth2'],
      ] as const;
      for (const [repo, username] of cases) {
        for (const texts of [{ password: 'token' }, { username: '', password: 'token\n' }]) {
          const { credential } = await accessBy(type, texts, { repo });
          assert.deepEqual(credential, { username, password: 'token' }, repo);
        }
      }
    });

    it('refuses a Secret without a password, or with one that cannot be sent', async () => {
      const wrong: [Record<string, string>, RegExp][] = [
        [{ username: 'me' }, /^Secret team\/git: there is no key password$/],
        [{ username: 'me', password: '\n' }, /^Secret team\/git: key password is empty$/],
        [{ username: 'me', password: 'a\nb' }, /key password holds a line break/],
        [{ username: 'me\0', password: 'a' }, /key username holds no text/],
      ];
      for (const [texts, message] of wrong) {
        await assert.rejects(accessBy(type, texts), failsWith('InvalidSecret', message));
      }
    });
  });

  describe('by kubernetes.io/ssh-auth', () => {
    const type = 'kubernetes.io/ssh-auth';
    const spec = { repo: 'git@git.example:team/app.git', clientSecretName: 'git' };
    const knownHosts = { namespace: 'fleet', name: 'known-hosts' };
    let key: string;
    let publicKey: string;
    let locked: string;
    before(async () => {
      ({ privateKey: key, publicKey } = await makeKeyPair('ed25519'));
      ({ privateKey: locked } = await makeKeyPair('rsa', 'secret'));
    });

    it('takes the key with the known hosts beside it', async () => {
      const given = await accessBy(type, { 'ssh-privatekey': key, known_hosts: 'git.example x y\n' }, spec);
      assert.deepEqual(given.credential, { privateKey: key, knownHosts: 'git.example x y' });
      assert.equal(given.apiCredential, undefined);
      assert.deepEqual(given.asked, ['secrets team/git']);
    });

    it('takes those of the cluster when the Secret has none', async () => {
      const git = { type, data: encoded({ 'ssh-privatekey': key }) };
      const configMap = { data: { known_hosts: 'git.example x z\n' } };
      const given = await access(spec, { git, 'known-hosts': configMap }, { knownHosts });
      assert.deepEqual(given.credential, { privateKey: key, knownHosts: 'git.example x z\n' });
      assert.deepEqual(given.asked, ['secrets team/git', 'configmaps fleet/known-hosts']);
      const none = await access(spec, { git });
      assert.deepEqual(none.credential, { privateKey: key, knownHosts: '' });
    });

    it('tells of known hosts of the cluster that cannot be read', async () => {
      const git = { type, data: encoded({ 'ssh-privatekey': key }) };
      const wrong: [unknown, RegExp][] = [
        [{ data: { hosts: 'x' } }, /ConfigMap fleet\/known-hosts, which has no key known_hosts/],
        [{}, /has no key known_hosts/],
        [apiError('NotFound'), /ConfigMap fleet\/known-hosts does not exist/],
        [apiError('Forbidden'), /reading ConfigMap fleet\/known-hosts is not allowed/],
      ];
      for (const [object, message] of wrong) {
        await assert.rejects(
          access(spec, { git, 'known-hosts': object }, { knownHosts }),
          failsWith('KnownHostsUnavailable', message),
        );
      }
    });

    it('repairs line ends of a key, which OpenSSH would not read', async () => {
      for (const text of [key.trimEnd(), key.replaceAll('\n', '\r\n'), `\n${key}\n\n`]) {
        const { credential } = await accessBy(type, { 'ssh-privatekey': text }, spec);
        assert.deepEqual(credential, { privateKey: key, knownHosts: '' });
      }
    });

    it('pushes a signed commit to a real server with what a GitRepo names', async (t) => {
      const [git, server] = await Promise.all([
        startGitServer(),
        startSshServer({ authorizedKeys: [publicKey] }),
      ]);
      t.after(() => Promise.all([git.stop(), server.stop()]));
      const { directory } = await git.createRepository('app', { a: '1' });
      const { asked, ...given } = await access(
        {
          repo: await server.serve(directory),
          clientSecretName: 'git',
          signing: { format: 'SSH', secretRef: { name: 'git' } },
        },
        {
          git: { type, data: encoded({ 'ssh-privatekey': key }) },
          'known-hosts': { data: { known_hosts: server.knownHosts } },
        },
        { knownHosts },
      );
      assert.equal(asked.length, 3);
      const environment = { PATH: process.env['PATH'] };
      const repository = await openRepository({
        directory: join(cacheDirectory, 'ssh'),
        environment,
        ...given,
      });
      const parent = await repository.fetch('main');
      const changes = [{ path: 'a', mode: '100644' as const, content: Buffer.from('2') }];
      const author = { name: 'x', email: 'x@y' };
      const commit = await repository.commit({ parent, changes, author, message: 'Update' });
      await repository.push(commit, 'main', parent);
      assert.equal(await git.head('app'), commit);
      assert.equal(await git.readFile('app', 'a'), '2');
      const { stdout } = await mustRun('git', ['--git-dir', directory, 'cat-file', 'commit', 'main']);
      assert.match(stdout, /^gpgsig -----BEGIN SSH SIGNATURE-----$/m);
    });

    it('takes a key with a passphrase, when that is there', async () => {
      const { credential } = await accessBy(type, { 'ssh-privatekey': locked, password: 'secret\n' }, spec);
      assert.deepEqual(credential, { privateKey: locked, passphrase: 'secret', knownHosts: '' });
      await assert.rejects(
        accessBy(type, { 'ssh-privatekey': locked }, spec),
        failsWith('InvalidSecret', /has a passphrase; put that under the key password/),
      );
    });

    it('says what it found in place of a private key', async () => {
      const lines = key.split('\n');
      const wrong: [string, RegExp][] = [
        [publicKey, /key ssh-privatekey holds a public key/],
        [base64(key), /in base64 twice/],
        [lines.slice(0, 3).join('\n'), /cut off, or has lost its line breaks/],
        [lines.join(' '), /cut off, or has lost its line breaks/],
        ['PuTTY-User-Key-File-3: ssh-ed25519\n', /puttygen/],
        [CERTIFICATE, /holds a CERTIFICATE/],
        ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /holds a public key/],
        ['hello', /is no private key: it does not begin with/],
        ['', /key ssh-privatekey is empty/],
      ];
      for (const [text, message] of wrong) {
        await assert.rejects(
          accessBy(type, { 'ssh-privatekey': text }, spec),
          failsWith('InvalidSecret', message),
        );
      }
      await assert.rejects(
        accessBy(type, { identity: key }, spec),
        failsWith('InvalidSecret', /no key ssh-privatekey/),
      );
    });
  });

  describe('by a GitHub App', () => {
    const ids = { github_app_id: '7', github_app_installation_id: '70' };

    it('takes a token of the installation, and another when Git refuses it', async (t) => {
      const app = await startGitHubApp({ appId: '7', installationId: '70' });
      t.after(() => app.stop());
      const { credential, apiCredential, renewCredential } = await accessBy(
        'Opaque',
        { ...ids, github_app_private_key: app.privateKey },
        { repo: `${app.url}/team/app.git` },
      );
      assert.deepEqual(credential, { username: 'x-access-token', password: 'ghs_1' });
      assert.deepEqual(apiCredential, credential);
      assert.deepEqual(await renewCredential?.(), { username: 'x-access-token', password: 'ghs_2' });
    });

    it('is let in by Git with the token that was renewed', async (t) => {
      const revoked = await startGitServer({ credential: { username: 'x-access-token', password: 'ghs_2' } });
      t.after(() => revoked.stop());
      const { url } = await revoked.createRepository('app', { a: '1' });
      const tokens = ['ghs_1', 'ghs_2', 'ghs_3'].map((password) => ({
        username: 'x-access-token',
        password,
      }));
      const [credential, ...more] = tokens;
      assert.ok(credential);
      const asked: number[] = [];
      const repository = await openRepository({
        directory: join(cacheDirectory, 'renewed'),
        environment: { PATH: process.env['PATH'] },
        url,
        credential,
        renewCredential: async () => {
          asked.push(1);
          return more.shift() ?? credential;
        },
      });
      assert.equal(await repository.remoteHead('main'), await revoked.head('app'));
      assert.equal(await repository.fetch('main'), await revoked.head('app'));
      assert.equal(asked.length, 1);
    });

    it('refuses what is no App', async () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const key = privateKey.export({ type: 'pkcs1', format: 'pem' });
      const other = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
      const all = { ...ids, github_app_private_key: key };
      const wrong: [Record<string, string>, RegExp][] = [
        [{ github_app_id: '7' }, /no key github_app_installation_id/],
        [{ ...all, github_app_installation_id: 'x' }, /github_app_installation_id is no number/],
        [ids, /no key github_app_private_key/],
        [{ ...all, github_app_private_key: other }, /github_app_private_key is of type ed25519/],
        [{ ...all, github_app_private_key: key.replace(/\n.{40}/, '\n') }, /private_key cannot be read/],
      ];
      for (const [texts, message] of wrong) {
        await assert.rejects(accessBy('Opaque', texts), failsWith('InvalidSecret', message));
      }
      await assert.rejects(
        accessBy('Opaque', all, { repo: 'git@github.com:team/app.git' }),
        failsWith('WrongSecretType', /https:\/\/ only/),
      );
    });
  });

  it('refuses a Secret of another type, and says which it takes', async () => {
    const takes = /is of type Opaque; .*basic-auth, .*ssh-auth, or one with the keys github_app_id,/;
    await assert.rejects(accessBy('Opaque', { password: 'x' }), failsWith('WrongSecretType', takes));
    await assert.rejects(
      access({ clientSecretName: 'git' }, { git: {} }),
      failsWith('WrongSecretType', takes),
    );
  });

  describe('with a key for signing', () => {
    const signedBy = (format: string, texts: Record<string, string>) =>
      access({ signing: { format, secretRef: { name: 'key' } } }, { key: { data: encoded(texts) } });
    const ARMORED = '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n';

    it('takes it by the names of Kubernetes and of Flux', async () => {
      const { privateKey } = await makeKeyPair('ed25519');
      for (const name of ['ssh-privatekey', 'identity']) {
        const { signer, asked } = await signedBy('SSH', { [name]: privateKey });
        assert.deepEqual(signer, { format: 'SSH', privateKey });
        assert.deepEqual(asked, ['secrets team/key']);
      }
      for (const name of ['passphrase', 'password']) {
        const { signer } = await signedBy('OpenPGP', { 'git.asc': ARMORED, [name]: 'x' });
        assert.deepEqual(signer, { format: 'OpenPGP', privateKey: ARMORED, passphrase: 'x' });
      }
    });

    it('refuses what is none', async () => {
      const { privateKey: locked } = await makeKeyPair('ed25519', 'x');
      const wrong: [string, Record<string, string>, RegExp][] = [
        ['SSH', { 'git.asc': ARMORED }, /^Secret team\/key: there is no key ssh-privatekey nor identity$/],
        ['SSH', { identity: ARMORED }, /PGP PRIVATE KEY BLOCK/],
        ['SSH', { identity: locked }, /has a passphrase; put that under the key passphrase/],
        ['OpenPGP', { identity: locked }, /no key git\.asc/],
        ['OpenPGP', { 'git.asc': ARMORED.replaceAll('PRIVATE', 'PUBLIC') }, /no armored private key/],
      ];
      for (const [format, texts, message] of wrong) {
        await assert.rejects(signedBy(format, texts), failsWith('InvalidSecret', message));
      }
    });
  });

  it('puts the certificates of caBundle into a file for git', async () => {
    const { caFile = '' } = await access({ caBundle: base64(CERTIFICATE) });
    assert.equal(await readFile(caFile, 'utf8'), CERTIFICATE);
    const again = await access({ caBundle: base64(CERTIFICATE) });
    assert.equal(again.caFile, caFile);
    const other = await access({ caBundle: base64(`${CERTIFICATE}\n`) });
    assert.notEqual(other.caFile, caFile);
  });

  it('never shows a part of them to the git of another GitRepo that has the same', async () => {
    const pem = `${CERTIFICATE}\nshared\n`;
    const all = Array.from({ length: 400 }, async () => {
      const { caFile = '' } = await access({ caBundle: base64(pem) });
      return readFile(caFile, 'utf8');
    });
    assert.deepEqual(new Set(await Promise.all(all)), new Set([pem]));
  });

  it('refuses a caBundle that is no base64 of certificates', async () => {
    for (const caBundle of [CERTIFICATE, base64('certificate'), '%']) {
      await assert.rejects(access({ caBundle }), failsWith('InvalidCABundle', /base64 of PEM/));
    }
  });

  it('passes on that the server is not to be verified', async () => {
    const { insecureSkipTLSVerify } = await access({ insecureSkipTLSVerify: true });
    assert.equal(insecureSkipTLSVerify, true);
  });
});

function apiError(code: 'NotFound' | 'Forbidden'): ApiError {
  return new ApiError(code, 'refused');
}
