import { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import { canonicalName, parseReference } from '../../core/reference.ts';
import {
  type Credential,
  CredentialsError,
  credentialsFor,
  parsePullSecret,
} from '../../registry/credentials.ts';
import { schemeOf } from '../../registry/endpoint.ts';
import type { Outcome } from './outcome.ts';

/** A reference with its canonical name, its registry and how that is spoken to; or the error it gives. */
const imageCase = z.union([
  z.strictObject({
    image: z.string(),
    canonical: z.string(),
    registry: z.string(),
    scheme: z.enum(['http', 'https']),
  }),
  z.strictObject({ image: z.string(), error: z.string() }),
]);

/** A pull secret and a registry, with what Fleet's lookup by the exact host gave, as Go prints it. */
const secretCase = z.object({
  dockerconfigjson: z.string(),
  registry: z.string(),
  result: z.string().nullable(),
  error: z.string().nullable(),
});
type SecretCase = z.infer<typeof secretCase>;

const referencesFile = z.object({ images: z.array(imageCase), secrets: z.array(secretCase).default([]) });

/**
 * Runs the cases of a file of image references and pull secrets. Of the secrets, what Fleet finds must be found; where Fleet finds no entry for
 * the host although the secret has one in another spelling, that one must be found.
 *
 * @throws {Error} when the content is no such file
 */
export function runReferences(content: string): Outcome[] {
  const { images, secrets } = referencesFile.parse(JSON.parse(content));
  return [
    ...images.map((one) => ({
      name: `image ${JSON.stringify(one.image)}`,
      ...compare(expected(one), read(one.image)),
    })),
    ...secrets.map((one, index) => ({ name: `secret ${index + 1}`, ...judgeSecret(one) })),
  ];
}

type Verdict = Pick<Outcome, 'failure'>;

function compare(wanted: object, came: object): Verdict {
  const [a, b] = [JSON.stringify(wanted), JSON.stringify(came)];
  return a === b ? {} : { failure: `\n  wanted ${a}\n  came   ${b}` };
}

function expected(one: z.infer<typeof imageCase>): object {
  if ('error' in one) return { error: one.error };
  return { canonical: one.canonical, registry: one.registry, scheme: one.scheme };
}

function read(image: string): object {
  try {
    const reference = parseReference(image);
    const { registry } = reference;
    return { canonical: canonicalName(reference), registry, scheme: schemeOf(registry) };
  } catch (error) {
    // Go's tool trims what it prints.
    return { error: messageOf(error).trimEnd() };
  }
}

function judgeSecret({ dockerconfigjson, registry, result }: SecretCase): Verdict {
  const entries = authsOf(dockerconfigjson);
  const found = lookUp(dockerconfigjson, registry, Object.keys(entries ?? {})[0] ?? '');
  if (entries === undefined) return compare({ readable: false }, { readable: found !== undefined });
  const wanted =
    result === null
      ? Object.values(entries).map(({ username, password }) => ({ username, password }))
      : [asPrinted(result)];
  return compare(wanted, found ?? []);
}

/** The credentials for an image that lies under the path of the key; undefined when the secret cannot be read. */
function lookUp(dockerconfigjson: string, registry: string, key: string): Credential[] | undefined {
  const path = key
    .replace(/^https?:\/\//, '')
    .split('/')
    .slice(1)
    .filter((part) => !/^(?:v[12])?$/.test(part));
  const data = { '.dockerconfigjson': Buffer.from(dockerconfigjson).toString('base64') };
  try {
    const secret = parsePullSecret({
      namespace: 'n',
      name: 's',
      type: 'kubernetes.io/dockerconfigjson',
      data,
    });
    return credentialsFor([secret], { registry, repository: [...path, 'app'].join('/') });
  } catch (error) {
    if (error instanceof CredentialsError) return undefined;
    throw error;
  }
}

const auths = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
      }),
    )
    .default({}),
});

/** The entries of a Docker configuration with `auth` taken apart; undefined when it is not JSON. */
function authsOf(
  dockerconfigjson: string,
): Record<string, { username: string; password: string }> | undefined {
  try {
    const parsed = auths.parse(JSON.parse(dockerconfigjson));
    return Object.fromEntries(
      Object.entries(parsed.auths).map(([key, { auth, username = '', password = '' }]) => {
        const [user = username, ...secret] =
          auth === undefined ? [] : Buffer.from(auth, 'base64').toString().split(':');
        return [key, { username: user, password: auth === undefined ? password : secret.join(':') }];
      }),
    );
  } catch {
    return undefined;
  }
}

/** The credential in what Go prints of an authn.AuthConfig: `&{Username:u Password:p Auth:dTpw IdentityToken: RegistryToken:} <nil>`. */
function asPrinted(result: string): object {
  const field = (name: string): string => new RegExp(`${name}:(\\S*?)[ }]`).exec(result)?.[1] ?? '';
  const identityToken = field('IdentityToken');
  if (identityToken !== '') return { identityToken };
  const [username, ...password] = Buffer.from(field('Auth'), 'base64').toString().split(':');
  return { username, password: password.join(':') };
}
