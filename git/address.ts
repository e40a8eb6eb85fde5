import { AddressError } from './errors.ts';

/** User name and password (or token) for HTTP basic authentication. */
export interface GitCredential {
  readonly username: string;
  readonly password: string;
}

/** Where a repository is. `url` holds no credential, so it may be shown and be an argument of git. */
export interface Address {
  readonly url: string;
  readonly credential?: GitCredential;
}

/**
 * Checks a repository URL. A user name and password in it are taken out of it; `credential` comes before them.
 *
 * @throws {AddressError} `InvalidURL`; the message does not repeat the text, which may hold a password
 */
export function parseAddress(text: string, credential?: GitCredential): Address {
  const url = URL.parse(text);
  if (url === null || url.hostname === '')
    throw invalidUrl('it is no URL; write it like https://host/path.git');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw invalidUrl(`${url.protocol}// is not supported; use https://`);
  }
  const chosen = credential ?? credentialIn(url);
  url.username = '';
  url.password = '';
  return { url: url.href, ...(chosen !== undefined && { credential: chosen }) };
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
