import type { X509Certificate } from 'node:crypto';
import { messageOf } from '../core/errors.ts';
import { distinct, issuerOf, readAuthorities, readPair } from './bundle.ts';

/** What the Secret holds, all PEM; an empty text where there is nothing. */
export interface SecretContent {
  /** The serving certificate and its key: `tls.crt`, `tls.key`. */
  readonly certificate: string;
  readonly key: string;
  /** All authorities that API servers are to trust, the signing one first: `ca.crt`. */
  readonly authorities: string;
  /** The key of the signing authority: `ca.key`. */
  readonly authorityKey: string;
}

/** What the webhook configuration holds: what API servers trust, or will within moments. */
export interface Published {
  /** The caBundle of each webhook, PEM; an empty text where there is none. No webhooks, no configuration: no bundles. */
  readonly bundles: readonly string[];
  /** Since when the caller itself has seen exactly these bundles. */
  readonly since: Date;
}

/** Both objects; there may be no Secret. */
export interface CertificateState {
  readonly secret?: SecretContent;
  readonly published: Published;
}

/** What of a {@link CertificateState} can still be used. A text in place of a certificate says why there is none. */
export interface Holdings {
  /** The Secret's authorities that have not expired, and any published one that vouches for the leaf. */
  readonly authorities: readonly X509Certificate[];
  /** The published authorities that have not expired. */
  readonly published: readonly X509Certificate[];
  /** The authority whose key we have. */
  readonly signer: X509Certificate | string;
  readonly leaf: Leaf | string;
}

/** A serving certificate whose key we have, and the authority that vouches for it. */
export interface Leaf {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
}

/** Reads both objects' content. Damage is no error here: it shows as something missing. */
export function readHoldings({ secret, published }: CertificateState, now: Date): Holdings {
  const trusted = distinct(published.bundles.flatMap((bundle) => readAuthorities(bundle, now)));
  const own = readAuthorities(secret?.authorities ?? '', now);
  const leaf = readLeaf(secret, [...own, ...trusted], now);
  return {
    authorities: typeof leaf === 'string' ? own : distinct([...own, leaf.issuer]),
    published: trusted,
    signer: readSigner(secret, own, now),
    leaf,
  };
}

function readSigner(
  secret: SecretContent | undefined,
  [first]: readonly X509Certificate[],
  now: Date,
): X509Certificate | string {
  if (secret === undefined) return 'there is no Secret';
  if (first === undefined) return 'the Secret holds no authority that is valid';
  try {
    return readPair({ certificate: first.toString(), key: secret.authorityKey }, now);
  } catch (error) {
    return `the Secret's first authority cannot sign: ${messageOf(error)}`;
  }
}

function readLeaf(
  secret: SecretContent | undefined,
  authorities: readonly X509Certificate[],
  now: Date,
): Leaf | string {
  try {
    const certificate = readPair(secret ?? { certificate: '', key: '' }, now);
    const issuer = issuerOf(certificate, authorities);
    return issuer === undefined ? 'the certificate is of an unknown authority' : { certificate, issuer };
  } catch (error) {
    return messageOf(error);
  }
}
