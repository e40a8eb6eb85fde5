import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CodedError } from '../../../core/errors.ts';
import { gitAccess } from '../../../reconciler/write-back/git-access.ts';
import { gitRepo } from '../samples.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

describe('gitAccess', () => {
  let cacheDirectory: string;
  before(async () => {
    cacheDirectory = await mkdtemp(join(tmpdir(), 'fleetscan-access-'));
  });
  after(() => rm(cacheDirectory, { recursive: true }));

  /** The access to a GitRepo with this spec, in a cluster with this Secret; what was asked is in `asked`. */
  async function access(spec: object, secret?: object) {
    const asked: object[] = [];
    const get = async (path: object): Promise<unknown> => {
      asked.push(path);
      return secret;
    };
    const { signal } = new AbortController();
    const given = await gitAccess(gitRepo({ spec }), { client: { get }, cacheDirectory, signal });
    return { ...given, asked };
  }

  const failsWith = (code: string, message: RegExp) => (error: unknown) =>
    error instanceof CodedError && error.code === code && message.test(error.message);

  it('needs no Secret for a repository that all may read and write', async () => {
    assert.deepEqual(await access({}), {
      url: 'https://git.example/apps.git',
      insecureSkipTLSVerify: false,
      asked: [],
    });
  });

  it('reads user and password from the Secret of its own namespace', async () => {
    const data = { username: base64('me'), password: base64('a: b\u{FC}') };
    const { credential, asked } = await access(
      { clientSecretName: 'git' },
      { type: 'kubernetes.io/basic-auth', data },
    );
    assert.deepEqual(credential, { username: 'me', password: 'a: b\u{FC}' });
    assert.deepEqual(
      asked.map((path) => ({ ...path, resource: undefined })),
      [{ resource: undefined, namespace: 'team', name: 'git' }],
    );
  });

  it('takes a password alone, as some hosts want a token', async () => {
    const secret = { type: 'kubernetes.io/basic-auth', data: { password: base64('token') } };
    const { credential } = await access({ clientSecretName: 'git' }, secret);
    assert.deepEqual(credential, { username: '', password: 'token' });
  });

  it('refuses a Secret of another type, and says which it takes', async () => {
    const secret = { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': base64('key') } };
    await assert.rejects(
      access({ clientSecretName: 'git' }, secret),
      failsWith(
        'WrongSecretType',
        /^Secret team\/git is of type kubernetes\.io\/ssh-auth; .* kubernetes\.io\/basic-auth$/,
      ),
    );
    await assert.rejects(access({ clientSecretName: 'git' }, {}), failsWith('WrongSecretType', /Opaque/));
  });

  it('refuses a Secret without a password', async () => {
    const secret = { type: 'kubernetes.io/basic-auth', data: { username: base64('me') } };
    await assert.rejects(
      access({ clientSecretName: 'git' }, secret),
      failsWith('InvalidSecret', /^Secret team\/git has no key password$/),
    );
  });

  it('puts the certificates of caBundle into a file for git', async () => {
    const { caFile = '' } = await access({ caBundle: base64(CERTIFICATE) });
    assert.equal(await readFile(caFile, 'utf8'), CERTIFICATE);
    const again = await access({ caBundle: base64(CERTIFICATE) });
    assert.equal(again.caFile, caFile);
    const other = await access({ caBundle: base64(`${CERTIFICATE}\n`) });
    assert.notEqual(other.caFile, caFile);
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
