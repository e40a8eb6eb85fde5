import type { Reference } from '../core/reference.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { readSecret, SecretError } from '../kube/secret.ts';
import { readImagePullSecrets } from '../kube/service-account.ts';
import { type Clock, systemClock } from '../registry/clock.ts';
import { ProviderError } from '../registry/credential-provider/errors.ts';
import type { CredentialProviders } from '../registry/credential-provider/providers.ts';
import {
  type Credential,
  credentialsFor,
  parsePullSecret,
  type PullSecret,
} from '../registry/credentials.ts';
import { Recent } from './recent.ts';

/** What an ImageScan has to show a registry. */
export interface PullAccess {
  /** In the order in which they are tried. */
  readonly credentials: readonly Credential[];
  /** Certificates in PEM that its pull secrets bring along. */
  readonly ca?: string;
  /** What was passed over, worth telling when the registry refuses the rest. */
  readonly notes: readonly string[];
}

/** @throws {SecretError | CredentialsError | ServiceAccountError | ProviderError} and an ApiError when the API server cannot be asked */
export type PullAccessReader = (
  scan: ImageScan,
  reference: Reference,
  /** An object as it was so many milliseconds ago is good enough. */
  options: { readonly maxAgeMs: number; readonly signal: AbortSignal },
) => Promise<PullAccess>;

/** Objects are not read anew for each of many scans that share them, however long their interval. */
const LONGEST_AGE_MS = 10_000;
const MAX_OBJECTS = 2048;

/** What else a {@link pullAccessReader} may have. */
export interface PullAccessOptions {
  readonly providers?: CredentialProviders;
  readonly clock?: Clock;
}

/**
 * Reads the credentials of ImageScans: `secretRef`, then `imagePullSecrets`, then those of the ServiceAccount, then what credential providers give.
 */
export function pullAccessReader(
  client: Pick<KubeClient, 'get'>,
  { providers, clock = systemClock }: PullAccessOptions = {},
): PullAccessReader {
  const objects = new PullObjects(client, clock);
  return async ({ metadata: { namespace }, spec }, reference, freshness) => {
    const own = await Promise.all(ownSecrets(spec).map((name) => objects.secret(namespace, name, freshness)));
    const account = await objects.ofServiceAccount(namespace, spec.serviceAccountName, freshness);
    const secrets = [...own, ...account.secrets];
    const credentials = credentialsFor(secrets, reference);
    const provided = await askProviders(providers, reference, credentials.length > 0);
    const ca = unique(secrets.flatMap(({ ca }) => ca ?? [])).join('\n');
    return {
      credentials: [...credentials, ...provided.credentials],
      notes: [...account.notes, ...provided.notes],
      ...(ca !== '' && { ca }),
    };
  };
}

function ownSecrets({ secretRef, imagePullSecrets = [] }: ImageScan['spec']): string[] {
  return unique([...(secretRef ? [secretRef] : []), ...imagePullSecrets].map(({ name }) => name));
}

/** Where there are credentials besides, a provider that fails is worth a note, as it is to the kubelet. */
async function askProviders(
  providers: CredentialProviders | undefined,
  reference: Reference,
  hasOthers: boolean,
): Promise<Pick<PullAccess, 'credentials' | 'notes'>> {
  try {
    return { credentials: (await providers?.credentialsFor(reference)) ?? [], notes: [] };
  } catch (error) {
    if (!hasOthers || !(error instanceof ProviderError)) throw error;
    return { credentials: [], notes: [error.message] };
  }
}

type Freshness = Parameters<PullAccessReader>[2];

/** Reads the objects that credentials are in, each once for all that want it at the same time or shortly after. */
class PullObjects {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #secrets: Recent<PullSecret>;
  readonly #accounts: Recent<string[]>;

  constructor(client: Pick<KubeClient, 'get'>, clock: Clock) {
    this.#client = client;
    this.#secrets = new Recent(MAX_OBJECTS, clock);
    this.#accounts = new Recent(MAX_OBJECTS, clock);
  }

  secret(namespace: string, name: string, { maxAgeMs, signal }: Freshness): Promise<PullSecret> {
    return this.#secrets.get(`${namespace}/${name}`, ageOf(maxAgeMs), async () =>
      parsePullSecret(await readSecret(this.#client, namespace, name, signal)),
    );
  }

  /** The kubelet, too, passes over what a ServiceAccount names and is not there. */
  async ofServiceAccount(
    namespace: string,
    account: string | undefined,
    freshness: Freshness,
  ): Promise<{ secrets: PullSecret[]; notes: string[] }> {
    if (account === undefined || account === '') return { secrets: [], notes: [] };
    const names = await this.#accounts.get(`${namespace}/${account}`, ageOf(freshness.maxAgeMs), () =>
      readImagePullSecrets(this.#client, namespace, account, freshness.signal),
    );
    const secrets: PullSecret[] = [];
    const notes: string[] = [];
    for (const name of names) {
      const secret = await this.secret(namespace, name, freshness).catch(undefinedIfMissing);
      if (secret !== undefined) secrets.push(secret);
      else
        notes.push(`the Secret ${namespace}/${name}, which ServiceAccount ${account} names, does not exist`);
    }
    return { secrets, notes };
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof SecretError && error.code === 'SecretNotFound') return undefined;
  throw error;
}

function ageOf(maxAgeMs: number): number {
  return Math.min(maxAgeMs, LONGEST_AGE_MS);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
