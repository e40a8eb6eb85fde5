import { createHash } from 'node:crypto';
import { condemn, localGit } from './cache.ts';
import { GitError } from './errors.ts';
import { oneLine } from './failure.ts';
import type { GitContext } from './environment.ts';
import { type RunningGit, startGit, timeoutError } from './process.ts';

/** The content of one file. */
export interface Blob {
  readonly oid: string;
  readonly content: Buffer;
}

/** A file that is not read, since it is larger than {@link MAX_BLOB}. */
export interface LargeBlob {
  readonly oid: string;
  /** Bytes. */
  readonly size: number;
}

/** The hash that a repository names its objects by. */
export type ObjectFormat = 'sha1' | 'sha256';

/** The object id of a file's content. */
export function blobId(content: Buffer, format: ObjectFormat): string {
  return createHash(format).update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** The largest blob that is read, in bytes: no manifest written by hand comes near it. */
export const MAX_BLOB = 50 * 1024 * 1024;

/**
 * Which of some blobs the local copy has, and how many bytes each of those is long. The others are missing: in a filtered copy
 * that is no damage.
 */
export async function blobSizes(context: GitContext, oids: readonly string[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  if (oids.length === 0) return sizes;
  const { stdout } = await localGit(context, ['cat-file', '--batch-check', '--buffer'], [lines(oids)]);
  for (const line of stdout.toString('latin1').split('\n')) {
    const [oid = '', type, size] = line.split(' ');
    if (type === 'blob') sizes.set(oid, Number(size));
  }
  return sizes;
}

const COMMAND = ['cat-file', '--batch', '--buffer'];

/**
 * Reads blobs in the order asked for, from one process and one at a time: memory holds one blob. Leaving the loop early
 * ends the process. The deadline counts the time that git takes, not the time its reader does.
 *
 * @throws {GitError} `Failed` when the local copy lacks a blob, or one is larger than {@link MAX_BLOB}; `Timeout`
 */
export async function* readBlobs(
  context: GitContext,
  oids: readonly string[],
): AsyncGenerator<Blob, void, undefined> {
  if (oids.length === 0) return;
  const running = startGit(context, COMMAND, [lines(oids)]);
  const ended = running.ended.catch(() => undefined);
  const source = new ByteSource(chunksOf(running, context));
  try {
    for (const oid of oids) {
      const size = await sizeOf(context, oid, await source.line());
      const content = await source.bytes(size);
      await source.bytes(1);
      yield { oid, content };
    }
  } finally {
    // A closed pipe ends git; its zombie must be gone before we say that we are done.
    running.stdout.destroy();
    await ended;
  }
}

function lines(oids: readonly string[]): string {
  return oids.map((oid) => `${oid}\n`).join('');
}

/** Reads the header that cat-file puts before a blob: `<oid> blob <size>`, or `<oid> missing`. */
async function sizeOf(context: GitContext, oid: string, header: string): Promise<number> {
  const [, type, size] = header.split(' ');
  if (type !== 'blob')
    throw await condemn(context, `blob ${oid} cannot be read: git says ${oneLine(header)}`);
  if (Number(size) > MAX_BLOB)
    throw new GitError('Failed', `blob ${oid} has ${size} bytes, above the limit of ${MAX_BLOB}`);
  return Number(size);
}

/** What git writes; it is an error to ask for more than there is. */
async function* chunksOf(running: RunningGit, context: GitContext): AsyncGenerator<Buffer, never, undefined> {
  const source: AsyncIterator<Buffer> = running.stdout[Symbol.asyncIterator]();
  for (;;) {
    const timer = setTimeout(() => running.stop(timeoutError(COMMAND, context)), context.timeoutMs);
    const next = await source.next().finally(() => clearTimeout(timer));
    if (next.done === true) break;
    yield next.value;
  }
  const { stderr } = await running.ended;
  throw await condemn(context, `git cat-file ended too early: ${oneLine(stderr)}`);
}

/** Takes a stream of chunks apart into lines and runs of bytes. */
class ByteSource {
  readonly #chunks: AsyncGenerator<Buffer, never, undefined>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncGenerator<Buffer, never, undefined>) {
    this.#chunks = chunks;
  }

  /** The text up to the next line feed, without it. */
  async line(): Promise<string> {
    let end = this.#rest.indexOf(0x0a);
    while (end === -1) {
      this.#rest = Buffer.concat([this.#rest, await this.#chunk()]);
      end = this.#rest.indexOf(0x0a);
    }
    const line = this.#rest.toString('utf8', 0, end);
    this.#rest = this.#rest.subarray(end + 1);
    return line;
  }

  /** The next `count` bytes, in memory of their own. */
  async bytes(count: number): Promise<Buffer> {
    const taken = Buffer.allocUnsafeSlow(count);
    let filled = 0;
    while (filled < count) {
      if (this.#rest.length === 0) this.#rest = await this.#chunk();
      const copied = this.#rest.copy(taken, filled);
      filled += copied;
      this.#rest = this.#rest.subarray(copied);
    }
    return taken;
  }

  async #chunk(): Promise<Buffer> {
    const next = await this.#chunks.next();
    return next.value;
  }
}
