import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { removeCopy, removeOtherCopies, repositoryDirectory } from '../../../reconciler/write-back/copies.ts';
import type { StoredGitRepo } from '../../../reconciler/stores.ts';
import { gitRepo } from '../samples.ts';

const MINE = gitRepo();
const OTHER = gitRepo({ metadata: { name: 'other' } });

/** A cache with the copies of some GitRepos. */
async function cacheOf(t: TestContext, repos: readonly StoredGitRepo[]) {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'fleetscan-copies-'));
  t.after(() => rm(cacheDirectory, { recursive: true, force: true }));
  for (const repo of repos) {
    const directory = repositoryDirectory(cacheDirectory, repo);
    await mkdir(join(directory, 'objects'), { recursive: true });
    await writeFile(join(directory, 'objects', 'x'), '');
  }
  const left = (): Promise<string[]> => readdir(join(cacheDirectory, 'git'));
  const nameOf = (repo: StoredGitRepo): string => repositoryDirectory('', repo).slice('git/'.length);
  return { cacheDirectory, left, nameOf };
}

describe('repositoryDirectory', () => {
  it('is another for each GitRepo and each of its URLs, and shows none of them', () => {
    const places = [
      MINE,
      gitRepo({ metadata: { namespace: 'other' } }),
      OTHER,
      gitRepo({ spec: { repo: 'https://me:hunter2@git.example/apps.git' } }),
    ].map((repo) => repositoryDirectory('/cache', repo));
    assert.equal(new Set(places).size, places.length);
    for (const place of places) assert.match(place, /^\/cache\/git\/[0-9a-f]{32}$/);
  });
});

describe('removeCopy', () => {
  it('removes one, and does nothing where there is none', async (t) => {
    const { cacheDirectory, left, nameOf } = await cacheOf(t, [MINE, OTHER]);
    for (const _ of [1, 2]) await removeCopy(cacheDirectory, MINE);
    assert.deepEqual(await left(), [nameOf(OTHER)]);
  });

  it('leaves none in halves under its name, where the next one of that name begins', async (t) => {
    const { cacheDirectory } = await cacheOf(t, [MINE]);
    const directory = repositoryDirectory(cacheDirectory, MINE);
    const names = Array.from({ length: 500 }, (_, i) => `file-${i}`);
    for (const name of names) await writeFile(join(directory, name), '');
    const removal = removeCopy(cacheDirectory, MINE);
    const seen = new Set<number>();
    const look = (): Promise<string[]> => readdir(directory).catch(() => []);
    for (let files = await look(); files.length > 0; files = await look()) seen.add(files.length);
    await removal;
    assert.deepEqual(
      [...seen].filter((count) => count !== names.length + 1),
      [],
    );
  });
});

describe('removeOtherCopies', () => {
  it('keeps those of GitRepos that there are', async (t) => {
    const { cacheDirectory, left, nameOf } = await cacheOf(t, [MINE, OTHER]);
    await removeOtherCopies(cacheDirectory, [OTHER]);
    assert.deepEqual(await left(), [nameOf(OTHER)]);
  });

  it('has nothing to do in a new cache', async (t) => {
    const { cacheDirectory } = await cacheOf(t, []);
    await removeOtherCopies(cacheDirectory, [OTHER]);
  });
});
