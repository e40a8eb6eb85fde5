import { oneLine } from '../../core/one-line.ts';
import type { ImageScanSpec } from '../../kube/kinds/image-scan.ts';

/** A place in a file of the repository. */
export interface Place {
  /** From the root of the repository. */
  readonly file: string;
  /** Counted from 1; unset where the whole file is meant. */
  readonly line?: number;
}

/** An ImageScan that a file defines. */
export interface Definition extends Place {
  readonly line: number;
  /** No other definition of the GitRepo has the same. */
  readonly tagName: string;
  /** What the file says, and nothing else. */
  readonly spec: ImageScanSpec;
}

/** Something that keeps a definition from becoming an ImageScan, or one that was there from being as it says. */
export interface Mistake extends Place {
  readonly message: string;
  /** Which scan it concerns, where that is known. */
  readonly tagName?: string;
}

/** All that the files of a commit define, in the order of their paths. */
export interface Defined {
  readonly definitions: readonly Definition[];
  readonly mistakes: readonly Mistake[];
  /** Files of definitions that cannot be read, such as a link: what they define is not known. */
  readonly unread: readonly Mistake[];
  /** The paths of all files of definitions. */
  readonly files: ReadonlySet<string>;
}

/** UTF-16 units of a path in a message; Git has no limit. */
const MAX_PATH = 300;

/** `path:line`, for a message. */
export function placeText({ file, line }: Place): string {
  const path = oneLine(file, MAX_PATH);
  return line === undefined ? path : `${path}:${line}`;
}

/** Sorts by file and line. */
export function byPlace(a: Place, b: Place): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}
