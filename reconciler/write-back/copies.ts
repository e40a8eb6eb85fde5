import { createHash, randomUUID } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { objectKey } from '../../core/group.ts';
import type { StoredGitRepo } from '../stores.ts';

/** What a local copy is kept by. */
type GitRepoPlace = Pick<StoredGitRepo, 'group' | 'namespace' | 'name'> & {
  readonly spec: Pick<StoredGitRepo['spec'], 'repo'>;
};

/** The folder in which a GitRepo's repository is kept between runs. */
export function repositoryDirectory(cacheDirectory: string, place: GitRepoPlace): string {
  const key = createHash('sha256')
    .update(`${objectKey(place)} ${place.spec.repo}`)
    .digest('hex')
    .slice(0, 32);
  return path.join(folderOf(cacheDirectory), key);
}

/** Removes a GitRepo's copy, if there is one; at once, so that one of the same name can begin anew meanwhile. */
export async function removeCopy(cacheDirectory: string, place: GitRepoPlace): Promise<void> {
  const directory = repositoryDirectory(cacheDirectory, place);
  const aside = `${directory}-${randomUUID()}`;
  try {
    await rename(directory, aside);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}

/** Removes the copies of all but these GitRepos: those that were deleted while nobody, or another leader, was at work. */
export async function removeOtherCopies(
  cacheDirectory: string,
  places: Iterable<GitRepoPlace>,
): Promise<void> {
  const kept = new Set(Iterator.from(places).map((place) => repositoryDirectory(cacheDirectory, place)));
  const folder = folderOf(cacheDirectory);
  const names = await readdir(folder).catch(() => []);
  const others = names.map((name) => path.join(folder, name)).filter((each) => !kept.has(each));
  for (const other of others) await rm(other, { recursive: true, force: true });
}

function folderOf(cacheDirectory: string): string {
  return path.join(cacheDirectory, 'git');
}
