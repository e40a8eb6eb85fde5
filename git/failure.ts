import { stripVTControlCharacters } from 'node:util';
import { GitError, type GitErrorCode } from './errors.ts';

const MAX_DETAIL = 600;
const BLANKS_AND_CONTROLS = /[\s\p{Cc}]+/gu;

/** What git says under LC_ALL=C, first match wins. Quoted parts (the URL) and the server's own text are not matched. */
const RULES: readonly (readonly [pattern: RegExp, code: GitErrorCode, what: string])[] = [
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

/** The error for a call to a server that git ended with a failure. `url` holds no credential. */
export function remoteFailure(stderr: string, url: string): GitError {
  const own = ownLines(stderr)
    .join('\n')
    .replace(/'[^'\n]*'/g, "''");
  const rule = RULES.find(([pattern]) => pattern.test(own));
  const [, code, what] = rule ?? [undefined, 'Failed' as const, 'git failed at'];
  const detail = oneLine(stderr);
  return new GitError(
    code,
    `${what} ${url}: ${detail}`,
    code === 'PushRejected' ? { rejection: 'Declined' } : {},
  );
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

function linesOf(text: string): string[] {
  return stripVTControlCharacters(text).split(/[\r\n]+/);
}
