import { z } from 'zod';
import { CodedError } from '../core/errors.ts';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import { SECRETS } from './resource.ts';

/** Thrown by {@link readSecret}. */
export class SecretError extends CodedError<'SecretNotFound' | 'SecretForbidden'> {}

const secretSchema = z.object({
  type: z.string().default('Opaque'),
  data: z.record(z.string(), z.string()).default({}),
});

/** A Secret as the API has it: values in base64. */
export interface Secret extends z.output<typeof secretSchema> {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Reads one Secret.
 *
 * @throws {SecretError} when it is not there or we may not read it
 * @throws {ApiError} when the API server cannot be asked
 */
export async function readSecret(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Secret> {
  // Asked for no name, the API server would give a list.
  if (name === '') throw new SecretError('SecretNotFound', 'a Secret is referred to without its name');
  try {
    const object = await client.get({ resource: SECRETS, namespace, name }, signal);
    return { ...secretSchema.parse(object), namespace, name };
  } catch (error) {
    const code = error instanceof ApiError ? error.code : undefined;
    if (code === 'NotFound') {
      throw new SecretError('SecretNotFound', `Secret ${namespace}/${name} does not exist; create it`);
    }
    if (code === 'Forbidden') {
      const message = `reading Secret ${namespace}/${name} is not allowed; see rbac.secretNamespaces of the chart`;
      throw new SecretError('SecretForbidden', message);
    }
    throw error;
  }
}
