import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '../../kube/errors.ts';
import type { Credential } from '../../registry/credentials.ts';
import { CredentialsError } from '../../registry/credentials.ts';
import { RegistryError } from '../../registry/errors.ts';
import { type ScanDependencies, scanImage } from '../../reconciler/scan.ts';
import { SecretError } from '../../reconciler/secrets.ts';
import { DIGEST, imageScan } from './samples.ts';

type Scanned = Awaited<ReturnType<typeof scanImage>>;

interface World {
  readonly tags?: readonly string[];
  readonly listTags?: () => Promise<string[]>;
  readonly resolve?: () => Promise<{ digest: string; mediaType: string }>;
  readonly readPullSecret?: ScanDependencies['readPullSecret'];
  readonly signal?: AbortSignal;
}

/** Scans an image with this spec; the registry's calls are in `calls`. */
async function scan(
  spec: object,
  { status = {}, ...world }: World & { status?: object } = {},
): Promise<Scanned & { calls: unknown[] }> {
  const calls: unknown[] = [];
  const {
    tags = ['1.0.0', '1.1.0'],
    listTags = async () => [...tags],
    resolve = async () => ({ digest: DIGEST, mediaType: 'application/vnd.oci.image.index.v1+json' }),
    readPullSecret = () => assert.fail('no Secret is named'),
    signal = new AbortController().signal,
  } = world;
  const result = await scanImage(imageScan({ spec, status }), {
    registry: {
      listTags: (reference, { credentials }) => {
        calls.push(['list', `${reference.registry}/${reference.repository}`, credentials]);
        return listTags();
      },
      resolve: (reference, { credentials }) => {
        calls.push(['resolve', `${reference.repository}:${reference.tag}`, credentials]);
        return resolve();
      },
      close: async () => {},
    },
    readPullSecret,
    signal,
  });
  return { ...result, calls };
}

const reasonOf = (result: Scanned): string => (result.kind === 'failed' ? result.reason : result.kind);
const messageOf = (result: Scanned): string => (result.kind === 'failed' ? result.message : '');

