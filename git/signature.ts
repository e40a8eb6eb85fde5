import { localGit } from './cache.ts';
import type { GitContext } from './environment.ts';
import { signWithGpg } from './sign-openpgp.ts';
import { signWithSsh } from './sign-ssh.ts';

/** With what commits are signed. The key is in OpenSSH's form or PEM, or armored as `gpg --export-secret-keys --armor` does. */
export interface Signer {
  readonly format: 'SSH' | 'OpenPGP';
  readonly privateKey: string;
  readonly passphrase?: string;
}

/**
 * Signs a commit of the local copy: its bytes, as git does, so that `git verify-commit` says whose it is.
 *
 * @returns the id of the signed commit, which is another one
 * @throws {GitError} `InvalidKey` when the key or its passphrase is of no use, `SigningFailed` when it does not sign
 */
export async function signCommit(context: GitContext, oid: string, signer: Signer): Promise<string> {
  const { stdout: commit } = await localGit(context, ['cat-file', 'commit', oid]);
  const signature = await signatureOf(context, commit, signer);
  const header = oid.length === 64 ? 'gpgsig-sha256' : 'gpgsig';
  const signed = withHeader(commit, header, signature);
  const { stdout } = await localGit(context, ['hash-object', '-t', 'commit', '-w', '--stdin'], [signed]);
  return stdout.toString().trim();
}

function signatureOf(context: GitContext, commit: Buffer, signer: Signer): Promise<string> {
  switch (signer.format) {
    case 'SSH':
      return signWithSsh(context, commit, signer);
    case 'OpenPGP':
      return signWithGpg(context, commit, signer);
  }
}

/** Puts a header of several lines behind the others: each further line begins with a space. */
function withHeader(commit: Buffer, name: string, value: string): Buffer {
  const end = commit.indexOf('\n\n') + 1;
  const folded = value.trimEnd().replaceAll('\n', '\n ');
  return Buffer.concat([commit.subarray(0, end), Buffer.from(`${name} ${folded}\n`), commit.subarray(end)]);
}
