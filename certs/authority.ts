import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { CLOCK_SKEW_MS } from './bundle.ts';
import { checkNames, type ServingNames } from './names.ts';

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** A source of RSA key pairs. */
export type KeySource = () => Promise<forge.pki.rsa.KeyPair>;

/** When to issue (the clock of the caller) and for how long. */
export interface Validity {
  readonly now: Date;
  /** Life of the certificate from `now` on, in milliseconds; X.509 rounds down to whole seconds. */
  readonly validMs: number;
}

const ORGANIZATION = 'fleetscan.io';
const KEY_BITS = 2048;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/**
 * Makes a new certificate authority: RSA 2048, SHA-256, allowed to sign leaf certificates only (RFC 5280 §4.2.1.9).
 *
 * The key is generated off the main thread; signing takes the event loop some tens of milliseconds.
 */
export async function issueAuthority(
  { now, validMs }: Validity,
  newKeys: KeySource = generateKeys,
): Promise<KeyedCertificate> {
  const keys = await newKeys();
  const certificate = blankCertificate(keys, now, new Date(now.getTime() + validMs));
  const subject = subjectOf(`fleetscan webhook CA ${certificate.serialNumber.slice(0, 8)}`);
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifierOf(certificate) },
  ]);
  return signed(certificate, keys, keys.privateKey);
}

/**
 * Makes a serving certificate for the given names, signed by an authority. It never outlives that authority.
 *
 * The key is generated off the main thread; signing takes the event loop some tens of milliseconds.
 *
 * @throws {CertificateError} 'InvalidName' when a name cannot stand in a certificate, or there is none
 */
export async function issueServing(
  { authority, now, validMs, ...names }: Validity & ServingNames & { authority: KeyedCertificate },
  newKeys: KeySource = generateKeys,
): Promise<KeyedCertificate> {
  checkNames(names);
  const issuer = forge.pki.certificateFromPem(authority.certificate);
  const end = Math.min(now.getTime() + validMs, issuer.validity.notAfter.getTime());
  const keys = await newKeys();
  const certificate = blankCertificate(keys, now, new Date(end));
  certificate.setSubject(subjectOf('fleetscan webhook'));
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: alternativeNames(names) },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifierOf(issuer) },
  ]);
  return signed(certificate, keys, forge.pki.privateKeyFromPem(authority.key));
}

/** forge hands this to node:crypto, which works on a thread of its own. */
function generateKeys(): Promise<forge.pki.rsa.KeyPair> {
  return new Promise((resolve, reject) => {
    forge.pki.rsa.generateKeyPair({ bits: KEY_BITS }, (error: Error | null, keys) => {
      if (error) reject(error);
      else resolve(keys);
    });
  });
}

function blankCertificate(keys: forge.pki.rsa.KeyPair, now: Date, end: Date): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  certificate.serialNumber = randomSerial();
  certificate.validity.notBefore = new Date(now.getTime() - CLOCK_SKEW_MS);
  certificate.validity.notAfter = end;
  return certificate;
}

/**
 * 128 bits of which 126 are random: the first byte stands between 0x40 and 0x7f, so that the DER integer is positive and
 * has no leading zero to drop.
 */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}

function subjectOf(commonName: string): forge.pki.CertificateField[] {
  return [
    { name: 'organizationName', value: ORGANIZATION },
    { name: 'commonName', value: commonName },
  ];
}

function alternativeNames({ dnsNames, ipAddresses }: ServingNames): object[] {
  return [
    ...[...new Set(dnsNames)].map((value) => ({ type: DNS_NAME, value })),
    ...[...new Set(ipAddresses)].map((ip) => ({ type: IP_ADDRESS, ip })),
  ];
}

function keyIdentifierOf(certificate: forge.pki.Certificate): string {
  return certificate.generateSubjectKeyIdentifier().getBytes();
}

function signed(
  certificate: forge.pki.Certificate,
  own: forge.pki.rsa.KeyPair,
  signer: forge.pki.rsa.PrivateKey,
): KeyedCertificate {
  certificate.sign(signer, forge.md.sha256.create());
  // Rewritten by node:crypto: forge writes PEM with CRLF, which would read as a change wherever the text is compared.
  return {
    certificate: new X509Certificate(forge.pki.certificateToPem(certificate)).toString(),
    key: createPrivateKey(forge.pki.privateKeyToPem(own.privateKey)).export({ type: 'pkcs8', format: 'pem' }),
  };
}
