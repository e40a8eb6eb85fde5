import { CodedError } from './errors.ts';

/** Why a path of a GitRepo is refused: it leads out of the repository, or nothing is there. */
export type PathErrorCode = 'PathEscapes' | 'PathMissing';

/** Thrown by {@link selectPaths} and {@link cleanPath}. */
export class PathError extends CodedError<PathErrorCode> {}

/** Whether write-back looks into a file of this name: `.yaml` or `.yml` at its end, in lower case, as Fleet has it. */
export function isYamlFile(path: string): boolean {
  return /\.ya?ml$/.test(path);
}

/**
 * The files that a GitRepo's `paths` name: each a file, or a folder with all below it; none given means all.
 *
 * @param files every file of the repository, slash-separated from its root
 * @returns those of `files`, in their order, that have a YAML name and lie under one of the paths
 * @throws {PathError}
 */
export function selectPaths(paths: readonly string[] | undefined, files: readonly string[]): string[] {
  const roots = (paths?.length ? paths : ['.']).map((path) => existing(path, files));
  return files.filter((file) => isYamlFile(file) && roots.some((root) => isUnder(root, file)));
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

function existing(path: string, files: readonly string[]): string {
  const root = cleanPath(path);
  if (root !== '' && !files.some((file) => isUnder(root, file))) {
    throw new PathError(
      'PathMissing',
      `path ${JSON.stringify(path)} is not in the repository; check spec.paths of the GitRepo`,
    );
  }
  return root;
}

function isUnder(root: string, file: string): boolean {
  return root === '' || file === root || file.startsWith(`${root}/`);
}
