import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bareEnvironment, type GitContext } from './environment.ts';
import { GitError } from './errors.ts';
import { oneLine } from './failure.ts';
import { withPrivateFolder } from './private-folder.ts';
import { type Outcome, runProgram } from './process.ts';

/** Of a key that was imported: its fingerprint, and whether it is a private one. */
const IMPORTED = /^\[GNUPG:\] IMPORT_OK (\d+) ([0-9A-F]+)$/gm;
const PRIVATE = 16;

/**
 * Signs bytes with an OpenPGP key, by gpg in a home of its own that lasts for this call, agent included.
 *
 * @returns the armored signature
 * @throws {GitError} `InvalidKey`, `SigningFailed`
 */
export async function signWithGpg(
  context: GitContext,
  content: Buffer,
  { privateKey, passphrase = '' }: { privateKey: string; passphrase?: string },
): Promise<string> {
  return withPrivateFolder(async (home) => {
    const gpg = gpgIn(context, home);
    try {
      await writeFile(path.join(home, 'gpg-agent.conf'), AGENT_OPTIONS);
      const fingerprint = await importKey(gpg, privateKey);
      const secret = path.join(home, 'passphrase');
      await writeFile(secret, passphrase, { mode: 0o600 });
      const unlock = ['--pinentry-mode', 'loopback', '--passphrase-file', secret];
      const sign = ['--armor', '--detach-sign', '--local-user', fingerprint];
      const outcome = await gpg('gpg', [...OPTIONS, ...unlock, ...sign], content);
      if (outcome.code !== 0) throw refusal(outcome.stderr, passphrase !== '');
      return outcome.stdout.toString();
    } finally {
      // It would go by itself, some time after its home has gone.
      await gpg('gpgconf', ['--kill', 'all']).catch(() => undefined);
    }
  });
}

const OPTIONS = ['--batch', '--no-tty', '--quiet', '--no-options', '--status-fd', '2'];

// The agent seals the key anew with its passphrase and tries how costly it can make that, which takes 2 s of a core. The
// passphrase lies beside it, so there is nothing to win.
const AGENT_OPTIONS = 's2k-count 1024\n';

type Gpg = (command: string, args: readonly string[], input?: string | Buffer) => Promise<Outcome>;

function gpgIn(context: GitContext, home: string): Gpg {
  const environment = { ...bareEnvironment(context.environment), GNUPGHOME: home };
  return (command, args, input = '') => runProgram({ command, args, environment }, context, [input]);
}

async function importKey(gpg: Gpg, privateKey: string): Promise<string> {
  const { stderr } = await gpg('gpg', [...OPTIONS, '--import'], privateKey);
  const imported = [...stderr.matchAll(IMPORTED)];
  const own = new Set(
    imported.filter(([, flags]) => (Number(flags) & PRIVATE) !== 0).map(([, , fingerprint]) => fingerprint),
  );
  const [fingerprint, another] = own;
  if (fingerprint === undefined) {
    const what = imported.length > 0 ? 'holds a public key only' : `cannot be read: ${saidIn(stderr)}`;
    throw new GitError(
      'InvalidKey',
      `the OpenPGP key ${what}; export it by gpg --export-secret-keys --armor`,
    );
  }
  if (another !== undefined) {
    throw new GitError('InvalidKey', 'there are several private OpenPGP keys where one must be');
  }
  return fingerprint;
}

function refusal(stderr: string, hasPassphrase: boolean): GitError {
  if (/Bad passphrase|No passphrase given|Passphrase|MISSING_PASSPHRASE/i.test(stderr)) {
    const what = hasPassphrase
      ? 'the passphrase of the OpenPGP key is wrong'
      : 'the OpenPGP key has a passphrase, which is not given';
    return new GitError('InvalidKey', what);
  }
  if (/KEYEXPIRED|INV_SGNR|Unusable secret key/.test(stderr)) {
    const message = 'the OpenPGP key has expired, was revoked or is not for signing';
    return new GitError('SigningFailed', `${message}: ${saidIn(stderr)}`);
  }
  return new GitError(
    'SigningFailed',
    `the commit could not be signed with the OpenPGP key: ${saidIn(stderr)}`,
  );
}

/** What gpg says to people. */
function saidIn(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !line.startsWith('[GNUPG:]'));
  return oneLine(lines.join('\n'));
}
