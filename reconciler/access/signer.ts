import { isEncrypted } from '../../git/private-key.ts';
import type { Signer } from '../../git/signature.ts';
import type { GitRepoSpec } from '../../kube/kinds/git-repo.ts';
import type { Secret } from '../../kube/secret.ts';
import { invalid, optionalText, privateKeyText, requiredText } from './secret-text.ts';

type Format = NonNullable<GitRepoSpec['signing']>['format'];

// The first is Kubernetes' and Fleet's own name for it, the second Flux's.
const SSH_KEYS = ['ssh-privatekey', 'identity'];
const OPENPGP_KEY = 'git.asc';
const PASSPHRASES = ['passphrase', 'password'];

/**
 * Reads the Secret of `spec.signing`, by the keys that users of Flux know.
 *
 * @throws {AccessError} `InvalidSecret`
 */
export function signerIn(secret: Secret, format: Format): Signer {
  const passphrase = optionalText(secret, ...PASSPHRASES);
  const privateKey = format === 'SSH' ? privateKeyText(secret, ...SSH_KEYS) : armoredKey(secret);
  if (format === 'SSH' && passphrase === undefined && isEncrypted(privateKey)) {
    throw invalid(secret, 'the key has a passphrase; put that under the key passphrase');
  }
  return { format, privateKey, ...(passphrase !== undefined && { passphrase }) };
}

function armoredKey(secret: Secret): string {
  const text = requiredText(secret, OPENPGP_KEY);
  if (text.includes('-----BEGIN PGP PRIVATE KEY BLOCK-----')) return `${text}\n`;
  throw invalid(
    secret,
    `key ${OPENPGP_KEY} is no armored private key; make it by: gpg --export-secret-keys --armor KEY`,
  );
}
