import { checkBranch, type GitCredential, parseAddress, type SshKey } from './address.ts';
import { type Blob, blobId, type LargeBlob } from './blobs.ts';
import { type Notice, prepareCache } from './cache.ts';
import { changedFiles, type Description, describeCommit } from './history.ts';
import { Mirror } from './mirror.ts';
import { type CommitOptions, writeCommit } from './commit.ts';
import { GitError } from './errors.ts';
import type { Environment, GitContext } from './environment.ts';
import type { Trust } from './redirect.ts';
import { Remote } from './remote.ts';
import { signCommit, type Signer } from './signature.ts';
import { type FileEntry, type Listing, listTree } from './tree.ts';

export type { GitCredential, SshKey } from './address.ts';
export type { Blob, LargeBlob } from './blobs.ts';
export type { Notice } from './cache.ts';
export type { Change, CommitOptions } from './commit.ts';
export type { Description } from './history.ts';
export type { Signer } from './signature.ts';
export type { FileEntry, FileMode, Listing, OtherEntry } from './tree.ts';

/** Which repository to open, and how. */
export interface OpenOptions extends Trust {
  /** Folder of the local copy, for this repository alone, and for one process at a time; made when missing. */
  readonly directory: string;
  readonly url: string;
  readonly credential?: GitCredential | SshKey;
  /** Asked once when the server refuses `credential`, which may have ended early, for the one to try instead. */
  readonly renewCredential?: () => Promise<GitCredential>;
  /** Signs each commit that is made. */
  readonly signer?: Signer;
  /** Deadline of each call of git; 60 s unless given. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The program's own variables: git gets PATH, the proxies and the system's CA files of them. */
  readonly environment?: Environment;
  /** Told what was done to the local copy, for the log. */
  readonly onNotice?: (notice: Notice) => void;
}

/**
 * A repository on a server, and what is known of it in the local copy. No call changes the server but
 * {@link Repository.push}, {@link Repository.replace} and {@link Repository.deleteBranch}, and each of them all at once, so
 * that a process killed at any point leaves a whole commit or none.
 * All fail with a {@link GitError} (a `Timeout` when one call takes too long) or with the reason of an aborted signal.
 */
export interface Repository {
  /** The commit at the head of a branch on the server. */
  remoteHead(branch: string): Promise<string>;
  /** The commits at the heads of several branches, by one question; those that do not exist are left out. */
  remoteHeads(branches: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Gets the head of a branch, with `depth - 1` generations before it (none unless asked for). @returns its commit id */
  fetch(branch: string, depth?: number): Promise<string>;
  /** The regular files of a fetched commit under `paths`, see {@link listTree}. */
  files(commit: string, paths: readonly string[]): Promise<readonly FileEntry[]>;
  /** As {@link Repository.files}, with the symbolic links, submodules and unreadable names beside them. */
  list(commit: string, paths: readonly string[]): Promise<Listing>;
  /** The content of files, in the order asked for, see {@link Mirror.read}. */
  read(oids: readonly string[]): AsyncIterable<Blob | LargeBlob>;
  /** Makes a commit in the local copy, see {@link writeCommit}. @returns its id */
  commit(options: CommitOptions): Promise<string>;
  /**
   * Moves the branch from `expected` to `commit`; `PushRejected` with `rejection: 'Moved'` when it is no longer there. After
   * `Unreachable` or `Timeout` it may have moved all the same: {@link Repository.remoteHead} tells.
   */
  push(commit: string, branch: string, expected: string): Promise<void>;
  /**
   * Moves a branch that is ours alone from `expected` to any commit, forward or not; without `expected` it must not exist yet.
   * Fails as {@link Repository.push}.
   */
  replace(commit: string, branch: string, expected: string | undefined): Promise<void>;
  /** Deletes a branch that is at `expected`; fails as {@link Repository.push}, but not when the branch is gone already. */
  deleteBranch(branch: string, expected: string): Promise<void>;
  /** What a fetched commit says of itself, see {@link describeCommit}. */
  describe(commit: string): Promise<Description>;
  /** What differs between two fetched commits, see {@link changedFiles}. */
  changedFiles(from: string, to: string): Promise<ReadonlyMap<string, string>>;
  /** The id that a file's content has in this repository, once something was fetched from it: see {@link blobId}. */
  blobId(content: Buffer): string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Opens a repository with its local copy, which is made, repaired or made anew as needed. The server is not asked yet.
 *
 * @throws {AddressError} when the URL is refused
 * @throws {GitError} when the folder cannot be used, or git cannot be started
 */
export async function openRepository(options: OpenOptions): Promise<Repository> {
  const address = parseAddress(options.url, options.credential);
  const context = contextOf(options);
  await prepareCache(context, options.onNotice ?? (() => undefined));
  const remote = new Remote(context, address, options, options.renewCredential);
  const mirror = new Mirror(context, remote);
  return {
    async remoteHead(branch) {
      checkBranch(branch);
      return remote.head(branch);
    },
    async remoteHeads(branches) {
      for (const branch of branches) checkBranch(branch);
      return remote.heads(branches);
    },
    async fetch(branch, depth = 1) {
      checkBranch(branch);
      return mirror.fetch(branch, depth);
    },
    async files(commit, paths) {
      const { files } = await listTree(context, objectId(commit), paths);
      return files;
    },
    list: lastListing((commit, paths) => listTree(context, objectId(commit), paths)),
    read: (oids) => mirror.read(oids.map(objectId)),
    async commit(wanted) {
      const commit = await writeCommit(context, { ...wanted, parent: objectId(wanted.parent) });
      return options.signer === undefined ? commit : signCommit(context, commit, options.signer);
    },
    async push(commit, branch, expected) {
      checkBranch(branch);
      await remote.push(objectId(commit), branch, objectId(expected));
    },
    async replace(commit, branch, expected) {
      checkBranch(branch);
      await remote.replace(objectId(commit), branch, expected && objectId(expected));
    },
    async deleteBranch(branch, expected) {
      checkBranch(branch);
      await remote.delete(branch, objectId(expected));
    },
    describe: async (commit) => describeCommit(context, objectId(commit)),
    changedFiles: async (from, to) => changedFiles(context, objectId(from), objectId(to)),
    blobId: (content) => blobId(content, mirror.objectFormat),
  };
}

/** Remembers the last listing: one run asks for the same twice, for its definitions and for its markers. */
function lastListing(list: Repository['list']): Repository['list'] {
  let last: { readonly asked: string; readonly listing: Listing } | undefined;
  return async (commit, paths) => {
    const asked = JSON.stringify([commit, ...paths]);
    if (last?.asked !== asked) last = { asked, listing: await list(commit, paths) };
    return last.listing;
  };
}

function contextOf({ directory, environment, timeoutMs, signal }: OpenOptions): GitContext {
  return {
    gitDirectory: directory,
    environment: environment ?? {},
    settings: [],
    timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(signal !== undefined && { signal }),
  };
}

/** Only full ids reach a command line, so that none can be an option. */
function objectId(text: string): string {
  if (!OBJECT_ID.test(text)) throw new GitError('Failed', `${JSON.stringify(text)} is no full object id`);
  return text;
}
