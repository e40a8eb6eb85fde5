import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Trust } from '../../git/agent.ts';
import { isHttpUrl } from '../../git/address.ts';
import type { Environment } from '../../git/environment.ts';
import type { GitHubApp } from '../../git/github-app.ts';
import type { GitHubAppTokens } from '../../git/github-app-tokens.ts';
import type { GitCredential, OpenOptions } from '../../git/repository.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { NamespacedName } from '../../kube/config-map.ts';
import { readSecret } from '../../kube/secret.ts';
import { credentialIn } from '../access/credential.ts';
import { AccessError } from '../access/error.ts';
import { clusterKnownHosts } from '../access/known-hosts.ts';
import { signerIn } from '../access/signer.ts';
import type { StoredGitRepo } from '../stores.ts';

export { AccessError } from '../access/error.ts';

/** How to reach a GitRepo's repository, and with what to sign. */
export interface GitAccess
  extends Trust,
    Pick<OpenOptions, 'url' | 'credential' | 'renewCredential' | 'signer'> {
  readonly insecureSkipTLSVerify: boolean;
  /** The same as `credential` where it is good for the API of the host, too: not with SSH. */
  readonly apiCredential?: GitCredential;
}

/** What {@link gitAccess} works with. */
export interface AccessDependencies {
  readonly client: Pick<KubeClient, 'get'>;
  /** Where the certificates are put for git to read. */
  readonly cacheDirectory: string;
  /** The program's own variables, for the proxies. */
  readonly environment: Environment;
  readonly appTokens: GitHubAppTokens;
  /** ConfigMap with the host keys that count where a Secret has none. */
  readonly knownHosts?: NamespacedName;
  readonly signal: AbortSignal;
}

/** How long GitHub may take to give a token. */
const TOKEN_TIMEOUT_MS = 30_000;

/**
 * Gathers what it takes to talk to a GitRepo's repository: URL, credential from its Secret, certificates, known hosts, and
 * the key for its commits.
 *
 * @throws {AccessError | SecretError}
 * @throws {GitError} when GitHub gives no token for an App
 */
export async function gitAccess(
  { namespace, spec }: StoredGitRepo,
  dependencies: AccessDependencies,
): Promise<GitAccess> {
  const { client, cacheDirectory, signal } = dependencies;
  const secretNamed = (name: string) => readSecret(client, namespace, name, signal);
  const caFile = spec.caBundle ? await caBundleFile(spec.caBundle, cacheDirectory) : undefined;
  const { signing } = spec;
  const signer = signing && signerIn(await secretNamed(signing.secretRef.name), signing.format);
  const place = {
    url: spec.repo,
    ...(caFile && { caFile }),
    insecureSkipTLSVerify: spec.insecureSkipTLSVerify ?? false,
    ...(signer && { signer }),
  };
  if (!spec.clientSecretName) return place;
  const given = credentialIn(await secretNamed(spec.clientSecretName), spec.repo);
  switch (given.kind) {
    case 'basic':
      return { ...place, credential: given.credential, apiCredential: given.credential };
    case 'ssh': {
      const knownHosts =
        given.knownHosts ?? (await clusterKnownHosts(client, dependencies.knownHosts, signal));
      return { ...place, credential: { ...given.key, knownHosts } };
    }
    case 'app':
      return { ...place, ...(await appAccess(given.app, place, dependencies)) };
  }
}

async function appAccess(
  app: GitHubApp,
  { url, ...trust }: Trust & { readonly url: string },
  { appTokens, environment, signal }: AccessDependencies,
): Promise<Pick<GitAccess, 'credential' | 'apiCredential' | 'renewCredential'>> {
  if (!isHttpUrl(url)) {
    throw new AccessError('WrongSecretType', 'a GitHub App has tokens for https:// only; write spec.repo so');
  }
  const asking = { ...trust, environment, signal, timeoutMs: TOKEN_TIMEOUT_MS };
  const credentialOf = async (refused?: string): Promise<GitCredential> => {
    const password = await appTokens.token(app, url, asking, refused);
    return { username: 'x-access-token', password };
  };
  const credential = await credentialOf();
  return {
    credential,
    apiCredential: credential,
    renewCredential: () => credentialOf(credential.password),
  };
}

async function caBundleFile(caBundle: string, cacheDirectory: string): Promise<string> {
  const pem = Buffer.from(caBundle, 'base64').toString();
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new AccessError('InvalidCABundle', 'spec.caBundle is not base64 of PEM certificates');
  }
  const file = path.join(cacheDirectory, 'ca', `${createHash('sha256').update(pem).digest('hex')}.pem`);
  if ((await readFile(file, 'utf8').catch(() => undefined)) === pem) return file;
  await mkdir(path.dirname(file), { recursive: true });
  // The git of another GitRepo with the same certificates may be reading it.
  const aside = `${file}-${randomUUID()}`;
  await writeFile(aside, pem);
  await rename(aside, file);
  return file;
}
