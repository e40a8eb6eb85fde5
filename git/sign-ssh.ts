import { bareEnvironment, type GitContext } from './environment.ts';
import { GitError } from './errors.ts';
import { oneLine } from './failure.ts';
import { withPrivateFolder } from './private-folder.ts';
import { writePrivateKey } from './private-key.ts';
import { runProgram } from './process.ts';

/**
 * Signs bytes with an SSH key, by `ssh-keygen -Y sign` in git's namespace as git itself does (gpg.format=ssh).
 *
 * @returns the armored signature
 * @throws {GitError} `InvalidKey`, `SigningFailed`
 */
export async function signWithSsh(
  context: GitContext,
  content: Buffer,
  key: { privateKey: string; passphrase?: string },
): Promise<string> {
  return withPrivateFolder(async (folder) => {
    const file = await writePrivateKey(context, folder, key);
    const environment = bareEnvironment(context.environment);
    const args = ['-Y', 'sign', '-n', 'git', '-f', file];
    const outcome = await runProgram({ command: 'ssh-keygen', args, environment }, context, [content]);
    if (outcome.code === 0) return outcome.stdout.toString();
    const said = oneLine(outcome.stderr).replaceAll(file, 'key');
    throw new GitError('SigningFailed', `the commit could not be signed with the SSH key: ${said}`);
  });
}
