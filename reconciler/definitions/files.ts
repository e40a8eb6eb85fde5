import { isUtf8 } from 'node:buffer';
import type { FileEntry, Listing, OtherEntry, Repository } from '../../git/repository.ts';
import { MAX_BLOB } from '../../git/blobs.ts';
import { type FleetScans, readFleetScans } from '../../write-back/fleet-yaml.ts';
import { isLfsPointer } from '../../write-back/lfs.ts';
import type { Mistake } from './definition.ts';
import type { KnownFiles } from './known-files.ts';

/** What became of a file of definitions. */
export type FileContent =
  | ({ readonly kind: 'read' } & FleetScans)
  | { readonly kind: 'unread'; readonly message: string };

/** A file of definitions, and what it says. */
export interface DefinitionFile {
  readonly path: string;
  readonly content: FileContent;
}

/** The names of files in which scans are defined; Fleet has the first, and reads what else is in it. */
export const FLEET_FILE = 'fleet.yaml';
const OWN_FILE = 'fleetscan.yaml';

/** No such file written by hand comes near it, and to parse one takes time in which nothing else is done. */
const MAX_BYTES = 1024 * 1024;
const KEY = 'imageScans';
const NONE: FileContent = { kind: 'read', scans: [], problems: [] };

/**
 * Reads the files of definitions under `paths` of a commit that was fetched, in the order of their paths.
 *
 * @param known what earlier runs read: the same id is the same content. What this run reads is added.
 * @throws {PathError | GitError}
 */
export async function readDefinitionFiles(
  source: Pick<Repository, 'list' | 'read'>,
  commit: string,
  paths: readonly string[],
  known: KnownFiles,
): Promise<DefinitionFile[]> {
  const { files, others } = await source.list(commit, paths);
  const wanted = files.filter(isDefinitionFile);
  const contents = await contentsOf(source, wanted, known);
  known.keepOnly(wanted.map(({ oid }) => oid));
  return [
    ...wanted.map(({ path, oid }) => ({ path, content: contents.get(oid) ?? NONE })),
    ...others.filter(isDefinitionFile).map(({ path, kind }) => ({ path, content: unread(WHY_NOT[kind]) })),
  ].toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
}

/** Is it the name of a file in which Fleet, too, finds definitions? */
export function isFleetFile(path: string): boolean {
  return nameOf(path) === FLEET_FILE;
}

/** A file that was not read, as a mistake. */
export function unreadMistake({ path, content }: DefinitionFile): Mistake[] {
  return content.kind === 'unread' ? [{ file: path, message: content.message }] : [];
}

const WHY_NOT: Readonly<Record<OtherEntry['kind'], string>> = {
  symlink: 'a symbolic link, which is not followed; name what it leads to in spec.paths',
  submodule: 'a submodule, which is a repository of its own',
  nameNotUtf8: 'its name is not UTF-8',
};

function isDefinitionFile({ path }: Listing['files' | 'others'][number]): boolean {
  const name = nameOf(path);
  return name === FLEET_FILE || name === OWN_FILE;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

async function contentsOf(
  source: Pick<Repository, 'read'>,
  files: readonly FileEntry[],
  known: KnownFiles,
): Promise<Map<string, FileContent>> {
  const contents = new Map<string, FileContent>();
  const missing = new Set<string>();
  for (const { oid } of files) {
    const content = known.get(oid);
    if (content === undefined) missing.add(oid);
    else contents.set(oid, content);
  }
  for await (const blob of source.read([...missing])) {
    const content = 'content' in blob ? contentOf(blob.content) : tooLarge(MAX_BLOB);
    known.set(blob.oid, content);
    contents.set(blob.oid, content);
  }
  return contents;
}

function contentOf(bytes: Buffer): FileContent {
  if (isLfsPointer(bytes)) return unread('in Git LFS; keep it in Git itself to have it read');
  if (!mayDefine(bytes)) return NONE;
  if (bytes.length > MAX_BYTES) return tooLarge(MAX_BYTES);
  if (!isUtf8(bytes)) return unread('not UTF-8');
  return { kind: 'read', ...readFleetScans(bytes.toString()) };
}

/** Has it the key, be it in UTF-16? */
function mayDefine(bytes: Buffer): boolean {
  if (bytes.includes(KEY)) return true;
  const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
  const isUtf16 = mark === 0xfeff || mark === 0xfffe;
  return isUtf16 && bytes.toString('latin1').replaceAll('\0', '').includes(KEY);
}

function tooLarge(limit: number): FileContent {
  return unread(`larger than ${limit / 1024 / 1024} MiB, and not read; move imageScans into a ${OWN_FILE}`);
}

function unread(message: string): FileContent {
  return { kind: 'unread', message };
}
