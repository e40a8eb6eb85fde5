import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../git/address.ts';
import type { GitErrorCode } from '../../git/errors.ts';
import { remoteFailure } from '../../git/failure.ts';

const KEY = { privateKey: '', knownHosts: '' };
const END =
  'fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n';

test('what hosts say over SSH is understood', () => {
  const said: [GitErrorCode, string][] = [
    ['Unauthorized', `git@github.com: Permission denied (publickey).\n${END}`],
    ['Unauthorized', `ERROR: The key you are authenticating with has been marked as read only.\n${END}`],
    ['Unauthorized', `ERROR: Permission to team/app.git denied to robot.\n${END}`],
    ['Unauthorized', `ERROR: Write access to repository not granted.\n${END}`],
    [
      'Unauthorized',
      `remote: \nremote: ERROR: You are not allowed to push code to this project.\nremote: \n${END}`,
    ],
    [
      'Unauthorized',
      `repository access denied. deployment key is not associated with the repository.\n${END}`,
    ],
    ['RepositoryMissing', `ERROR: Repository not found.\n${END}`],
    [
      'RepositoryMissing',
      `remote: ERROR: The project you were looking for could not be found or you don't have permission to view it.\n${END}`,
    ],
    ['RepositoryMissing', `fatal: '/srv/app.git' does not appear to be a git repository\n${END}`],
    ['Unreachable', `ssh: Could not resolve hostname host: Name or service not known\n${END}`],
    ['Unreachable', `ssh: connect to host host port 22: Connection timed out\n${END}`],
    ['Unreachable', `kex_exchange_identification: Connection closed by remote host\n${END}`],
    ['Unreachable', `Connection timed out during banner exchange\n${END}`],
    ['Unreachable', `remote: Permission denied (says a hook)\n${END}`],
    ['BranchMissing', `fatal: couldn't find remote ref refs/heads/gone\n`],
    ['Failed', 'fatal: unable to write file: No space left on device\n'],
  ];
  const address = parseAddress('git@host:app.git', KEY);
  for (const [code, stderr] of said) {
    const failure = remoteFailure(stderr, address);
    assert.equal(failure.code, code, stderr);
    assert.doesNotMatch(failure.message, /\n/);
  }
});

test('an unknown host is told with the command that asks for its key', () => {
  const stderr =
    'No ED25519 host key is known for [::1]:2222 and you have requested strict checking.\r\nHost key verification failed.\r\n';
  const at = (url: string): string => remoteFailure(stderr, parseAddress(url, KEY)).message;
  assert.match(at('ssh://git@[::1]:2222/app'), /`ssh-keyscan -p 2222 ::1` .*known_hosts/);
  assert.match(at('git@host:app'), /of git@host:app; compare what `ssh-keyscan host` /);
});
