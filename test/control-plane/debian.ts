import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun, run } from './run.ts';

/**
 * Unpacks packages of the machine's Debian or Ubuntu into a folder, with nothing installed: apt checks the signatures as ever.
 * The folder is whole or absent.
 *
 * @throws when there is no apt-get here, or it cannot get them
 */
export async function unpackPackages(packages: readonly string[], folder: string): Promise<void> {
  const work = `${folder}.new`;
  await rm(work, { recursive: true, force: true });
  await mkdir(join(work, 'lists', 'partial'), { recursive: true });
  await download(packages, work);
  const files = (await readdir(work)).filter((name) => name.endsWith('.deb'));
  for (const name of files) await mustRun('dpkg-deb', ['--extract', join(work, name), join(work, 'root')]);
  await rename(join(work, 'root'), folder);
  await rm(work, { recursive: true, force: true });
}

async function download(packages: readonly string[], work: string): Promise<void> {
  // Images of containers come without the lists of packages, or with old ones; ours are of no one else's concern.
  const ownLists = ['-o', `Dir::State::Lists=${join(work, 'lists')}`, '-o', `Dir::Cache=${work}`];
  const { code } = await run('apt-get', ['download', ...packages], { cwd: work });
  if (code === 0) return;
  await mustRun('apt-get', [...ownLists, 'update'], { cwd: work });
  await mustRun('apt-get', [...ownLists, 'download', ...packages], { cwd: work });
}
