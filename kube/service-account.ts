import { z } from 'zod';
import { CodedError } from '../core/errors.ts';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import { SERVICE_ACCOUNTS } from './resource.ts';

/** Thrown by {@link readImagePullSecrets}. */
export class ServiceAccountError extends CodedError<'ServiceAccountNotFound' | 'ServiceAccountForbidden'> {}

const serviceAccount = z.object({
  imagePullSecrets: z.array(z.object({ name: z.string().default('') })).nullish(),
});

/**
 * The names of the Secrets with which a ServiceAccount's pods pull images.
 *
 * @throws {ServiceAccountError} when it is not there or we may not read it
 * @throws {ApiError} when the API server cannot be asked
 */
export async function readImagePullSecrets(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const object = await client.get({ resource: SERVICE_ACCOUNTS, namespace, name }, signal);
    const { imagePullSecrets } = serviceAccount.parse(object);
    return (imagePullSecrets ?? []).flatMap(({ name }) => (name === '' ? [] : [name]));
  } catch (error) {
    const code = error instanceof ApiError ? error.code : undefined;
    const what = `ServiceAccount ${namespace}/${name}`;
    if (code === 'NotFound')
      throw new ServiceAccountError('ServiceAccountNotFound', `${what} does not exist; create it`);
    if (code === 'Forbidden') {
      const message = `reading ${what} is not allowed; see rbac.secretNamespaces of the chart`;
      throw new ServiceAccountError('ServiceAccountForbidden', message);
    }
    throw error;
  }
}
