import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { messageOf } from '../core/errors.ts';
import { CertificateError } from './errors.ts';

/**
 * Certificates begin to be valid this long before they are issued, so that an API server or replica whose clock is
 * behind the issuer's accepts them at once. Milliseconds.
 */
export const CLOCK_SKEW_MS = 5 * 60_000;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
/** Beyond this a bundle is none of ours, and reading on would only cost time. */
const MOST_CERTIFICATES = 100;

/**
 * The authorities in a PEM bundle that have not expired at `now`, each once, in the order of the bundle. Everything else
 * in the text (blocks that do not parse, leaf certificates, expired ones) is left out, so the caller compares
 * {@link bundleText} of what it keeps with the text to see whether all of it was good.
 */
export function readAuthorities(text: string, now: Date): X509Certificate[] {
  const blocks = text.match(CERTIFICATE)?.slice(0, MOST_CERTIFICATES) ?? [];
  const authorities = blocks.map(tryParse).filter((certificate) => certificate !== undefined);
  return distinct(authorities.filter((certificate) => certificate.ca && now < certificate.validToDate));
}

/** A PEM bundle of these certificates, always with the same bytes for the same list. */
export function bundleText(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}

/** The first of the authorities that signed the leaf. */
export function issuerOf(
  leaf: X509Certificate,
  authorities: readonly X509Certificate[],
): X509Certificate | undefined {
  return authorities.find((authority) => leaf.checkIssued(authority) && leaf.verify(authority.publicKey));
}

/** The same certificates, each once. */
export function distinct(certificates: readonly X509Certificate[]): X509Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate])).values()];
}

/** When a certificate of ours was issued, in milliseconds since the epoch: its notBefore lies before that. */
export function issuedAt(certificate: X509Certificate): number {
  return certificate.validFromDate.getTime() + CLOCK_SKEW_MS;
}

/** When to replace a certificate: after two thirds of its life, and no later than its end. Milliseconds since the epoch. */
export function renewalOf(certificate: X509Certificate): number {
  const begin = issuedAt(certificate);
  const end = certificate.validToDate.getTime();
  return Math.min(end, Math.ceil(begin + ((end - begin) * 2) / 3));
}

/**
 * Reads a certificate and its private key and checks that they can be used together at `now`.
 *
 * @param pair PEM texts; a chain may follow the certificate
 * @throws {CertificateError} that says what is missing or wrong; it never quotes the key
 */
export function readPair(pair: { certificate: string; key: string }, now: Date): X509Certificate {
  if (pair.certificate.trim() === '') throw new CertificateError('Missing', 'there is no certificate');
  if (pair.key.trim() === '') throw new CertificateError('Missing', 'there is no private key');
  const certificate = parseCertificate(pair.certificate);
  if (!certificate.checkPrivateKey(parseKey(pair.key))) {
    throw new CertificateError('KeyMismatch', 'the private key does not belong to the certificate');
  }
  if (certificate.validToDate <= now) {
    throw new CertificateError(
      'Expired',
      `the certificate expired at ${certificate.validToDate.toISOString()}`,
    );
  }
  if (certificate.validFromDate > now) {
    const from = certificate.validFromDate.toISOString();
    throw new CertificateError('NotYetValid', `the certificate is valid from ${from}; is the clock right?`);
  }
  return certificate;
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new CertificateError('InvalidCertificate', `the certificate does not parse: ${messageOf(error)}`);
  }
}

function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new CertificateError('InvalidKey', `the private key does not parse: ${messageOf(error)}`);
  }
}

function tryParse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
