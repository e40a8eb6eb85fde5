import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseReference } from '../../../core/reference.ts';
import type { CredentialProvider } from '../../../registry/credential-provider/config.ts';
import { ProviderError } from '../../../registry/credential-provider/errors.ts';
import { createCredentialProviders } from '../../../registry/credential-provider/providers.ts';
import { waitFor } from '../../wait.ts';
import { ManualClock } from '../harness.ts';
import { answerOf, program, provider } from './programs.ts';

const AWS = { username: 'AWS', password: 'token-1' };
const IMAGE = parseReference('reg.example/acme/app');

async function setUp(script: string, more: Partial<CredentialProvider> = {}, environment = {}) {
  const { binDir, runs } = await program('helper', script);
  const clock = new ManualClock();
  const options = { binDir, environment: { PATH: process.env['PATH'], ...environment }, timeoutMs: 2000 };
  const providers = createCredentialProviders([provider(more)], options, clock);
  return { clock, runs, ask: (image = IMAGE) => providers.credentialsFor(image) };
}

const says = (answer: object): string => `cat <<'END'\n${JSON.stringify(answer)}\nEND`;

describe('a credential provider', () => {
  it('is asked about an image by the protocol of the kubelet, with its arguments and variables', async () => {
    const { ask, runs } = await setUp(
      `cat <<END\n${JSON.stringify(answerOf({ 'reg.example': { username: '$1-$WHO-$CLOUD', password: 'p' } }))}\nEND`,
      { args: ['get'], env: { WHO: 'me' } },
      { CLOUD: 'aws' },
    );
    assert.deepEqual(await ask(), [{ username: 'get-me-aws', password: 'p' }]);
    assert.deepEqual(
      (await runs()).map((line) => JSON.parse(line)),
      [
        {
          kind: 'CredentialProviderRequest',
          apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
          image: 'reg.example/acme/app',
        },
      ],
    );
  });

  it('is asked for the images that it is for, and no others; of its answer what matches counts', async () => {
    const auth = { 'reg.example/acme': AWS, 'reg.example/other': { username: 'x', password: 'y' } };
    const { ask, runs } = await setUp(says(answerOf(auth)), { matchImages: ['*.example', 'docker.io'] });
    assert.deepEqual(await ask(), [AWS]);
    assert.deepEqual(await ask(parseReference('quay.io/acme/app')), []);
    assert.deepEqual(await ask(parseReference('nginx')), []);
    assert.equal(JSON.parse((await runs())[1] ?? '').image, 'docker.io/library/nginx');
  });

  for (const [cacheKeyType, more] of [
    ['Image', 2],
    ['Registry', 1],
    ['Global', 0],
  ] as const) {
    it(`is asked again as little as its answer allows: ${cacheKeyType}`, async () => {
      const answer = answerOf({ '*.example': AWS }, { cacheKeyType });
      const { ask, runs } = await setUp(says(answer), { matchImages: ['*.example'] });
      for (let time = 0; time < 2; time++) {
        for (const image of ['reg.example/a', 'reg.example/b', 'new.example/c'])
          assert.deepEqual(await ask(parseReference(`${image}/app`)), [AWS]);
      }
      assert.equal((await runs()).length, 1 + more);
    });
  }

  it('is asked anew when its answer has ended, by its own word or by that of the configuration', async () => {
    for (const [cacheDuration, life] of [
      ['1m30s', 90_000],
      [undefined, 60_000],
      ['0s', 0],
    ] as const) {
      const { ask, runs, clock } = await setUp(
        says(answerOf({ 'reg.example': AWS }, cacheDuration === undefined ? {} : { cacheDuration })),
      );
      await ask();
      clock.time += life * 0.8;
      await ask();
      assert.equal((await runs()).length, life === 0 ? 2 : 1);
      clock.time += life;
      await ask();
      assert.equal((await runs()).length, life === 0 ? 3 : 2);
    }
  });

  it('is asked before its answer ends, while that is still used, and also when that fails', async () => {
    const { ask, runs, clock } = await setUp(
      `[ -e "$0.down" ] && exit 1; touch "$0.down"; ${says(answerOf({ 'reg.example': AWS }))}`,
    );
    await ask();
    clock.time += 55_000;
    assert.deepEqual(await ask(), [AWS]);
    await waitFor('the renewal', async () => ((await runs()).length === 2 ? true : undefined));
    assert.deepEqual(await ask(), [AWS], 'the renewal failed, and the answer is still good');
    clock.time += 10_000;
    await assert.rejects(ask(), ProviderError);
  });

  it('runs once for all that wait for it', async () => {
    const { ask, runs } = await setUp(`sleep 0.3; ${says(answerOf({ 'reg.example': AWS }))}`);
    const all = Array.from({ length: 100 }, (_, index) =>
      ask(parseReference(`reg.example/acme/app-${index % 10}`)),
    );
    for (const found of await Promise.all(all)) assert.deepEqual(found, [AWS]);
    assert.equal((await runs()).length, 1);
  });

  it('fails once for all that wait for it', async () => {
    const { ask, runs } = await setUp('sleep 0.3; exit 1');
    const all = Array.from({ length: 100 }, (_, index) =>
      ask(parseReference(`reg.example/acme/app-${index % 10}`)),
    );
    for (const { status } of await Promise.allSettled(all)) assert.equal(status, 'rejected');
    assert.equal((await runs()).length, 1);
  });

  for (const [what, script, message] of [
    [
      'ends with an error',
      'echo "no role" >&2; exit 3',
      /^the credential provider helper ended with 3: no role$/,
    ],
    ['prints nonsense', 'echo nonsense-secret', /does not answer with a CredentialProviderResponse/],
    ['answers in another version', says({ ...answerOf({}), apiVersion: 'v0' }), /does not answer with/],
    [
      'answers with a duration that is none',
      says(answerOf({}, { cacheDuration: '1d' })),
      /a cacheDuration that is none/,
    ],
    ['hangs', 'exec sleep 30', /did not end in 2000 ms/],
    ['prints without an end', 'exec yes', /more than 1048576 bytes/],
  ] as const) {
    it(`that ${what} has failed, and says so without what it printed`, async () => {
      const { ask } = await setUp(script);
      await assert.rejects(ask(), (error) => {
        assert.ok(error instanceof ProviderError);
        assert.equal(error.code, 'ProviderFailed');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /nonsense-secret/);
        return true;
      });
    });
  }

  it('that is not there has failed', async () => {
    const { ask } = await setUp('', { name: 'absent' });
    await assert.rejects(ask(), /the credential provider absent cannot be run: .*ENOENT/);
  });
});
