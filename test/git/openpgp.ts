import { chmod } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { mustRun } from '../control-plane/run.ts';
import { temporaryFolder } from './support.ts';

/** A key of gpg, and the home that knows its public part. */
export interface OpenPgpKey {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly home: string;
}

/** Makes a key by gpg; its agent is ended at the end of the test. */
export async function makeOpenPgpKey(
  t: TestContext,
  { passphrase = '', expired = false, subkeyOnly = false } = {},
): Promise<OpenPgpKey> {
  const home = temporaryFolder(t);
  await chmod(home, 0o700);
  const env = { GNUPGHOME: home };
  t.after(() => mustRun('gpgconf', ['--kill', 'all'], { env }));
  const gpg = async (...args: string[]): Promise<string> => {
    const unlock = ['--pinentry-mode', 'loopback', '--passphrase', passphrase];
    return (await mustRun('gpg', ['--batch', '--quiet', ...unlock, ...args], { env })).stdout;
  };
  const time = expired ? ['--faked-system-time', '20200101T000000'] : [];
  const user = 'Fleetscan <fleetscan@example.org>';
  const use = subkeyOnly ? 'cert' : 'sign';
  await gpg(...time, '--quick-generate-key', user, 'ed25519', use, expired ? '1d' : 'never');
  if (subkeyOnly) {
    const listing = await gpg('--with-colons', '--list-keys');
    const [, fingerprint = ''] = /^fpr:+([0-9A-F]+):$/m.exec(listing) ?? [];
    await gpg('--quick-add-key', fingerprint, 'ed25519', 'sign', 'never');
  }
  const secret = subkeyOnly ? '--export-secret-subkeys' : '--export-secret-keys';
  return { privateKey: await gpg('--armor', secret), publicKey: await gpg('--armor', '--export'), home };
}
