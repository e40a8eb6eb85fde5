import { z } from 'zod';
import { CodedError } from '../core/errors.ts';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import { CONFIG_MAPS } from './resource.ts';

/** Thrown by {@link readConfigMap}. */
export class ConfigMapError extends CodedError<'ConfigMapNotFound' | 'ConfigMapForbidden'> {}

const configMapSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** Where a namespaced object is. */
export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Reads the texts of one ConfigMap, by their keys.
 *
 * @throws {ConfigMapError} when it is not there or we may not read it
 * @throws {ApiError} when the API server cannot be asked
 */
export async function readConfigMap(
  client: Pick<KubeClient, 'get'>,
  { namespace, name }: NamespacedName,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  try {
    const object = await client.get({ resource: CONFIG_MAPS, namespace, name }, signal);
    return configMapSchema.parse(object).data;
  } catch (error) {
    const code = error instanceof ApiError ? error.code : undefined;
    if (code === 'NotFound') {
      throw new ConfigMapError('ConfigMapNotFound', `ConfigMap ${namespace}/${name} does not exist`);
    }
    if (code === 'Forbidden') {
      const message = `reading ConfigMap ${namespace}/${name} is not allowed`;
      throw new ConfigMapError('ConfigMapForbidden', message);
    }
    throw error;
  }
}
