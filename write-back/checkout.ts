import type { Dirent } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { CodedError, messageOf } from '../core/errors.ts';
import { MARKER_BYTES } from '../core/marker.ts';
import { selectEntries } from '../core/paths.ts';
import { type Blob, type LargeBlob, MAX_BLOB } from '../git/blobs.ts';
import type { FileEntry, Listing, OtherEntry, Repository } from '../git/repository.ts';
import { OPEN_REGULAR, replaceFile } from './replace-file.ts';

/** The checkout is no folder. */
export class CheckoutError extends CodedError<'NoFolder'> {}

/** A file or folder that cannot be read, and why. */
export interface Unreadable {
  readonly path: string;
  readonly message: string;
}

/** How many files are read at the same time. */
const READ_AHEAD = 32;

/**
 * A folder of files, as write-back sees a commit: regular files and what else there is, by paths from its root. Symbolic links
 * are never followed, neither files nor folders; `.git` and repositories within are passed over. What cannot be read is in
 * {@link Checkout.unreadable}, and the rest goes on.
 */
export class Checkout implements Pick<Repository, 'list' | 'read'> {
  readonly unreadable: Unreadable[] = [];
  readonly #root: string;
  readonly #marked = new Map<string, Buffer>();

  private constructor(root: string) {
    this.#root = root;
  }

  /** @throws {CheckoutError} */
  static async open(folder: string): Promise<Checkout> {
    try {
      const root = await realpath(folder);
      await readdir(root);
      return new Checkout(root);
    } catch (error) {
      throw new CheckoutError('NoFolder', `${folder} is no folder that can be read: ${messageOf(error)}`);
    }
  }

  /**
   * What is under `paths`, read as a GitRepo's, in the order of names. The ids are paths.
   *
   * @param _commit of no meaning here
   * @throws {PathError}
   */
  async list(_commit: string, paths: readonly string[]): Promise<Listing> {
    const all: (FileEntry | OtherEntry)[] = [];
    await this.#walk('', all);
    const entries = selectEntries(
      paths,
      all.sort((a, b) => (a.path < b.path ? -1 : 1)),
    );
    return {
      files: entries.filter((entry) => 'oid' in entry),
      others: entries.filter((entry) => 'kind' in entry),
    };
  }

  /** The contents of files; one that cannot be read is empty. */
  async *read(paths: readonly string[]): AsyncGenerator<Blob | LargeBlob, void, undefined> {
    for (let start = 0; start < paths.length; start += READ_AHEAD) {
      const batch = paths.slice(start, start + READ_AHEAD);
      yield* await Promise.all(batch.map((path) => this.#readFile(path)));
    }
  }

  /** The files that were read and may hold a marker, with what they held, in order. */
  marked(): Iterable<[path: string, content: Buffer]> {
    return this.#marked;
  }

  /** What a file held when it was read; only of files that may hold a marker, since no other is changed. */
  original(path: string): Buffer | undefined {
    return this.#marked.get(path);
  }

  /** Replaces a file that was read. @throws {ReplaceError} and leaves the file as it is */
  async write(file: string, content: Buffer): Promise<void> {
    await replaceFile(path.join(this.#root, file), this.#marked.get(file) ?? Buffer.alloc(0), content);
  }

  async #walk(folder: string, found: (FileEntry | OtherEntry)[]): Promise<void> {
    for (const entry of await this.#entriesOf(folder)) {
      const name = decoded(entry.name);
      if (name === '.git') continue;
      const place = folder === '' ? (name ?? '') : `${folder}/${name ?? ''}`;
      if (name === undefined) found.push({ path: `${place}${entry.name.toString()}`, kind: 'nameNotUtf8' });
      else if (entry.isSymbolicLink()) found.push({ path: place, kind: 'symlink' });
      else if (entry.isFile()) found.push({ path: place, mode: '100644', oid: place });
      else if (entry.isDirectory()) await this.#walk(place, found);
    }
  }

  async #entriesOf(folder: string): Promise<Dirent<Buffer>[]> {
    try {
      const options = { withFileTypes: true, encoding: 'buffer' } as const;
      const entries = await readdir(path.join(this.#root, folder), options);
      const isOther = folder !== '' && entries.some(({ name }) => name.toString() === '.git');
      return isOther ? [] : entries;
    } catch (error) {
      this.unreadable.push({ path: folder, message: messageOf(error) });
      return [];
    }
  }

  async #readFile(file: string): Promise<Blob | LargeBlob> {
    try {
      await using handle = await open(path.join(this.#root, file), OPEN_REGULAR);
      const { size } = await handle.stat();
      if (size > MAX_BLOB) return { oid: file, size };
      const content = await handle.readFile();
      if (content.includes(MARKER_BYTES)) this.#marked.set(file, content);
      return { oid: file, content };
    } catch (error) {
      this.unreadable.push({ path: file, message: messageOf(error) });
      return { oid: file, content: Buffer.alloc(0) };
    }
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(name: Buffer): string | undefined {
  try {
    return UTF8.decode(name);
  } catch {
    return undefined;
  }
}
