import { isIPv6 } from 'node:net';
import { AddressError } from './errors.ts';

/** A repository behind SSH. */
export interface SshPlace {
  /** As git takes it, always with the user. */
  readonly url: string;
  readonly host: string;
  /** Absent: 22. */
  readonly port?: number;
}

/** Whom Git hosts expect, and Fleet always is. */
const DEFAULT_USER = 'git';

// What becomes an argument of ssh is of these characters only, so that none can be an option of it (CVE-2017-1000117).
const USER = /^[A-Za-z0-9_][\w.+-]*$/;
const HOST = /^[A-Za-z0-9_](?:[\w.-]*\w)?$/;
const SCP_FORM = /^([^@:/]+)@(\[[^\]]*\]|[^:/[\]]*):(?!\/\/)(.+)$/s;
const CONTROLS = /\p{Cc}/u;

/**
 * Reads `ssh://[user@]host[:port]/path` or `user@host:path`, as scp has it and whose path begins in the user's home.
 *
 * @returns undefined when the text is of neither form
 * @throws {AddressError} `InvalidURL` for one with a part that is refused; the message does not repeat a password
 */
export function parseSshAddress(text: string): SshPlace | undefined {
  if (/^ssh:\/\//i.test(text)) return placeOfUrl(text);
  const [, user, host, path] = SCP_FORM.exec(text) ?? [];
  return user !== undefined && host !== undefined && path !== undefined
    ? placeOfScpForm(user, host, path)
    : undefined;
}

function placeOfUrl(text: string): SshPlace {
  const url = URL.parse(text);
  if (url === null) throw refused('it is no URL; write it like ssh://git@host/path or git@host:path');
  if (url.password !== '') throw refused('SSH takes no password in it; put a key into the Secret');
  if (url.search !== '' || url.hash !== '') throw refused('an ssh:// URL has no query and no fragment');
  if (url.pathname === '' || url.pathname === '/') throw refused('it has no path');
  const user = checkUser(url.username || DEFAULT_USER);
  const host = checkHost(url.hostname);
  const port = url.port === '' ? undefined : Number(url.port);
  const authority = port === undefined ? url.hostname : `${url.hostname}:${port}`;
  return {
    url: `ssh://${user}@${authority}${url.pathname}`,
    host,
    ...(port !== undefined && { port }),
  };
}

function placeOfScpForm(user: string, host: string, path: string): SshPlace {
  // ssh would give it to a shell of the server between quotes; git refuses it, too.
  if (path.startsWith('-') || path.startsWith(':')) throw refused('its path begins with - or :');
  if (CONTROLS.test(path)) throw refused('its path holds a control character');
  return { url: `${checkUser(user)}@${host}:${path}`, host: checkHost(host) };
}

function checkUser(user: string): string {
  if (!USER.test(user)) throw refused('its user name has characters other than letters, digits, _ . + and -');
  return user;
}

/** @returns the host without the brackets of an IPv6 address */
function checkHost(host: string): string {
  const bare = /^\[(.*)\]$/s.exec(host)?.[1];
  const isValid = bare === undefined ? HOST.test(host) : isIPv6(bare) && !bare.includes('%');
  if (!isValid) throw refused('its host is no name of a host and no address');
  return bare ?? host;
}

function refused(why: string): AddressError {
  return new AddressError('InvalidURL', `the repository URL is refused: ${why}`);
}
