import { checkPrivateKey, KeyError } from '../../git/private-key.ts';
import type { Secret } from '../../kube/secret.ts';
import { AccessError } from './error.ts';

/**
 * The text under the first of these keys that a Secret has, without the newline that `echo` and editors put at its end.
 *
 * @returns undefined when it has none of them
 * @throws {AccessError} `InvalidSecret` when the text is empty, or no text
 */
export function optionalText(secret: Secret, ...keys: readonly string[]): string | undefined {
  const key = keys.find((name) => secret.data[name] !== undefined);
  const base64 = key === undefined ? undefined : secret.data[key];
  if (key === undefined || base64 === undefined) return undefined;
  const text = Buffer.from(base64, 'base64')
    .toString()
    .replace(/[\r\n]+$/, '');
  if (text === '') throw invalid(secret, `key ${key} is empty`);
  if (text.includes('\0') || text.includes('\uFFFD')) throw invalid(secret, `key ${key} holds no text`);
  return text;
}

/** As {@link optionalText}; that there is none is an error, too. */
export function requiredText(secret: Secret, ...keys: readonly string[]): string {
  const text = optionalText(secret, ...keys);
  if (text === undefined) throw invalid(secret, `there is no key ${keys.join(' nor ')}`);
  return text;
}

/**
 * The text of one line under a key, as a name or a password is.
 *
 * @throws {AccessError} `InvalidSecret`
 */
export function oneLineText(secret: Secret, ...keys: readonly string[]): string {
  const text = requiredText(secret, ...keys);
  if (/\p{Cc}/u.test(text))
    throw invalid(secret, `key ${keys.join(' or ')} holds a line break or a control character`);
  return text;
}

/**
 * The private key under the first of these keys that a Secret has, checked and with its line ends repaired.
 *
 * @throws {AccessError} `InvalidSecret`
 */
export function privateKeyText(secret: Secret, ...keys: readonly string[]): string {
  const text = requiredText(secret, ...keys);
  return judged(secret, keys, () => checkPrivateKey(text));
}

/** Does `work` that judges a key; what is wrong with it is told with the place where it stands. */
export function judged<T>(secret: Secret, keys: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw invalid(secret, `key ${keys.join(' or ')} ${error.message}`);
  }
}

/** The error that says what is wrong in a Secret. */
export function invalid({ namespace, name }: Secret, what: string): AccessError {
  return new AccessError('InvalidSecret', `Secret ${namespace}/${name}: ${what}`);
}
