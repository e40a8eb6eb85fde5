import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { CodedError, messageOf } from '../core/errors.ts';

/**
 * Why a file was not replaced: it is no longer what was read, it is or lies behind a symbolic link, nobody may write it, or the
 * file system refuses.
 */
export type ReplaceErrorCode = 'Changed' | 'SymbolicLink' | 'ReadOnly' | 'NotWritable';

/** Thrown by {@link replaceFile}: the file is as it was. */
export class ReplaceError extends CodedError<ReplaceErrorCode> {}

/** Opens for reading, but no symbolic link; nor does it wait for the writer of a pipe. */
export const OPEN_REGULAR = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Gives a file a new content at once, so that whoever reads it sees the one or the other, with the mode and owner that it had.
 *
 * @param file its absolute path, without symbolic links in its folders
 * @param before what it has to hold still: a person may have saved it meanwhile
 * @throws {ReplaceError}
 */
export async function replaceFile(file: string, before: Buffer, after: Buffer): Promise<void> {
  try {
    await replace(file, before, after);
  } catch (error) {
    if (error instanceof ReplaceError) throw error;
    throw new ReplaceError('NotWritable', messageOf(error), { cause: error });
  }
}

async function replace(file: string, before: Buffer, after: Buffer): Promise<void> {
  const folder = path.dirname(file);
  if ((await realpath(folder)) !== folder)
    throw new ReplaceError('SymbolicLink', 'a folder above it has become a symbolic link');
  await using original = await openOriginal(file);
  const stats = await original.stat({ bigint: true });
  if (!stats.isFile() || !(await original.readFile()).equals(before)) throw changed();
  const mode = Number(stats.mode) & 0o7777;
  // Who may write the folder could replace the file all the same; a file without any right to write is meant to stay.
  if ((mode & 0o222) === 0) throw new ReplaceError('ReadOnly', 'nobody may write it; chmod u+w allows it');
  const draft = path.join(folder, `.fleetscan-${randomBytes(8).toString('hex')}`);
  try {
    await writeDraft(draft, after, mode, Number(stats.uid), Number(stats.gid));
    const now = await lstat(file, { bigint: true });
    if (now.ino !== stats.ino || now.ctimeNs !== stats.ctimeNs) throw changed();
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}

async function openOriginal(file: string): Promise<FileHandle> {
  try {
    return await open(file, OPEN_REGULAR);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ELOOP' || code === 'EMLINK')
      throw new ReplaceError('SymbolicLink', 'it has become a symbolic link', { cause: error });
    if (code === 'ENOENT') throw changed();
    throw error;
  }
}

async function writeDraft(
  draft: string,
  content: Buffer,
  mode: number,
  uid: number,
  gid: number,
): Promise<void> {
  await using handle = await open(draft, 'wx', 0o600);
  await handle.writeFile(content);
  const { uid: ownUid, gid: ownGid } = await handle.stat();
  // Only root may give a file away: others cannot keep the owner of a file that is not theirs.
  if (ownUid !== uid || ownGid !== gid) await handle.chown(uid, gid).catch(() => undefined);
  await handle.chmod(mode);
}

function changed(): ReplaceError {
  return new ReplaceError('Changed', 'it was changed by somebody else after it had been read; run again');
}
