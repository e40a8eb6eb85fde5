import { access, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { ObjectFormat } from './blobs.ts';
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
/** Says that the copy has all blobs of its commits, since its server does not give them apart. */
const WHOLE = 'fleetscan-whole';

// What a killed git leaves behind. Branch names are hashed in our refs, so that none can look like these.
const LEFTOVER = /\.lock$|^gc\.pid$|^objects\/(?:.*\/)?tmp_|^fast_import_crash_/;

// git's own limits (gc.autoPackLimit, gc.auto), above which it repacks.
const MAX_PACKS = 50;
const MAX_LOOSE_OBJECTS = 6700;

/**
 * Makes the bare repository in `context.gitDirectory`, or makes the one that is there usable: what a killed process left
 * is removed, a damaged copy is made anew, and one that has grown is repacked or made anew.
 *
 * @throws {GitError} `Failed` when the folder holds something else, or cannot be written
 */
export async function prepareCache(context: GitContext, onNotice: (notice: Notice) => void): Promise<void> {
  const directory = context.gitDirectory;
  const isNew = await claim(directory);
  const damage = isNew ? undefined : await damageOf(context);
  if (damage !== undefined) onNotice({ kind: 'CacheRemade', reason: damage });
  if (isNew || damage !== undefined) return remakeCache(context, 'sha1');
  const entries = await readdir(directory, { recursive: true });
  const files = await removeLeftovers(directory, entries);
  if (files.length > 0) onNotice({ kind: 'LeftoversRemoved', files });
  if (!hasGrown(entries)) return;
  if (await isWhole(context)) {
    await localGit(context, ['gc', '--quiet', '--prune=now']);
    return;
  }
  // git never drops what came filtered, since it cannot tell what of it is still of use.
  onNotice({ kind: 'CacheRemade', reason: 'it has grown' });
  await remakeCache(context, 'sha1');
}

/** Empties the local copy. `format` is the hash of the repository that it is to be a copy of. */
export async function remakeCache(context: GitContext, format: ObjectFormat): Promise<void> {
  await empty(context.gitDirectory);
  await localGit(context, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`]);
}

/** Whether the local copy has all blobs of its commits; else it has those that were asked for. */
export function isWhole({ gitDirectory }: GitContext): Promise<boolean> {
  return access(path.join(gitDirectory, WHOLE)).then(
    () => true,
    () => false,
  );
}

/** Notes that the local copy is to have all blobs from now on. */
export async function keepWhole({ gitDirectory }: GitContext): Promise<void> {
  await writeFile(path.join(gitDirectory, WHOLE), '');
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

function hasGrown(entries: readonly string[]): boolean {
  const count = (pattern: RegExp): number => entries.filter((name) => pattern.test(name)).length;
  return (
    count(/^objects\/pack\/.*\.pack$/) > MAX_PACKS || count(/^objects\/[0-9a-f]{2}\/./) > MAX_LOOSE_OBJECTS
  );
}

async function removeLeftovers(directory: string, entries: readonly string[]): Promise<string[]> {
  const leftovers = entries.filter((name) => LEFTOVER.test(name));
  for (const name of leftovers) await rm(path.join(directory, name), { recursive: true, force: true });
  return leftovers;
}
