import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../core/errors.ts';
import { oneLine } from './failure.ts';
import { GitError } from './errors.ts';
import type { GitContext } from './environment.ts';
import { type Outcome, runGit } from './process.ts';

/** What a caller may want to log about the local copy. */
export type Notice =
  | { readonly kind: 'CacheRemade'; readonly reason: string }
  | { readonly kind: 'LeftoversRemoved'; readonly files: readonly string[] };

/** In every folder that {@link prepareCache} made; a folder without it is never emptied. */
const OURS = 'fleetscan-cache';
/** Says that the copy is to be made anew at the next opening, and why. */
const DAMAGED = 'fleetscan-damaged';

// What a killed git leaves behind. Branch names are hashed in our refs, so that none can look like these.
const LEFTOVER = /\.lock$|^gc\.pid$|^objects\/(?:.*\/)?tmp_|^fast_import_crash_/;

/**
 * Makes the bare repository in `context.gitDirectory`, or makes the one that is there usable: what a killed process left
 * is removed, a damaged copy is made anew, and one that has grown is repacked.
 *
 * @throws {GitError} `Failed` when the folder holds something else, or cannot be written
 */
export async function prepareCache(context: GitContext, onNotice: (notice: Notice) => void): Promise<void> {
  const directory = context.gitDirectory;
  const isNew = await claim(directory);
  const damage = isNew ? undefined : await damageOf(context);
  if (damage !== undefined) {
    await empty(directory);
    onNotice({ kind: 'CacheRemade', reason: damage });
  }
  if (isNew || damage !== undefined) {
    await localGit(context, ['init', '--quiet', '--bare', '--template=']);
    return;
  }
  const files = await removeLeftovers(directory);
  if (files.length > 0) onNotice({ kind: 'LeftoversRemoved', files });
  await localGit(context, ['gc', '--auto', '--quiet', '--prune=now']);
}

/**
 * Runs a git command that works on the local copy alone. Nothing but damage makes one fail, so a failure condemns the
 * copy: the next opening makes it anew.
 *
 * @throws {GitError} `Failed`, or `Timeout`
 */
export async function localGit(
  context: GitContext,
  args: readonly string[],
  input?: Iterable<string | Buffer>,
): Promise<Outcome> {
  const outcome = await runGit(context, args, input);
  if (outcome.code !== 0) throw await condemn(context, `git ${args[0]} failed: ${oneLine(outcome.stderr)}`);
  return outcome;
}

/** Marks the local copy as damaged and returns the error that says so. */
export async function condemn({ gitDirectory }: GitContext, reason: string): Promise<GitError> {
  // When not even this can be written (disk full, folder gone), the next opening fails or starts anew by itself.
  await writeFile(path.join(gitDirectory, DAMAGED), reason).catch(() => undefined);
  return new GitError('Failed', `${reason}; the local copy will be made anew`);
}

/** Makes the folder ours. @returns whether it was new or empty */
async function claim(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { recursive: true });
    const entries = await readdir(directory);
    if (entries.length > 0 && !entries.includes(OURS)) {
      throw new Error('it holds files that are not ours; give an empty folder');
    }
    if (entries.length === 0) await writeFile(path.join(directory, OURS), '');
    return entries.length === 0;
  } catch (cause) {
    throw new GitError('Failed', `the cache folder ${directory} cannot be used: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function damageOf(context: GitContext): Promise<string | undefined> {
  const told = await readFile(path.join(context.gitDirectory, DAMAGED), 'utf8').catch(() => undefined);
  if (told !== undefined) return told;
  const { code, stdout, stderr } = await runGit(context, ['rev-parse', '--is-bare-repository']);
  if (code === 0 && stdout.toString().trim() === 'true') return undefined;
  return `it is no complete repository: ${oneLine(stderr)}`;
}

/** Our mark goes last, so that a process killed in between leaves a folder that is still known as ours. */
async function empty(directory: string): Promise<void> {
  const entries = await readdir(directory);
  for (const entry of entries.filter((name) => name !== OURS)) {
    await rm(path.join(directory, entry), { recursive: true, force: true });
  }
}

async function removeLeftovers(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true });
  const leftovers = entries.filter((name) => LEFTOVER.test(name));
  for (const name of leftovers) await rm(path.join(directory, name), { recursive: true, force: true });
  return leftovers;
}
