import { isUtf8 } from 'node:buffer';
import { MARKER_BYTES, type Marker } from '../core/marker.ts';
import type { Lookup } from '../core/scan.ts';
import { editMarkers, type Edit } from '../core/yaml/edit.ts';
import { cleanPath, isYamlFile } from '../core/paths.ts';
import { MAX_BLOB } from '../git/blobs.ts';
import type { Change, FileEntry, OtherEntry, Repository } from '../git/repository.ts';
import { isLfsPointer } from './lfs.ts';
import { type Answer, KnownBlobs, settled, type Verdict } from './known-blobs.ts';

/** A file or marker that write-back does not touch, and why. */
export interface LeftAlone {
  readonly file: string;
  readonly line?: number;
  readonly reason: string;
  readonly message: string;
}

/** An edit, and in which file. */
export interface FileEdit extends Edit {
  readonly file: string;
}

/** What write-back would do to a commit. */
export interface EditPlan {
  readonly changes: readonly Change[];
  readonly edits: readonly FileEdit[];
  readonly leftAlone: readonly LeftAlone[];
  /** How many markers there are, and how many of them agreed already. */
  readonly markers: number;
  readonly current: number;
  /** Set when a marker was left alone for want of an answer that may come later. */
  readonly isIncomplete?: true;
}

const MARKER = Buffer.from(MARKER_BYTES);

/**
 * Finds every marker in the YAML files under `paths` of a commit, and what each file has to become.
 *
 * @param known what earlier runs found: a blob without a marker, or whose markers get the answers they got then, is not read again.
 *   What this run finds is added.
 * @throws {PathError | GitError}
 */
export async function planEdits(
  source: Pick<Repository, 'list' | 'read'>,
  commit: string,
  paths: readonly string[],
  resolve: (marker: Marker) => Lookup,
  known: KnownBlobs = new KnownBlobs(),
): Promise<EditPlan> {
  const listing = await source.list(commit, paths);
  const files = listing.files.filter((file) => isYamlFile(file.path));
  const named = new Set(paths.map(cleanPath));
  const leftAlone = listing.others.filter(({ path }) => isYamlFile(path) || named.has(path)).map(whyNotRead);
  const plan: Mutable<EditPlan> = { changes: [], edits: [], leftAlone, markers: 0, current: 0 };
  known.keepOnly(files.map((file) => file.oid));
  const unread = files.filter((file) => {
    const verdict = known.get(file.oid, resolve) ?? verdictOnSize(file.size ?? 0);
    addVerdict(plan, file, verdict);
    return verdict === undefined;
  });
  let index = 0;
  for await (const blob of source.read(unread.map((file) => file.oid))) {
    const file = unread[index++];
    if (file === undefined) break;
    const verdict = 'content' in blob ? addFile(plan, file, blob.content, resolve) : verdictOnSize(blob.size);
    if (verdict !== undefined) known.set(blob.oid, verdict);
    addVerdict(plan, file, verdict);
  }
  // What was known comes first; the same state of Git is to be reported in the same words.
  plan.leftAlone.sort((a, b) => Number(a.file > b.file) - Number(a.file < b.file));
  return plan;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** Adds a file in which nothing has to change; nothing without a verdict. */
function addVerdict(plan: Mutable<EditPlan>, { path: file }: FileEntry, verdict: Verdict | undefined): void {
  if (verdict === undefined || verdict === 'unmarked') return;
  if ('reason' in verdict) {
    plan.leftAlone.push({ file, ...verdict });
    return;
  }
  plan.markers += verdict.markers;
  plan.current += verdict.current;
  plan.leftAlone.push(...verdict.leftAlone.map((left) => ({ file, ...left })));
}

/** Adds what has to change in a file. @returns the verdict on it, if that is nothing */
function addFile(
  plan: Mutable<EditPlan>,
  file: FileEntry,
  content: Buffer,
  resolve: (marker: Marker) => Lookup,
): Verdict | undefined {
  const verdict = verdictOnContent(content);
  if (verdict !== undefined) return verdict;
  const answers = new Map<string, Answer>();
  const result = editMarkers(content.toString(), (marker) => {
    const lookup = resolve(marker);
    answers.set(marker.text, { marker, lookup });
    return lookup;
  });
  if (result.edits.length === 0) return settled(result, answers.values());
  plan.markers += result.markers;
  plan.current += result.current;
  plan.leftAlone.push(...result.leftAlone.map((left) => ({ file: file.path, ...left })));
  plan.edits.push(...result.edits.map((edit) => ({ file: file.path, ...edit })));
  plan.changes.push({ path: file.path, mode: file.mode, content: Buffer.from(result.text) });
  return undefined;
}

/** What makes a file one that no value can change; undefined for one that may have markers. */
function verdictOnContent(content: Buffer): Verdict | undefined {
  if (isLfsPointer(content))
    return {
      reason: 'LFSPointer',
      message: 'the file is in Git LFS; keep it in Git itself to have it edited',
    };
  if (!content.includes(MARKER) && !hasUtf16Marker(content)) return 'unmarked';
  return isUtf8(content) ? undefined : { reason: 'NotUTF8', message: 'the file is not UTF-8' };
}

/** YAML may be UTF-16, with a byte order mark in front; we report it and edit it not. */
function hasUtf16Marker(content: Buffer): boolean {
  const mark = content.length < 2 ? 0 : content.readUInt16BE(0);
  if (mark !== 0xfeff && mark !== 0xfffe) return false;
  return content.toString('latin1').replaceAll('\0', '').includes(MARKER_BYTES);
}

function verdictOnSize(size: number): Verdict | undefined {
  if (size <= MAX_BLOB) return undefined;
  const [mebibytes, limit] = [size, MAX_BLOB].map((bytes) => Math.ceil(bytes / 1024 / 1024));
  const message = `the file has ${mebibytes} MiB, and is not read above ${limit} MiB; split it`;
  return { reason: 'TooLarge', message };
}

function whyNotRead({ path, kind }: OtherEntry): LeftAlone {
  switch (kind) {
    case 'symlink':
      return {
        file: path,
        reason: 'SymbolicLink',
        message: 'symbolic links are not followed; name what it leads to',
      };
    case 'submodule':
      return { file: path, reason: 'Submodule', message: 'submodules are repositories of their own' };
    case 'nameNotUtf8':
      return { file: path, reason: 'NameNotUTF8', message: 'the name of the file is not UTF-8' };
  }
}
