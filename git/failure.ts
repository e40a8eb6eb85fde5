import { stripVTControlCharacters } from 'node:util';
import type { Address } from './address.ts';
import { GitError, type GitErrorCode } from './errors.ts';
import type { SshPlace } from './ssh-address.ts';

const MAX_DETAIL = 600;
const BLANKS_AND_CONTROLS = /[\s\p{Cc}]+/gu;

type Rule = readonly [pattern: RegExp, code: GitErrorCode, what: string];

/** What ssh and the hosts behind it say, before the same words of git are looked for: its own are more exact. */
const SSH_RULES: readonly Rule[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY/,
    'HostKeyChanged',
    'the server shows another host key than the one that is known (an attack, or a new key that must be made known) at',
  ],
  [/host key is known for|Host key verification failed/, 'HostKeyUnknown', 'no host key is known of'],
  [
    /Load key .*(?:invalid format|error in libcrypto|incorrect passphrase|Permission denied)/,
    'InvalidKey',
    'ssh cannot use the private key for',
  ],
  [
    /Permission denied \(|Permission to \S+ denied|marked as read only|Too many authentication failures|access denied|Write access .*not granted|not allowed to|not authorized to/i,
    'Unauthorized',
    'the key is wrong or not allowed to do this at',
  ],
  [
    /does not appear to be a git repository|repository not found|(?:project|repository) you (?:were|are) (?:looking for|trying to access) could not be found|repository does not exist/i,
    'RepositoryMissing',
    'there is no repository (or none that the key may see) at',
  ],
  [/Could not read from remote repository|hung up|early EOF/, 'Unreachable', 'no connection to'],
];

/** What git says under LC_ALL=C, first match wins. Quoted parts (the URL) and the server's own text are not matched. */
const RULES: readonly Rule[] = [
  [/couldn't find remote ref/, 'BranchMissing', 'the branch does not exist in'],
  [
    /certificat|CAfile|handshake|SSL connect error|wrong version number/i,
    'TLS',
    'no trusted TLS connection to',
  ],
  [
    /Authentication failed|could not read (?:Username|Password)|returned error: (?:401|403)/,
    'Unauthorized',
    'the credential is missing, wrong or not allowed to do this at',
  ],
  [
    /repository '' not found|returned error: (?:404|410)|is this a git repository/,
    'RepositoryMissing',
    'there is no repository (or none that the credential may see) at',
  ],
  [/returned error: 413/, 'PushRejected', 'the push is too large for'],
  [/returned error: (?:408|425|429|5\d\d)/, 'Unreachable', 'no service for the moment at'],
  [
    /unable to access|unable to connect|hung up|early EOF|RPC failed|unexpected disconnect|invalid index-pack output/i,
    'Unreachable',
    'no connection to',
  ],
];

/** The error for a call to a server that git ended with a failure. */
export function remoteFailure(stderr: string, address: Address): GitError {
  const lines = address.kind === 'ssh' ? sshLines(stderr) : ownLines(stderr);
  const own = lines.join('\n').replace(/'[^'\n]*'/g, "''");
  const rules = address.kind === 'ssh' ? [...SSH_RULES, ...RULES] : RULES;
  const [, code, what] = rules.find(([pattern]) => pattern.test(own)) ?? [
    undefined,
    'Failed' as const,
    'git failed at',
  ];
  const advice = address.kind === 'ssh' && code.startsWith('HostKey') ? `; ${hostKeyAdvice(address)}` : '';
  // ssh names the file that the key is in for as long as the call lasts.
  const detail = oneLine(stderr).replaceAll(/\S*fleetscan-private-\S*/g, 'key');
  return new GitError(
    code,
    `${what} ${address.url}${advice}: ${detail}`,
    code === 'PushRejected' ? { rejection: 'Declined' } : {},
  );
}

function hostKeyAdvice({ host, port }: SshPlace): string {
  const scan = port === undefined ? `ssh-keyscan ${host}` : `ssh-keyscan -p ${port} ${host}`;
  return `compare what \`${scan}\` prints with what the host publishes, then put it under known_hosts into the Secret with the key or into the cluster's ConfigMap of known hosts`;
}

/** Did git refuse to follow a redirect? */
export function isRedirect(stderr: string): boolean {
  return ownLines(stderr).some((line) => /returned error: 30[1278]/.test(line));
}

/** What the server itself said: the lines that git marks with `remote: `. */
export function remoteLines(stderr: string): string[] {
  return linesOf(stderr)
    .filter((line) => line.startsWith('remote: '))
    .map((line) => line.slice('remote: '.length));
}

/** Text of a server or of git for a message: one line, no control characters, bounded. */
export function oneLine(text: string): string {
  const line = linesOf(text)
    .map((part) => part.replaceAll(BLANKS_AND_CONTROLS, ' ').trim())
    .filter((part) => part !== '')
    .join('; ');
  return line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL)}…` : line;
}

function ownLines(stderr: string): string[] {
  return linesOf(stderr).filter((line) => !line.startsWith('remote: '));
}

/** A host that refuses a key has no other way to say why than GitLab's, which looks like the text of a hook. */
function sshLines(stderr: string): string[] {
  return linesOf(stderr).filter((line) => !line.startsWith('remote: ') || line.startsWith('remote: ERROR:'));
}

function linesOf(text: string): string[] {
  return stripVTControlCharacters(text).split(/[\r\n]+/);
}
