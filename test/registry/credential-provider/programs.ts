import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CredentialProvider } from '../../../registry/credential-provider/config.ts';
import { temporaryFolder } from '../../control-plane/processes.ts';

export const API = 'credentialprovider.kubelet.k8s.io/v1';

/** An answer of a provider, in its form. */
export function answerOf(
  auth: Record<string, { username: string; password: string }>,
  { cacheKeyType = 'Registry', cacheDuration }: { cacheKeyType?: string; cacheDuration?: string } = {},
): object {
  return { kind: 'CredentialProviderResponse', apiVersion: API, cacheKeyType, cacheDuration, auth };
}

/** Writes a program into a folder of its own: a script of the shell. */
export async function program(
  name: string,
  script: string,
): Promise<{ binDir: string; runs: () => Promise<string[]> }> {
  const binDir = temporaryFolder('providers');
  const file = path.join(binDir, name);
  const log = path.join(binDir, 'runs.log');
  await writeFile(log, '');
  await writeFile(file, `#!/bin/sh\nread -r request\nprintf '%s\\n' "$request" >> '${log}'\n${script}\n`);
  await chmod(file, 0o755);
  return {
    binDir,
    runs: async () => (await readFile(log, 'utf8')).split('\n').filter((line) => line !== ''),
  };
}

/** A provider for all images of a registry. */
export function provider(more: Partial<CredentialProvider> = {}): CredentialProvider {
  return {
    name: 'helper',
    apiVersion: API,
    matchImages: ['reg.example'],
    defaultCacheMs: 60_000,
    args: [],
    env: {},
    ...more,
  };
}
