import { z } from 'zod';
import { CodedError } from '../core/errors.ts';
import { holdsCertificates } from './certificates.ts';

/** What a registry is told to show who asks. */
export type Credential =
  | { readonly username: string; readonly password: string }
  /** Exchanged for tokens at the token server. */
  | { readonly identityToken: string }
  /** Sent as a bearer token as it is. */
  | { readonly registryToken: string };

/** Thrown by {@link parsePullSecret}. Names the secret and the key in it, never a value. */
export class CredentialsError extends CodedError<'WrongSecretType' | 'InvalidSecret'> {}

/** The credentials of a pull secret, each with the key that says where it may be used. */
export interface PullSecret {
  readonly entries: readonly { readonly key: string; readonly credential: Credential }[];
  /** Certificates in PEM, of the key `ca.crt`, that are trusted at the registry that the secret is used for. */
  readonly ca?: string;
}

const CA_KEY = 'ca.crt';

/** The parts of a Kubernetes Secret that are read; `data` in base64, as the API server gives it. */
export interface SecretData {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

const text = z.string().nullish();
const entry = z.object({
  auth: text,
  username: text,
  password: text,
  identitytoken: text,
  registrytoken: text,
});
const entries = z.record(z.string(), entry);
type Entry = z.infer<typeof entry>;

// https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets
const FORMS = {
  'kubernetes.io/dockerconfigjson': {
    key: '.dockerconfigjson',
    schema: z.object({ auths: entries }),
    path: 'auths.',
  },
  'kubernetes.io/dockercfg': {
    key: '.dockercfg',
    schema: entries.transform((auths) => ({ auths })),
    path: '',
  },
} as const;

/**
 * Reads a pull secret of either form that kubectl writes.
 *
 * @throws {CredentialsError} 'WrongSecretType', or 'InvalidSecret' when a key is missing or does not hold what it must
 */
export function parsePullSecret(secret: SecretData): PullSecret {
  const form = formOf(secret);
  const encoded = secret.data[form.key];
  if (encoded === undefined) throw invalid(secret, form.key, 'is missing');
  const config = form.schema.safeParse(parseJson(secret, form.key, encoded));
  if (!config.success) {
    const [issue] = config.error.issues;
    throw invalid(
      secret,
      form.key,
      `is not a Docker configuration (${issue?.path.join('.')}: ${issue?.message})`,
    );
  }
  const ca = readCA(secret);
  return { entries: readEntries(secret, form, config.data.auths), ...(ca !== undefined && { ca }) };
}

function readCA(secret: SecretData): string | undefined {
  const encoded = secret.data[CA_KEY];
  if (encoded === undefined) return undefined;
  const pem = Buffer.from(encoded, 'base64').toString('utf8');
  if (!holdsCertificates(pem)) throw invalid(secret, CA_KEY, 'holds no certificates in PEM');
  return pem;
}

function formOf(secret: SecretData): (typeof FORMS)[keyof typeof FORMS] {
  if (secret.type === 'kubernetes.io/dockerconfigjson' || secret.type === 'kubernetes.io/dockercfg')
    return FORMS[secret.type];
  throw new CredentialsError(
    'WrongSecretType',
    `secret ${nameOf(secret)} is of the type ${secret.type || 'Opaque'}; a pull secret is kubernetes.io/dockerconfigjson: make it with "kubectl create secret docker-registry"`,
  );
}

// The parser's own message quotes the text, which holds passwords.
function parseJson(secret: SecretData, key: string, encoded: string): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
  } catch {
    throw invalid(secret, key, 'is not JSON');
  }
}

// "auths": {"ghcr.io": {}} is what `docker login` leaves behind where a credential store has the password.
function readEntries(
  secret: SecretData,
  { key, path }: { key: string; path: string },
  auths: Readonly<Record<string, Entry>>,
): PullSecret['entries'] {
  const found = Object.entries(auths).flatMap(([address, entry]) => {
    const credential = readEntry(entry, (problem) =>
      invalid(secret, key, `has at ${path}${address} ${problem}`),
    );
    return credential === undefined ? [] : [{ key: address, credential }];
  });
  if (found.length === 0 && Object.keys(auths).length > 0) {
    throw invalid(
      secret,
      key,
      'holds no password: it seems to be copied from a machine with a credential store',
    );
  }
  return found;
}

// Where several are given, Docker takes the tokens, and the kubelet takes auth before username and password.
function readEntry(entry: Entry, problem: (text: string) => CredentialsError): Credential | undefined {
  if (entry.registrytoken) return { registryToken: entry.registrytoken };
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  if (entry.auth) return readAuth(entry.auth.trim(), problem);
  if (!entry.username && !entry.password) return undefined;
  if (!entry.username || !entry.password) throw problem('only one of username and password');
  return { username: entry.username, password: entry.password };
}

function readAuth(auth: string, problem: (text: string) => CredentialsError): Credential {
  const decoded = /^[A-Za-z0-9+/]+={0,2}$/.test(auth) ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const colon = decoded.indexOf(':');
  if (colon < 0) throw problem('an auth that is not base64 of username:password');
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function invalid(secret: SecretData, key: string, problem: string): CredentialsError {
  return new CredentialsError('InvalidSecret', `secret ${nameOf(secret)}: ${key} ${problem}`);
}

function nameOf(secret: SecretData): string {
  return `${secret.namespace}/${secret.name}`;
}
