import { localGit } from './cache.ts';
import type { GitContext } from './environment.ts';
import { GitError } from './errors.ts';

/** What a commit says of itself. */
export interface Description {
  readonly tree: string;
  /** Those that the commit names; the local copy need not have them. */
  readonly parents: readonly string[];
  /** `Name <email>`. */
  readonly committer: string;
  /** When it was committed, in seconds since the epoch. */
  readonly seconds: number;
  /** As it was written, with what it ends in. */
  readonly message: string;
}

/**
 * Reads a commit of the local copy.
 *
 * @throws {GitError} `Failed` when it is not there
 */
export async function describeCommit(context: GitContext, commit: string): Promise<Description> {
  const { stdout } = await localGit(context, ['cat-file', 'commit', commit]);
  const text = stdout.toString();
  const end = text.indexOf('\n\n');
  const headers = text
    .slice(0, end)
    .split('\n')
    .map((line) => /^(\w+) (.*)$/.exec(line)?.slice(1) ?? []);
  const values = (wanted: string): string[] =>
    headers.filter(([name]) => name === wanted).map(([, value = '']) => value);
  const [, committer, seconds] = /^(.*) (\d+) [+-]\d+$/.exec(values('committer')[0] ?? '') ?? [];
  const [tree] = values('tree');
  if (tree === undefined || committer === undefined)
    throw new GitError('Failed', `commit ${commit} is not as Git writes commits`);
  return {
    tree,
    parents: values('parent'),
    committer,
    seconds: Number(seconds),
    message: text.slice(end + 2),
  };
}

/**
 * The files, links and submodules that differ between two commits of the local copy. Blobs are not needed for it.
 *
 * @returns object ids at `to` by path, in Git's order; the empty text for a path that is gone
 * @throws {GitError} `Failed` when the local copy lacks one of the commits
 */
export async function changedFiles(
  context: GitContext,
  from: string,
  to: string,
): Promise<ReadonlyMap<string, string>> {
  const options = ['-r', '-z', '--raw', '--no-renames', '--full-index'];
  const { stdout } = await localGit(context, ['diff-tree', ...options, from, to, '--']);
  const fields = stdout.toString().split('\0');
  const changed = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    // `:<mode before> <mode> <id before> <id> <kind>`, then the path.
    const [, , , oid = '', kind] = (fields[i] ?? '').split(' ');
    changed.set(fields[i + 1] ?? '', kind === 'D' ? '' : oid);
  }
  return changed;
}
