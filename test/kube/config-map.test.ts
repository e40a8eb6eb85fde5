import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigMapError, readConfigMap } from '../../kube/config-map.ts';
import { ApiError } from '../../kube/errors.ts';

const { signal } = new AbortController();
const read = (get: () => Promise<unknown>) =>
  readConfigMap({ get }, { namespace: 'team', name: 'hosts' }, signal);

describe('readConfigMap', () => {
  it('gives the texts', async () => {
    assert.deepEqual(await read(async () => ({ data: { a: 'x' } })), { a: 'x' });
    assert.deepEqual(await read(async () => ({})), {});
  });

  it('says which one is not there, or may not be read', async () => {
    for (const [code, wanted, message] of [
      ['NotFound', 'ConfigMapNotFound', 'ConfigMap team/hosts does not exist'],
      ['Forbidden', 'ConfigMapForbidden', 'reading ConfigMap team/hosts is not allowed'],
    ] as const) {
      await assert.rejects(
        read(() => Promise.reject(new ApiError(code, 'no'))),
        (error) => error instanceof ConfigMapError && error.code === wanted && error.message === message,
      );
    }
  });

  it('passes on what is no answer about the ConfigMap', async () => {
    const cause = new ApiError('Unreachable', 'no');
    await assert.rejects(
      read(() => Promise.reject(cause)),
      cause,
    );
  });
});
