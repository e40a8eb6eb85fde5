import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../../core/errors.ts';
import type { GitCredential } from '../../git/repository.ts';
import type { KubeClient } from '../../kube/client.ts';
import { readSecret, type Secret } from '../../kube/secret.ts';
import type { StoredGitRepo } from '../stores.ts';

/** Thrown by {@link gitAccess}. */
export class AccessError extends CodedError<'WrongSecretType' | 'InvalidSecret' | 'InvalidCABundle'> {}

/** How to reach a GitRepo's repository. */
export interface GitAccess {
  readonly url: string;
  readonly credential?: GitCredential;
  /** File with the certificates that the server is verified with. */
  readonly caFile?: string;
  readonly insecureSkipTLSVerify: boolean;
}

/**
 * Gathers what it takes to talk to a GitRepo's repository: URL, credentials from its Secret, certificates.
 *
 * @param cacheDirectory where the certificates are put for git to read
 * @throws {AccessError | SecretError}
 */
export async function gitAccess(
  { namespace, spec }: StoredGitRepo,
  {
    client,
    cacheDirectory,
    signal,
  }: { client: Pick<KubeClient, 'get'>; cacheDirectory: string; signal: AbortSignal },
): Promise<GitAccess> {
  const credential = spec.clientSecretName
    ? basicCredential(await readSecret(client, namespace, spec.clientSecretName, signal))
    : undefined;
  const caFile = spec.caBundle ? await caBundleFile(spec.caBundle, cacheDirectory) : undefined;
  return {
    url: spec.repo,
    ...(credential && { credential }),
    ...(caFile && { caFile }),
    insecureSkipTLSVerify: spec.insecureSkipTLSVerify ?? false,
  };
}

function basicCredential({ namespace, name, type, data }: Secret): GitCredential {
  if (type !== 'kubernetes.io/basic-auth') {
    const message = `Secret ${namespace}/${name} is of type ${type}; write-back takes kubernetes.io/basic-auth`;
    throw new AccessError('WrongSecretType', message);
  }
  const { username = '', password } = data;
  if (password === undefined)
    throw new AccessError('InvalidSecret', `Secret ${namespace}/${name} has no key password`);
  return { username: decode(username), password: decode(password) };
}

async function caBundleFile(caBundle: string, cacheDirectory: string): Promise<string> {
  const pem = decode(caBundle);
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new AccessError('InvalidCABundle', 'spec.caBundle is not base64 of PEM certificates');
  }
  const file = path.join(cacheDirectory, 'ca', `${createHash('sha256').update(pem).digest('hex')}.pem`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, pem);
  return file;
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
