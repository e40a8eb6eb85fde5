import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { readProviderConfig } from '../../../registry/credential-provider/config.ts';
import { ProviderError } from '../../../registry/credential-provider/errors.ts';
import { temporaryFolder } from '../../control-plane/processes.ts';
import { API } from './programs.ts';

const ECR = {
  name: 'ecr-credential-provider',
  apiVersion: API,
  matchImages: ['*.dkr.ecr.*.amazonaws.com'],
  defaultCacheDuration: '12h',
  args: ['get-credentials'],
  env: [{ name: 'AWS_PROFILE', value: 'scan' }],
};

const config = (...providers: object[]) => ({
  apiVersion: 'kubelet.config.k8s.io/v1',
  kind: 'CredentialProviderConfig',
  providers,
});

async function written(contents: Record<string, object | string>): Promise<string> {
  const folder = temporaryFolder('provider-config');
  for (const [name, content] of Object.entries(contents))
    await writeFile(`${folder}/${name}`, typeof content === 'string' ? content : stringify(content));
  return folder;
}

describe('a CredentialProviderConfig', () => {
  it('is read from a file', async () => {
    const folder = await written({ 'config.yaml': config(ECR) });
    assert.deepEqual(await readProviderConfig(`${folder}/config.yaml`), [
      {
        name: 'ecr-credential-provider',
        apiVersion: API,
        matchImages: ['*.dkr.ecr.*.amazonaws.com'],
        defaultCacheMs: 12 * 3_600_000,
        args: ['get-credentials'],
        env: { AWS_PROFILE: 'scan' },
      },
    ]);
  });

  it('is read from the files of a folder, in their order', async () => {
    const folder = await written({
      'b.json': JSON.stringify(config({ ...ECR, name: 'b' })),
      'a.yml': config({ ...ECR, name: 'a' }),
      'notes.txt': 'nothing',
    });
    assert.deepEqual(
      (await readProviderConfig(folder)).map(({ name }) => name),
      ['a', 'b'],
    );
  });

  for (const [what, content, message] of [
    ['no provider', config(), /providers: /],
    ['another kind', { ...config(ECR), kind: 'KubeletConfiguration' }, /kind: /],
    [
      'a name with a slash',
      config({ ...ECR, name: '../sh' }),
      /providers\.0\.name: must be the name of a file/,
    ],
    ['no images', config({ ...ECR, matchImages: [] }), /providers\.0\.matchImages/],
    [
      'no duration',
      config({ ...ECR, defaultCacheDuration: undefined }),
      /providers\.0\.defaultCacheDuration/,
    ],
    ['a duration in days', config({ ...ECR, defaultCacheDuration: '1d' }), /"1d" is not a duration/],
    ['another protocol', config({ ...ECR, apiVersion: 'v2' }), /providers\.0\.apiVersion/],
    ['tokens of pods', config({ ...ECR, tokenAttributes: {} }), /tokenAttributes: is not supported/],
    ['one twice', config(ECR, ECR), /ecr-credential-provider comes twice/],
    ['two documents', '---\na: 1\n---\nb: 1\n', /must hold one document/],
    ['broken YAML', 'providers: [', /the credential providers of .*config\.yaml: /],
  ] as const) {
    it(`with ${what} is refused, with the file and the place`, async () => {
      const folder = await written({ 'config.yaml': content });
      await assert.rejects(readProviderConfig(`${folder}/config.yaml`), (error) => {
        assert.ok(error instanceof ProviderError);
        assert.equal(error.code, 'InvalidProviderConfig');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('that is not there, or a folder without any, is refused', async () => {
    await assert.rejects(readProviderConfig('/nowhere'), /ENOENT/);
    await assert.rejects(
      readProviderConfig(await written({ 'notes.txt': '' })),
      /has no \.json, \.yaml or \.yml/,
    );
  });
});
