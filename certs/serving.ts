import { z } from 'zod';
import type { KubeClient } from '../kube/client.ts';
import { SECRETS } from '../kube/resource.ts';
import { listAndWatch, type WatchEvent } from '../kube/watch.ts';
import { readPair } from './bundle.ts';
import { CertificateError } from './errors.ts';

/** What a TLS server needs, PEM; `cert` may be followed by its chain. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
  readonly expires: Date;
}

export interface ServingOptions {
  readonly namespace: string;
  readonly secretName: string;
  readonly signal: AbortSignal;
  /** Told of failures to reach the API server, and of a Secret that cannot be used (a CertificateError), each state once. */
  readonly onError: (error: Error) => void;
  /** For tests. */
  readonly now?: () => Date;
}

type Pair = Pick<ServingCertificate, 'cert' | 'key'>;

const secret = z.object({ data: z.object({ 'tls.crt': z.base64(), 'tls.key': z.base64() }) });
const NOTHING: Pair = { cert: '', key: '' };

/**
 * The serving certificate in the Secret, first the one that is there and then each new one, until the signal aborts.
 *
 * Only what can be served is given: a Secret that is missing, spoilt, expired or not yet valid is reported, and the caller
 * keeps what it has. It is looked at again with every sign of life of the API server, so one that becomes valid is found.
 */
export async function* servingCertificates(
  client: KubeClient,
  { namespace, secretName, signal, onError, now = () => new Date() }: ServingOptions,
): AsyncGenerator<ServingCertificate, void> {
  const changes = listAndWatch(
    client,
    { resource: SECRETS, namespace },
    {
      project: readTlsPair,
      fieldSelector: `metadata.name=${secretName}`,
      signal,
      onError,
    },
  );
  let pair = NOTHING;
  let served = NOTHING;
  let reported: string | undefined;
  for await (const change of changes) {
    pair = pairAfter(change, pair);
    try {
      const certificate = readPair({ certificate: pair.cert, key: pair.key }, now());
      reported = undefined;
      if (isSame(pair, served)) continue;
      served = pair;
      yield { ...pair, expires: certificate.validToDate };
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      if (error.message === reported) continue;
      reported = error.message;
      onError(new CertificateError(error.code, `Secret ${namespace}/${secretName}: ${error.message}`));
    }
  }
}

function pairAfter(change: WatchEvent<Pair>, before: Pair): Pair {
  switch (change.type) {
    case 'replaced':
      return change.items[0] ?? NOTHING;
    case 'put':
      return change.item;
    case 'deleted':
      return NOTHING;
    case 'alive':
    case 'absent':
      return before;
  }
}

/** Takes no more of the Secret than is served: the authority's key is not for us. */
function readTlsPair(object: unknown): Pair {
  const parsed = secret.safeParse(object);
  if (!parsed.success) return NOTHING;
  const { 'tls.crt': cert, 'tls.key': key } = parsed.data.data;
  return { cert: Buffer.from(cert, 'base64').toString(), key: Buffer.from(key, 'base64').toString() };
}

function isSame(a: Pair, b: Pair): boolean {
  return a.cert === b.cert && a.key === b.key;
}
