import { checkBranch, type GitCredential, parseAddress, type SshKey } from './address.ts';
import { type Blob, readBlobs } from './blobs.ts';
import { type Notice, prepareCache } from './cache.ts';
import { type CommitOptions, writeCommit } from './commit.ts';
import { GitError } from './errors.ts';
import type { Environment, GitContext } from './environment.ts';
import type { Trust } from './redirect.ts';
import { Remote } from './remote.ts';
import { signCommit, type Signer } from './signature.ts';
import { type FileEntry, type Listing, listTree } from './tree.ts';

export type { GitCredential, SshKey } from './address.ts';
export type { Blob } from './blobs.ts';
export type { Notice } from './cache.ts';
export type { Change, CommitOptions } from './commit.ts';
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
 * {@link Repository.push}, and that all at once, so that a process killed at any point leaves a whole commit or none.
 * All fail with a {@link GitError} (a `Timeout` when one call takes too long) or with the reason of an aborted signal.
 */
export interface Repository {
  /** The commit at the head of a branch on the server. */
  remoteHead(branch: string): Promise<string>;
  /** Gets the head of a branch, without its history. @returns its commit id */
  fetch(branch: string): Promise<string>;
  /** The regular files of a fetched commit under `paths`, see {@link listTree}. */
  files(commit: string, paths: readonly string[]): Promise<readonly FileEntry[]>;
  /** As {@link Repository.files}, with the symbolic links, submodules and unreadable names beside them. */
  list(commit: string, paths: readonly string[]): Promise<Listing>;
  /** The content of files, in the order asked for, see {@link readBlobs}. */
  read(oids: readonly string[]): AsyncIterable<Blob>;
  /** Makes a commit in the local copy, see {@link writeCommit}. @returns its id */
  commit(options: CommitOptions): Promise<string>;
  /**
   * Moves the branch from `expected` to `commit`; `PushRejected` with `rejection: 'Moved'` when it is no longer there. After
   * `Unreachable` or `Timeout` it may have moved all the same: {@link Repository.remoteHead} tells.
   */
  push(commit: string, branch: string, expected: string): Promise<void>;
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
  return {
    async remoteHead(branch) {
      checkBranch(branch);
      return remote.head(branch);
    },
    async fetch(branch) {
      checkBranch(branch);
      return remote.fetch(branch);
    },
    async files(commit, paths) {
      const { files } = await listTree(context, objectId(commit), paths);
      return files;
    },
    list: async (commit, paths) => listTree(context, objectId(commit), paths),
    read: (oids) => readBlobs(context, oids.map(objectId)),
    async commit(wanted) {
      const commit = await writeCommit(context, { ...wanted, parent: objectId(wanted.parent) });
      return options.signer === undefined ? commit : signCommit(context, commit, options.signer);
    },
    async push(commit, branch, expected) {
      checkBranch(branch);
      await remote.push(objectId(commit), branch, objectId(expected));
    },
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
