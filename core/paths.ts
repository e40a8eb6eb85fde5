import { CodedError } from './errors.ts';
import { folderOf, isGlob, pathGlob } from './path-glob.ts';

/** Why a path of a GitRepo is refused: it leads out of the repository, or nothing is there. */
export type PathErrorCode = 'PathEscapes' | 'PathMissing';

/** Thrown by {@link selectEntries} and {@link cleanPath}. */
export class PathError extends CodedError<PathErrorCode> {}

/** Whether write-back looks into a file of this name: `.yaml` or `.yml` at its end, in lower case, as Fleet has it. */
export function isYamlFile(path: string): boolean {
  return /\.ya?ml$/.test(path);
}

/**
 * The folders and files that have to be listed for a GitRepo's `paths`, in their shortest form; none at all means all.
 *
 * @throws {PathError} `PathEscapes`
 */
export function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set(
    paths.map(cleanPath).flatMap((path) => (isGlob(path) ? [path, folderOf(path)] : [path])),
  );
  return folders.has('') ? [] : [...folders];
}

/**
 * What a GitRepo's `paths` name of the entries of a repository: each path is a file, a folder with all below it, or a glob
 * of them ({@link pathGlob}), unless something bears its very name; none given means all.
 *
 * @param entries each with its path, slash-separated from the root
 * @returns those that are named, in their order
 * @throws {PathError} also when a path names nothing
 */
export function selectEntries<T extends { readonly path: string }>(
  paths: readonly string[],
  entries: readonly T[],
): T[] {
  const wanted = new Set((paths.length > 0 ? paths : ['.']).map(cleanPath));
  if (wanted.has('')) return [...entries];
  const [found, named] = [new Set<string>(), new Set<T>()];
  for (const entry of entries) {
    for (const folder of foldersAbove(entry.path)) {
      if (!wanted.has(folder)) continue;
      found.add(folder);
      named.add(entry);
    }
  }
  for (const path of wanted) {
    if (found.has(path)) continue;
    const isNamed = isGlob(path) ? pathGlob(path) : undefined;
    const matching = entries.filter((entry) => isNamed?.(entry.path));
    if (matching.length === 0) throw pathMissing(path);
    for (const entry of matching) named.add(entry);
  }
  return entries.filter((entry) => named.has(entry));
}

/**
 * A path from the root of the repository without `.`, `..` and superfluous slashes; the root itself is the empty text. A
 * leading slash means the root of the repository.
 *
 * @throws {PathError} `PathEscapes` when it leads above the root, even if it comes back; `PathMissing` when it holds a
 *   NUL, as no path can
 */
export function cleanPath(path: string): string {
  if (path.includes('\0')) {
    throw new PathError('PathMissing', `path ${JSON.stringify(path)} holds a NUL, as no path in Git can`);
  }
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) {
      throw new PathError('PathEscapes', `path ${JSON.stringify(path)} resolves outside the repository root`);
    }
  }
  return parts.join('/');
}

/** A path and every folder that it is in. */
function foldersAbove(path: string): string[] {
  const folders = [path];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    folders.push(path.slice(0, end));
  return folders;
}

function pathMissing(path: string): PathError {
  const what = isGlob(path) ? 'matches nothing in the repository' : 'is not in the repository';
  return new PathError(
    'PathMissing',
    `path ${JSON.stringify(path)} ${what}; paths begin at its root, and a link on the way is not followed`,
  );
}
