import { isUtf8 } from 'node:buffer';
import { MARKER_BYTES, type Marker } from '../core/marker.ts';
import type { Lookup } from '../core/scan.ts';
import { editMarkers, type Edit } from '../core/yaml/edit.ts';
import { isYamlFile } from '../core/paths.ts';
import { MAX_BLOB } from '../git/blobs.ts';
import type { Change, FileEntry, OtherEntry, Repository } from '../git/repository.ts';
import { KnownBlobs, type Verdict } from './known-blobs.ts';

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
}

/** How the pointer file of Git LFS begins, by its specification. */
const LFS_POINTER = Buffer.from('version https://git-lfs.github.com/spec/');

/**
 * Finds every marker in the YAML files under `paths` of a commit, and what each file has to become.
 *
 * @param known the blobs that earlier runs found to have no marker: they are not read, and those of this run are added
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
  const leftAlone = listing.others.filter((other) => isYamlFile(other.path)).map(whyNotRead);
  const plan: Mutable<EditPlan> = { changes: [], edits: [], leftAlone, markers: 0, current: 0 };
  known.keepOnly(files.map((file) => file.oid));
  const unknown = files.filter((file) => {
    const verdict = known.get(file.oid) ?? verdictOnSize(file.size ?? 0);
    leaveAlone(plan, file, verdict);
    return verdict === undefined;
  });
  let index = 0;
  for await (const blob of source.read(unknown.map((file) => file.oid))) {
    const file = unknown[index++];
    if (file === undefined) break;
    const verdict = 'content' in blob ? verdictOnContent(blob.content) : verdictOnSize(blob.size);
    if (verdict !== undefined) known.set(blob.oid, verdict);
    leaveAlone(plan, file, verdict);
    if (verdict === undefined && 'content' in blob) addFile(plan, file, blob.content, resolve);
  }
  return plan;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

function leaveAlone(plan: Mutable<EditPlan>, { path }: FileEntry, verdict: Verdict | undefined): void {
  if (typeof verdict === 'object') plan.leftAlone.push({ file: path, ...verdict });
}

/** What makes a file one that no value can change; undefined for one that may have markers. */
function verdictOnContent(content: Buffer): Verdict | undefined {
  if (content.subarray(0, LFS_POINTER.length).equals(LFS_POINTER))
    return {
      reason: 'LFSPointer',
      message: 'the file is in Git LFS; keep it in Git itself to have it edited',
    };
  if (!content.includes(MARKER_BYTES)) return 'unmarked';
  return isUtf8(content) ? undefined : { reason: 'NotUTF8', message: 'the file is not UTF-8' };
}

function verdictOnSize(size: number): Verdict | undefined {
  if (size <= MAX_BLOB) return undefined;
  const [mebibytes, limit] = [size, MAX_BLOB].map((bytes) => Math.ceil(bytes / 1024 / 1024));
  const message = `the file has ${mebibytes} MiB, and is not read above ${limit} MiB; split it`;
  return { reason: 'TooLarge', message };
}

function addFile(
  plan: Mutable<EditPlan>,
  file: FileEntry,
  content: Buffer,
  resolve: (marker: Marker) => Lookup,
): void {
  const result = editMarkers(content.toString(), resolve);
  plan.markers += result.markers;
  plan.current += result.current;
  plan.leftAlone.push(...result.leftAlone.map((left) => ({ file: file.path, ...left })));
  plan.edits.push(...result.edits.map((edit) => ({ file: file.path, ...edit })));
  if (result.edits.length > 0)
    plan.changes.push({ path: file.path, mode: file.mode, content: Buffer.from(result.text) });
}

function whyNotRead({ path, kind }: OtherEntry): LeftAlone {
  switch (kind) {
    case 'symlink':
      return {
        file: path,
        reason: 'SymbolicLink',
        message: 'symbolic links are not followed; name the file itself',
      };
    case 'submodule':
      return { file: path, reason: 'Submodule', message: 'submodules are repositories of their own' };
    case 'nameNotUtf8':
      return { file: path, reason: 'NameNotUTF8', message: 'the name of the file is not UTF-8' };
  }
}
