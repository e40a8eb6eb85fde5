import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Is a text one or more certificates in PEM, each of which can be read? Other lines may stand between them. */
export function holdsCertificates(pem: string): boolean {
  const blocks = pem.match(BLOCK) ?? [];
  return blocks.length > 0 && blocks.every(isCertificate);
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).fingerprint256 !== '';
  } catch {
    return false;
  }
}

/** Trusts what Node trusts, and these certificates besides. */
export function trusting(pems: readonly string[]): SecureContext {
  return createSecureContext({ ca: [...getCACertificates('default'), ...pems] });
}
