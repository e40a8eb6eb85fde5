import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError } from '../../core/errors.ts';
import { ApiError } from '../../kube/errors.ts';
import { readSecret, SecretError } from '../../kube/secret.ts';

const { signal } = new AbortController();
const read = (get: () => Promise<unknown>) => readSecret({ get }, 'team', 'pull', signal);
const failsWith = (code: ApiError['code']) => () => Promise.reject(new ApiError(code, 'the server says no'));

describe('readSecret', () => {
  it('gives the values as the API has them, in base64', async () => {
    const object = {
      metadata: { name: 'pull' },
      type: 'kubernetes.io/basic-auth',
      data: { password: 'eA==' },
    };
    assert.deepEqual(await read(async () => object), {
      namespace: 'team',
      name: 'pull',
      type: 'kubernetes.io/basic-auth',
      data: { password: 'eA==' },
    });
  });

  it('takes a Secret without a type and without data for an empty one of the type Opaque', async () => {
    const { type, data } = await read(async () => ({}));
    assert.deepEqual({ type, data }, { type: 'Opaque', data: {} });
  });

  it('names the Secret that is not there, or that it may not read', async () => {
    await assert.rejects(read(failsWith('NotFound')), (error) => {
      assert.ok(error instanceof SecretError);
      assert.equal(error.code, 'SecretNotFound');
      assert.equal(error.message, 'Secret team/pull does not exist; create it');
      return true;
    });
    await assert.rejects(read(failsWith('Forbidden')), (error) => {
      assert.ok(error instanceof SecretError);
      assert.equal(error.code, 'SecretForbidden');
      assert.match(error.message, /Secret team\/pull .*rbac\.secretNamespaces/);
      return true;
    });
  });

  it('does not take an API server that cannot be asked for a mistake in the spec', async () => {
    await assert.rejects(
      read(failsWith('Unreachable')),
      (error) => error instanceof CodedError && error.code === 'Unreachable',
    );
  });
});
