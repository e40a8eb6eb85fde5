import { cleanPath, PathError } from '../core/paths.ts';
import { localGit } from './cache.ts';
import type { GitContext } from './environment.ts';

/** The modes of a regular file in Git: plain, and executable. */
export type FileMode = '100644' | '100755';

/** A regular file of a commit. */
export interface FileEntry {
  /** From the root, with `/` between its parts and none in front. */
  readonly path: string;
  readonly mode: FileMode;
  /** Object id of its content. */
  readonly oid: string;
  /** Bytes, where a listing can tell: a filtered copy has to fetch a file to know. */
  readonly size?: number;
}

/** What is in a tree but is no file that we may write. */
export interface OtherEntry {
  readonly path: string;
  readonly kind: 'symlink' | 'submodule' | 'nameNotUtf8';
}

/** All that a commit has under some paths, in Git's order. */
export interface Listing {
  readonly files: readonly FileEntry[];
  readonly others: readonly OtherEntry[];
}

/**
 * Lists what `commit` has under `paths`: folders (with all below them) and files, from the root with or without a leading
 * `/`, as Fleet reads them; none at all means the whole tree. Nothing in a path is a wildcard.
 *
 * @throws {PathError} `PathEscapes` for a path that `..` leads above the root; `PathMissing` for one that is not there
 */
export async function listTree(
  context: GitContext,
  commit: string,
  paths: readonly string[],
): Promise<Listing> {
  const wanted = new Set(paths.map(cleanPath));
  const pathspecs = wanted.has('') ? [] : [...wanted];
  const { stdout } = await localGit(context, ['ls-tree', '-r', '-z', commit, '--', ...pathspecs]);
  const entries = entriesOf(stdout);
  const missing = firstMissing(pathspecs, entries);
  if (missing !== undefined)
    throw new PathError('PathMissing', `path ${quote(missing)} does not exist in ${commit}`);
  return {
    files: entries.filter((entry) => 'oid' in entry),
    others: entries.filter((entry) => 'kind' in entry),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function entriesOf(listing: Buffer): (FileEntry | OtherEntry)[] {
  const entries: (FileEntry | OtherEntry)[] = [];
  for (
    let start = 0, end = listing.indexOf(0);
    end !== -1;
    start = end + 1, end = listing.indexOf(0, start)
  ) {
    entries.push(entryOf(listing.subarray(start, end)));
  }
  return entries;
}

/** One record of `ls-tree`: mode, type and object id; a tab; the path. */
function entryOf(record: Buffer): FileEntry | OtherEntry {
  const tab = record.indexOf(0x09);
  const [mode, , oid = ''] = record.toString('latin1', 0, tab).split(' ');
  const name = record.subarray(tab + 1);
  const path = decoded(name);
  if (mode === '120000') return { path: path ?? name.toString(), kind: 'symlink' };
  if (mode === '160000') return { path: path ?? name.toString(), kind: 'submodule' };
  if (path === undefined) return { path: name.toString(), kind: 'nameNotUtf8' };
  return { path, mode: mode === '100755' ? mode : '100644', oid };
}

function decoded(name: Buffer): string | undefined {
  try {
    return utf8.decode(name);
  } catch {
    return undefined;
  }
}

/** Linear in the entries: each asks only for its own ancestors. */
function firstMissing(
  paths: readonly string[],
  entries: readonly { readonly path: string }[],
): string | undefined {
  const missing = new Set(paths);
  for (const { path } of entries) {
    for (let end = path.length; end > 0 && missing.size > 0; end = path.lastIndexOf('/', end - 1)) {
      missing.delete(path.slice(0, end));
    }
  }
  return missing.values().next().value;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
