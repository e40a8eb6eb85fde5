import { AddressError } from './errors.ts';
import { parseSshAddress, type SshPlace } from './ssh-address.ts';

/** User name and password (or token) for HTTP basic authentication. */
export interface GitCredential {
  readonly username: string;
  readonly password: string;
}

/** A key for SSH, and the hosts that are believed. */
export interface SshKey {
  /** As OpenSSH reads it, with the newline at its end: see `checkPrivateKey`. */
  readonly privateKey: string;
  readonly passphrase?: string;
  /** Lines of a known_hosts file, see sshd(8). */
  readonly knownHosts: string;
}

/** Where a repository is. `url` holds no secret, so it may be shown and be an argument of git. */
export type Address =
  | { readonly kind: 'http'; readonly url: string; readonly credential?: GitCredential }
  | ({ readonly kind: 'ssh'; readonly url: string; readonly key: SshKey } & SshPlace);

/**
 * Checks a repository URL. A user name and password in one of HTTP are taken out of it; `credential` comes before them.
 *
 * @throws {AddressError} `InvalidURL`; the message does not repeat the text, which may hold a password. `WrongCredential`
 *   when the URL needs one of the other kind
 */
export function parseAddress(text: string, credential?: GitCredential | SshKey): Address {
  const place = parseSshAddress(text);
  if (place !== undefined) return { kind: 'ssh', ...place, key: sshKey(credential) };
  const url = URL.parse(text);
  if (url === null || url.hostname === '')
    throw invalidUrl(
      'it is no URL; write it like https://host/path.git, ssh://git@host/path or git@host:path',
    );
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw invalidUrl(`${url.protocol}// is not supported; use https:// or ssh://`);
  }
  const chosen = httpCredential(credential) ?? credentialIn(url);
  url.username = '';
  url.password = '';
  return { kind: 'http', url: url.href, ...(chosen !== undefined && { credential: chosen }) };
}

/** Whether a repository URL is one of HTTP; nothing else of it is checked. */
export function isHttpUrl(text: string): boolean {
  const protocol = URL.parse(text)?.protocol;
  return protocol === 'https:' || protocol === 'http:';
}

/** The server that a repository URL names, by which work is spread over servers; empty for a URL that is refused. */
export function hostOf(text: string): string {
  try {
    return parseSshAddress(text)?.host ?? URL.parse(text)?.host ?? '';
  } catch {
    return '';
  }
}

function sshKey(credential: GitCredential | SshKey | undefined): SshKey {
  if (credential !== undefined && 'privateKey' in credential) return credential;
  const given = credential === undefined ? 'there is no Secret with one' : 'the Secret holds a password';
  throw new AddressError(
    'WrongCredential',
    `the repository is reached by SSH and needs a private key; ${given}`,
  );
}

function httpCredential(credential: GitCredential | SshKey | undefined): GitCredential | undefined {
  if (credential === undefined || 'password' in credential) return credential;
  const message =
    'the repository is reached by HTTP and needs a password or token; the Secret holds an SSH key';
  throw new AddressError('WrongCredential', message);
}

function credentialIn(url: URL): GitCredential | undefined {
  if (url.username === '' && url.password === '') return undefined;
  try {
    return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch {
    throw invalidUrl('the user name or password in it has a % that escapes nothing');
  }
}

function invalidUrl(why: string): AddressError {
  return new AddressError('InvalidURL', `the repository URL is refused: ${why}`);
}

const FORBIDDEN_CHARACTERS = /[\0-\x20\x7f~^:?*[\\]/;
const FORBIDDEN_SEQUENCES = /\.\.|@\{|\/\/|\.$|^\/|\/$/;
const FORBIDDEN_COMPONENT = /(?:^|\/)\.|\.lock(?:\/|$)/;

/**
 * Checks the name of a branch by the rules of git-check-ref-format(1), and against a leading `-`.
 *
 * @throws {AddressError} `InvalidBranch`
 */
export function checkBranch(name: string): void {
  const valid =
    name !== '' &&
    !name.startsWith('-') &&
    !FORBIDDEN_CHARACTERS.test(name) &&
    !FORBIDDEN_SEQUENCES.test(name) &&
    !FORBIDDEN_COMPONENT.test(name);
  if (!valid) throw new AddressError('InvalidBranch', `${JSON.stringify(name)} is no valid name of a branch`);
}
