import { createHash } from 'node:crypto';
import { type Blob, blobSizes, type LargeBlob, MAX_BLOB, type ObjectFormat, readBlobs } from './blobs.ts';
import { isWhole, keepWhole, localGit, remakeCache } from './cache.ts';
import type { GitContext, Setting } from './environment.ts';
import type { Outcome } from './process.ts';
import type { Remote, RemoteCall } from './remote.ts';

/** What git calls the server in the settings of one call. */
const SERVER = 'server';
const FETCH = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];
const WITHOUT_BLOBS = '--filter=blob:none';
const WITH_ALL = '--no-filter';
/** So many blobs are asked for in one call: 500 kB, which git compresses, where many a server takes 1 MB and no more. */
const MAX_WANTS = 10_000;

/**
 * The local copy, which has the commits and trees of the branches that were fetched, and of their blobs only those that were
 * read: git's partial clone. Only the calls that fetch know that it is one (as the settings of a promisor remote), so that no
 * other can find an object missing and go to the server for it.
 *
 * A server that knows no filters sends all blobs at once; one that knows them but gives no object by its id, as it may in version 0
 * of the protocol, is asked for all. Either is kept in mind with the copy.
 */
export class Mirror {
  readonly #context: GitContext;
  readonly #remote: Remote;
  /** By branch, how many generations of it were fetched. */
  readonly #depths = new Map<string, number>();
  #objectFormat: ObjectFormat = 'sha1';

  constructor(context: GitContext, remote: Remote) {
    this.#context = context;
    this.#remote = remote;
  }

  /** SHA-1 until a fetched commit tells otherwise. */
  get objectFormat(): ObjectFormat {
    return this.#objectFormat;
  }

  /** Brings the last `depth` commits of a branch into the copy. @returns the id of its head */
  async fetch(branch: string, depth: number): Promise<string> {
    await this.#fetchBranch(branch, depth);
    this.#depths.set(branch, depth);
    const { stdout } = await localGit(this.#context, [
      'rev-parse',
      '--verify',
      `${keptRef(branch)}^{commit}`,
    ]);
    const commit = stdout.toString().trim();
    this.#objectFormat = commit.length === 64 ? 'sha256' : 'sha1';
    return commit;
  }

  /**
   * Reads blobs in the order asked for, see {@link readBlobs}; those that the copy lacks are fetched before the first is given.
   *
   * @throws {GitError}
   */
  async *read(oids: readonly string[]): AsyncGenerator<Blob | LargeBlob, void, undefined> {
    const sizes = await this.#obtain(oids);
    const isLarge = (oid: string): boolean => (sizes.get(oid) ?? 0) > MAX_BLOB;
    const contents = readBlobs(
      this.#context,
      oids.filter((oid) => !isLarge(oid)),
    );
    try {
      for (const oid of oids) {
        if (isLarge(oid)) yield { oid, size: sizes.get(oid) ?? 0 };
        else yield (await contents.next()).value as Blob;
      }
    } finally {
      await contents.return();
    }
  }

  /** @returns the sizes of the blobs, all of which the copy has now if the server has them */
  async #obtain(oids: readonly string[]): Promise<Map<string, number>> {
    const sizes = await blobSizes(this.#context, oids);
    const missing = [...new Set(oids)].filter((oid) => !sizes.has(oid));
    if (missing.length === 0 || (await isWhole(this.#context))) return sizes;
    await this.#fetchBlobs(missing);
    for (const [oid, size] of await blobSizes(this.#context, missing)) sizes.set(oid, size);
    return sizes;
  }

  async #fetchBranch(branch: string, depth: number): Promise<void> {
    const options = [`--depth=${depth}`, SERVER, `+refs/heads/${branch}:${keptRef(branch)}`];
    if (await isWhole(this.#context)) {
      await this.#remote.succeed(fetchCall([WITH_ALL, ...options]), branch);
      return;
    }
    const call = fetchCall([WITHOUT_BLOBS, ...options]);
    const first = await this.#remote.run(call);
    const format = /mismatched algorithms: .*server (sha1|sha256)/.exec(first.stderr)?.[1];
    if (format !== undefined) await remakeCache(this.#context, format as ObjectFormat);
    const last = format === undefined ? first : await this.#remote.run(call);
    const outcome = await this.#remote.check(last, branch);
    if (outcome.stderr.includes('filtering not recognized')) await keepWhole(this.#context);
  }

  /** As git fetches what a partial clone lacks: by id, and with no talk of what it has. */
  async #fetchBlobs(oids: readonly string[]): Promise<void> {
    for (let start = 0; start < oids.length; start += MAX_WANTS) {
      const wants = oids.slice(start, start + MAX_WANTS).map((oid) => `${oid}\n`);
      const outcome = await this.#remote.run(
        fetchCall([WITHOUT_BLOBS, '--stdin', SERVER], [['fetch.negotiationAlgorithm', 'noop']], wants),
      );
      if (outcome.code !== 0) return this.#becomeWhole(outcome);
    }
  }

  /** Fetches the branches once more, with all blobs; not when the server is to blame that it gave none by id. */
  async #becomeWhole(outcome: Outcome): Promise<void> {
    const failure = this.#remote.failure(outcome);
    if (failure.code !== 'Failed') throw failure;
    await keepWhole(this.#context);
    for (const [branch, depth] of this.#depths) {
      const options = ['--refetch', `--depth=${depth}`, SERVER, `+refs/heads/${branch}:${keptRef(branch)}`];
      await this.#remote.succeed(fetchCall([WITH_ALL, ...options]), branch);
    }
  }
}

function fetchCall(
  options: readonly string[],
  settings: readonly Setting[] = [],
  input: readonly string[] = [],
): (url: string) => RemoteCall {
  return (url) => ({
    args: [...FETCH, ...options],
    settings: [
      [`remote.${SERVER}.url`, url],
      [`remote.${SERVER}.promisor`, 'true'],
      [`remote.${SERVER}.partialCloneFilter`, 'blob:none'],
      ...settings,
    ],
    input,
  });
}

/** What keeps a fetched branch in the copy. A hash, for no name of a branch can then stand in another's way. */
function keptRef(branch: string): string {
  return `refs/fleetscan/heads/${createHash('sha256').update(branch).digest('hex')}`;
}
