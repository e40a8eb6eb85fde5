import { MARKER_BYTES, type Marker } from '../core/marker.ts';
import type { Lookup } from '../core/scan.ts';
import { editMarkers, type Edit } from '../core/yaml/edit.ts';
import { isYamlFile } from '../core/paths.ts';
import { MAX_BLOB } from '../git/blobs.ts';
import type { Change, FileEntry, OtherEntry, Repository } from '../git/repository.ts';

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

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Finds every marker in the YAML files under `paths` of a commit, and what each file has to become.
 *
 * @throws {PathError | GitError}
 */
export async function planEdits(
  repository: Pick<Repository, 'list' | 'read'>,
  commit: string,
  paths: readonly string[],
  resolve: (marker: Marker) => Lookup,
): Promise<EditPlan> {
  const listing = await repository.list(commit, paths);
  const yamlFiles = listing.files.filter((file) => isYamlFile(file.path));
  const files = yamlFiles.filter((file) => file.size <= MAX_BLOB);
  const leftAlone = [
    ...listing.others.filter((other) => isYamlFile(other.path)).map(whyNotRead),
    ...yamlFiles.filter((file) => file.size > MAX_BLOB).map(tooLarge),
  ];
  const plan: Mutable<EditPlan> = { changes: [], edits: [], leftAlone, markers: 0, current: 0 };
  let index = 0;
  for await (const { content } of repository.read(files.map((file) => file.oid))) {
    const file = files[index++];
    if (file !== undefined && content.includes(MARKER_BYTES)) addFile(plan, file, content, resolve);
  }
  return plan;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

function addFile(
  plan: Mutable<EditPlan>,
  file: FileEntry,
  content: Buffer,
  resolve: (marker: Marker) => Lookup,
): void {
  const text = decode(content);
  if (text === undefined) {
    plan.leftAlone.push({ file: file.path, reason: 'NotUTF8', message: 'the file is not UTF-8' });
    return;
  }
  const result = editMarkers(text, resolve);
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

function tooLarge({ path, size }: FileEntry): LeftAlone {
  const [mebibytes, limit] = [size, MAX_BLOB].map((bytes) => Math.ceil(bytes / 1024 / 1024));
  const message = `the file has ${mebibytes} MiB, and is not read above ${limit} MiB; split it`;
  return { file: path, reason: 'TooLarge', message };
}

function decode(content: Buffer): string | undefined {
  try {
    return UTF8.decode(content);
  } catch {
    return undefined;
  }
}
