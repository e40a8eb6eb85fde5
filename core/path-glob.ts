import { compileGoRegExp, type GoRegExp } from './go-regexp.ts';

type Segment = Pick<GoRegExp, 'test'> | '**';

/** Whether a path holds a wildcard: `*`, `?` or `[`. */
export function isGlob(path: string): boolean {
  return /[*?[]/.test(path);
}

/** The folder of a glob above which nothing is a wildcard; the empty text for the root. */
export function folderOf(glob: string): string {
  const parts = glob.split('/');
  return parts.slice(0, parts.findIndex(isGlob)).join('/');
}

/**
 * Makes a test for paths: whether a glob names the path or a folder above it. `*` and `?` stand for
 * characters of one name, be it one that begins with a dot, and `[a-z]` for one of a range (`[!a-z]`: of none); `**` stands
 * for any number of folders. The time of a test grows with the path's length times the glob's, whatever they are.
 *
 * @param glob without `.`, `..` and superfluous slashes
 */
export function pathGlob(glob: string): (path: string) => boolean {
  const segments = glob.split('/').map(readSegment);
  return (path) => matches(segments, path.split('/'));
}

/** Follows all ways through the glob at once. `at[i]` says that what was read so far may have led before segment `i`. */
function matches(segments: readonly Segment[], names: readonly string[]): boolean {
  let at = withEmptyFolders(segments, new Set([0]));
  for (const name of names) {
    const next = new Set<number>();
    for (const index of at) {
      const segment = segments[index];
      if (segment === '**') next.add(index);
      else if (segment?.test(name)) next.add(index + 1);
    }
    at = withEmptyFolders(segments, next);
    if (at.has(segments.length)) return true;
  }
  return false;
}

/** `**` stands for no folder, too. */
function withEmptyFolders(segments: readonly Segment[], at: Set<number>): Set<number> {
  for (const index of at) if (segments[index] === '**') at.add(index + 1);
  return at;
}

const WILDCARD = /(?<any>\*+)|(?<one>\?)|\[(?<not>[!^])?(?<set>\]?[^\]]*)\]/g;

function readSegment(name: string): Segment {
  if (name === '**') return '**';
  let at = 0;
  let pattern = '';
  for (const { 0: text, index, groups = {} } of name.matchAll(WILDCARD)) {
    pattern += escaped(name.slice(at, index)) + meaningOf(groups);
    at = index + text.length;
  }
  return compileGoRegExp(`^(?s:${pattern}${escaped(name.slice(at))})$`);
}

function meaningOf({ any, one, not, set = '' }: Readonly<Record<string, string | undefined>>): string {
  if (any !== undefined) return '.*';
  if (one !== undefined) return '.';
  return `[${not === undefined ? '' : '^'}${set.replaceAll(/[\\[\]^]/g, String.raw`\$&`)}]`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`);
}
