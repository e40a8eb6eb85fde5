import { existsSync } from 'node:fs';
import { constants, copyFile, cp, link } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { filesOf } from './module-files.ts';

/** A user and a group by their numbers. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

// The numbers of nobody and nogroup on Linux.
const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/** Whom a program is run as that refuses to be root: nobody, where we are root; undefined where we are not. */
export function unprivileged(): Account | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/**
 * Puts a program, with the files that it reads, into a folder: another account cannot look into the cache of root.
 *
 * @returns its path there
 */
export async function placeIn(folder: string, program: string): Promise<string> {
  const path = join(folder, basename(program));
  // A second name costs nothing, but there is none on another file system.
  await link(program, path).catch(() => copyFile(program, path, constants.COPYFILE_FICLONE));
  const files = filesOf(program);
  if (existsSync(files)) await cp(files, filesOf(path), { recursive: true });
  return path;
}
