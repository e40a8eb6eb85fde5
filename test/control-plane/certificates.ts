import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

/** A certificate and its private key, PEM. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority that lives as long as one test. */
export interface Authority {
  readonly certificate: string;
  /** A certificate for a server at these names and addresses. */
  issueServer(names: readonly string[], addresses: readonly string[]): Promise<Issued>;
  /** A certificate for a client: the API server takes the user's name from CN and the groups from O. */
  issueClient(user: string, groups: readonly string[]): Promise<Issued>;
}

interface Subject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly extensions: object[];
}

const DAY_MS = 86_400_000;
const LIFE_DAYS = 7;
// The types of a subjectAltName in RFC 5280, section 4.2.1.6.
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** Makes an authority with a key of its own. */
export async function createAuthority(commonName: string): Promise<Authority> {
  const keys = await newKeyPair();
  const subject = { commonName, extensions: [{ name: 'basicConstraints', cA: true, critical: true }] };
  const root = sign(subject, keys.publicKey, { issuer: subject, key: keys.privateKey });
  const issue = async (subject: Subject): Promise<Issued> => {
    const leaf = await newKeyPair();
    const certificate = sign(subject, leaf.publicKey, { issuer: { commonName }, key: keys.privateKey });
    return { certificate, key: leaf.pem };
  };
  return {
    certificate: root,
    issueServer: (names, addresses) => {
      const dns = names.map((value) => ({ type: DNS_NAME, value }));
      const ip = addresses.map((address) => ({ type: IP_ADDRESS, ip: address }));
      const extensions = [usage('serverAuth'), { name: 'subjectAltName', altNames: [...dns, ...ip] }];
      return issue({ commonName: names[0] ?? addresses[0] ?? 'server', extensions });
    },
    issueClient: (user, groups) =>
      issue({ commonName: user, organizations: groups, extensions: [usage('clientAuth')] }),
  };
}

/** An RSA private key, PEM (PKCS #8). */
export async function newPrivateKey(): Promise<string> {
  return (await newKeyPair()).pem;
}

async function newKeyPair() {
  // Node's own generator runs beside the event loop; forge's does not.
  const { privateKey: pem } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const privateKey = forge.pki.privateKeyFromPem(pem);
  return { pem, privateKey, publicKey: forge.pki.setRsaPublicKey(privateKey.n, privateKey.e) };
}

function sign(
  subject: Subject,
  publicKey: forge.pki.rsa.PublicKey,
  { issuer, key }: { issuer: Pick<Subject, 'commonName' | 'organizations'>; key: forge.pki.rsa.PrivateKey },
): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  // Positive, as RFC 5280 wants it: the first bit of the first byte is 0.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + LIFE_DAYS * DAY_MS);
  certificate.setSubject(attributes(subject));
  certificate.setIssuer(attributes(issuer));
  certificate.setExtensions(subject.extensions);
  certificate.sign(key, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

function attributes({ commonName, organizations = [] }: Pick<Subject, 'commonName' | 'organizations'>) {
  const groups = organizations.map((value) => ({ name: 'organizationName', value }));
  return [...groups, { name: 'commonName', value: commonName }];
}

function usage(purpose: 'serverAuth' | 'clientAuth'): object {
  return { name: 'extKeyUsage', [purpose]: true };
}
