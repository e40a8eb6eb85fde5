import { readFile } from 'node:fs/promises';
import type { Reference } from '../core/reference.ts';
import { type Credential, credentialsFor, parsePullSecret } from '../registry/credentials.ts';

/**
 * What a Docker configuration, such as `~/.docker/config.json`, has for an image.
 *
 * @returns none without a file
 * @throws {CredentialsError} when it is not one, or its passwords are in a credential store
 * @throws {Error} of the file system
 */
export async function dockerCredentials(
  file: string | undefined,
  reference: Reference,
): Promise<Credential[]> {
  if (file === undefined) return [];
  const content = (await readFile(file)).toString('base64');
  const type = 'kubernetes.io/dockerconfigjson';
  const data = { '.dockerconfigjson': content };
  return credentialsFor([parsePullSecret({ namespace: 'file', name: file, type, data })], reference);
}
