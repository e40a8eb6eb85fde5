import type { GitCredential, SshKey } from '../../git/address.ts';
import { checkAppKey, type GitHubApp } from '../../git/github-app.ts';
import { isEncrypted } from '../../git/private-key.ts';
import { tokenUser } from '../../git/token-user.ts';
import type { Secret } from '../../kube/secret.ts';
import { AccessError } from './error.ts';
import { invalid, judged, oneLineText, optionalText, privateKeyText } from './secret-text.ts';

/** What a Secret for Git holds. */
export type SecretCredential =
  | { readonly kind: 'basic'; readonly credential: GitCredential }
  | { readonly kind: 'ssh'; readonly key: Omit<SshKey, 'knownHosts'>; readonly knownHosts?: string }
  | { readonly kind: 'app'; readonly app: GitHubApp };

const APP_KEYS = ['github_app_id', 'github_app_installation_id', 'github_app_private_key'] as const;

/**
 * Reads the Secret of `spec.clientSecretName`, of the types that Fleet has: `kubernetes.io/basic-auth`,
 * `kubernetes.io/ssh-auth`, or any other with the three keys of a GitHub App.
 *
 * @throws {AccessError} `WrongSecretType`, `InvalidSecret`
 */
export function credentialIn(secret: Secret, repositoryUrl: string): SecretCredential {
  switch (secret.type) {
    case 'kubernetes.io/basic-auth':
      return { kind: 'basic', credential: basicIn(secret, repositoryUrl) };
    case 'kubernetes.io/ssh-auth':
      return sshIn(secret);
    default:
      return { kind: 'app', app: appIn(secret) };
  }
}

/** A password alone is a token. */
function basicIn(secret: Secret, repositoryUrl: string): GitCredential {
  const password = oneLineText(secret, 'password');
  // kubectl create secret --type=kubernetes.io/basic-auth leaves an empty one for a token.
  if (secret.data['username']) return { username: oneLineText(secret, 'username'), password };
  return { username: tokenUser(URL.parse(repositoryUrl)?.hostname ?? ''), password };
}

function sshIn(secret: Secret): SecretCredential {
  const privateKey = privateKeyText(secret, 'ssh-privatekey');
  const passphrase = optionalText(secret, 'password');
  const knownHosts = optionalText(secret, 'known_hosts');
  if (isEncrypted(privateKey) && passphrase === undefined) {
    throw invalid(secret, 'the key in ssh-privatekey has a passphrase; put that under the key password');
  }
  return {
    kind: 'ssh',
    key: { privateKey, ...(passphrase !== undefined && { passphrase }) },
    ...(knownHosts !== undefined && { knownHosts }),
  };
}

function appIn(secret: Secret): GitHubApp {
  const { namespace, name, type, data } = secret;
  if (!APP_KEYS.some((key) => data[key] !== undefined)) {
    const types = `kubernetes.io/basic-auth, kubernetes.io/ssh-auth, or one with the keys ${APP_KEYS.join(', ')}`;
    const message = `Secret ${namespace}/${name} is of type ${type}; write-back takes ${types}`;
    throw new AccessError('WrongSecretType', message);
  }
  const [appId, installationId] = [oneLineText(secret, APP_KEYS[0]), oneLineText(secret, APP_KEYS[1])];
  if (!/^\d+$/.test(installationId)) throw invalid(secret, `key ${APP_KEYS[1]} is no number`);
  const privateKey = privateKeyText(secret, APP_KEYS[2]);
  judged(secret, [APP_KEYS[2]], () => checkAppKey(privateKey));
  return { appId, installationId, privateKey };
}