describe('scanImage', () => {
  it('gives the tag that the policy chooses, with its digest, and the name as it was written', async () => {
    assert.deepEqual(await scan({ image: 'nginx', policy: { semver: { range: '<1.1' } } }), {
      kind: 'selected',
      value: {
        name: 'nginx',
        canonicalName: 'index.docker.io/library/nginx',
        tag: '1.0.0',
        digest: DIGEST,
      },
      tagCount: 2,
      calls: [
        ['list', 'index.docker.io/library/nginx', []],
        ['resolve', 'library/nginx:1.0.0', []],
      ],
    });
  });

  it('takes no notice of a tag or digest in the spec', async () => {
    const { calls } = await scan({ image: `registry.example/web:old@${DIGEST}` });
    assert.deepEqual(calls[1], ['resolve', 'web:1.1.0', []]);
  });

  it('shows the registry what the pull secret has for it', async () => {
    const credential: Credential = { username: 'me', password: 'secret' };
    const asked: string[] = [];
    const { calls } = await scan(
      { image: 'registry.example/web', secretRef: { name: 'pull' } },
      {
        readPullSecret: async (namespace, name) => {
          asked.push(`${namespace}/${name}`);
          return {
            entries: [
              { key: 'registry.example', credential },
              { key: 'other.example', credential: { username: 'other', password: 'other' } },
            ],
          };
        },
      },
    );
    assert.deepEqual(asked, ['team/pull']);
    assert.deepEqual(calls[0], ['list', 'registry.example/web', [credential]]);
  });

  it('passes a warning of the policy on', async () => {
    const result = await scan({}, { tags: ['1.0.0', '2024'] });
    assert.match(
      result.kind === 'selected' ? (result.warning ?? '') : '',
      /^2024 counts as version 2024\.0\.0/,
    );
  });

  for (const [spec, reason, message] of [
    [{ image: 'Registry.Example/WEB' }, 'InvalidImage', /could not parse reference: Registry\.Example\/WEB/],
    [{ policy: { semver: { range: 'newest' } } }, 'InvalidRange', /newest/],
    [{ policy: { numerical: { order: 'asc' } } }, 'UnsupportedPolicy', /numerical is not supported yet/],
    [{ interval: '1d' }, 'InvalidInterval', /"1d" is not a duration/],
  ] as const) {
    it(`says of a spec that cannot be followed ${reason}, without a question to the registry`, async () => {
      const result = await scan(spec);
      assert.equal(reasonOf(result), reason);
      assert.match(messageOf(result), message);
      assert.deepEqual(result.calls, []);
    });
  }

  it('says why a pull secret is of no use', async () => {
    const spec = { secretRef: { name: 'pull' } };
    const failing = (error: Error): World => ({
      readPullSecret: async () => {
        throw error;
      },
    });
    const missing = await scan(
      spec,
      failing(new SecretError('SecretNotFound', 'Secret team/pull does not exist')),
    );
    assert.equal(reasonOf(missing), 'SecretNotFound');
    const wrong = await scan(spec, failing(new CredentialsError('WrongSecretType', 'it is Opaque')));
    assert.equal(reasonOf(wrong), 'WrongSecretType');
    assert.deepEqual(wrong.calls, []);
  });

  it('says what the registry refused, and for how long', async () => {
    const error = new RegistryError('RateLimited', 'slow down', { retryAfterMs: 5000 });
    const { calls: _, ...result } = await scan({}, { listTags: () => Promise.reject(error) });
    assert.deepEqual(result, {
      kind: 'failed',
      reason: 'RateLimited',
      message: 'slow down',
      retryAfterMs: 5000,
    });
  });

  it('says that there is nothing to choose from, or nothing that may be chosen, and of how many tags', async () => {
    const { calls: _a, ...none } = await scan({}, { tags: [] });
    assert.deepEqual(none, { kind: 'failed', reason: 'NoTags', message: 'no tag found', tagCount: 0 });
    const { calls: _b, ...noMatch } = await scan({ policy: { semver: { range: '^9' } } });
    assert.deepEqual(noMatch, {
      kind: 'failed',
      reason: 'NoMatch',
      message: 'no available version matching ^9',
      tagCount: 2,
    });
  });

  it('knows the number of tags though the digest could not be had', async () => {
    const gone = new RegistryError('NotFound', 'the tag is gone');
    const { calls: _, ...result } = await scan({}, { resolve: () => Promise.reject(gone) });
    assert.deepEqual(result, {
      kind: 'failed',
      reason: 'NotFound',
      message: 'the tag is gone',
      tagCount: 2,
    });
  });

  describe('of an image whose tag in force was deleted', () => {
    const inForce = (latestTag: string) => ({
      canonicalImageName: 'registry.example/web',
      latestTag,
      observedGeneration: 1,
    });

    it('does not go back to an older one', async () => {
      const { calls, ...result } = await scan({}, { tags: ['1.0.0'], status: inForce('1.1.0') });
      assert.deepEqual(result, {
        kind: 'failed',
        reason: 'TagGone',
        message:
          '1.1.0 is in force but gone from the registry, which has nothing newer; push it again, or change the spec to go back',
        tagCount: 1,
      });
      assert.equal(calls.length, 1);
    });

    it('goes on to a newer one, and to an equal one of another spelling', async () => {
      for (const tag of ['1.2.0', 'v1.1.0']) {
        const result = await scan({}, { tags: ['1.0.0', tag], status: inForce('1.1.0') });
        assert.equal(result.kind === 'selected' && result.value.tag, tag);
      }
    });

    it('goes back when a person changed the spec, or the policy does not want it any more', async () => {
      const changed = { ...inForce('1.1.0'), observedGeneration: 0 };
      const otherImage = { ...inForce('1.1.0'), canonicalImageName: 'registry.example/api' };
      for (const status of [changed, otherImage]) {
        const result = await scan({}, { tags: ['1.0.0'], status });
        assert.equal(result.kind === 'selected' && result.value.tag, '1.0.0');
      }
      const policy = { semver: { range: '<1.1' } };
      const result = await scan({ policy }, { tags: ['1.0.0'], status: inForce('1.1.0') });
      assert.equal(result.kind === 'selected' && result.value.tag, '1.0.0');
    });

    it('says that there are no tags at all when there are none', async () => {
      assert.equal(reasonOf(await scan({}, { tags: [], status: inForce('1.1.0') })), 'NoTags');
    });
  });

  it('throws what is no fault of the scan', async () => {
    const down = new ApiError('Unreachable', 'no API server');
    await assert.rejects(
      scan({ secretRef: { name: 'pull' } }, { readPullSecret: () => Promise.reject(down) }),
      down,
    );
    const bug = new TypeError('undefined is not a function');
    await assert.rejects(scan({}, { listTags: () => Promise.reject(bug) }), bug);
  });

  it('is no failed scan when it was told to end', async () => {
    const abort = new AbortController();
    const reason = new Error('deposed');
    const listTags = (): Promise<string[]> => {
      abort.abort(reason);
      return Promise.reject(new RegistryError('Unreachable', 'the connection was closed'));
    };
    await assert.rejects(scan({}, { listTags, signal: abort.signal }), reason);
  });
});
