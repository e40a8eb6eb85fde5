import type { Address, GitCredential } from './address.ts';
import { condemn, localGit } from './cache.ts';
import { GitError } from './errors.ts';
import { isRedirect, oneLine, remoteFailure, remoteLines } from './failure.ts';
import type { GitContext, Setting } from './environment.ts';
import { type Outcome, runGit } from './process.ts';
import { redirectTarget, type Trust } from './redirect.ts';
import { secretsIn, withServer } from './transport.ts';

/** A call of git that speaks with the server. */
export interface RemoteCall {
  readonly args: readonly string[];
  readonly settings?: readonly Setting[];
  readonly input?: Iterable<string>;
}

/** The repository on its server. All failures are {@link GitError}s with no credential in their text. */
export class Remote {
  readonly #context: GitContext;
  readonly #trust: Trust;
  #address: Address;
  #renew: (() => Promise<GitCredential>) | undefined;

  constructor(context: GitContext, address: Address, trust: Trust, renew?: () => Promise<GitCredential>) {
    this.#context = context;
    this.#address = address;
    this.#trust = trust;
    this.#renew = renew;
  }

  /** The commit at the head of a branch, by one `ls-remote`. */
  async head(branch: string): Promise<string> {
    const head = (await this.heads([branch])).get(branch);
    if (head === undefined) throw this.#branchMissing(branch);
    return head;
  }

  /** The commits at the heads of branches, by one `ls-remote`; a branch that does not exist is left out. */
  async heads(branches: readonly string[]): Promise<Map<string, string>> {
    const refs = branches.map((branch) => `refs/heads/${branch}`);
    const { stdout } = await this.succeed((url) => ({ args: ['ls-remote', '--quiet', '--', url, ...refs] }));
    const lines = stdout
      .toString()
      .split('\n')
      .map((line) => line.split('\t'));
    const all = new Map(lines.map(([oid = '', ref = '']) => [ref, oid]));
    // ls-remote matches from the end, so that refs/x/refs/heads/main is listed too.
    const found = branches.map((branch) => [branch, all.get(`refs/heads/${branch}`)] as const);
    return new Map(found.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
  }

  /**
   * Moves a branch from `expected` to `commit`, its child. The server compares and moves in one step, so that nobody's
   * commit is lost: that of a branch that moved, was rewound or was deleted since is a rejected push (`Moved`).
   */
  async push(commit: string, branch: string, expected: string): Promise<void> {
    await this.#checkParent(commit, expected);
    await this.#move(branch, expected, commit);
  }

  /** Moves a branch from `expected` to any commit; without `expected` it must not exist yet. */
  async replace(commit: string, branch: string, expected: string | undefined): Promise<void> {
    await this.#move(branch, expected ?? '', commit);
  }

  /** Deletes a branch that is at `expected`. That it is gone already is no failure. */
  async delete(branch: string, expected: string): Promise<void> {
    try {
      await this.#move(branch, expected, '');
    } catch (error) {
      const isMoved = error instanceof GitError && error.rejection === 'Moved';
      if (!isMoved || (await this.heads([branch])).has(branch)) throw error;
    }
  }

  /** A lease on nothing asks that the branch does not exist; moved to nothing, it is deleted. */
  async #move(branch: string, from: string, to: string): Promise<void> {
    const ref = `refs/heads/${branch}`;
    const options = ['--porcelain', '--no-verify', '--no-signed', `--force-with-lease=${ref}:${from}`];
    const outcome = await this.run((url) => ({ args: ['push', ...options, '--', url, `${to}:${ref}`] }));
    if (outcome.code === 0) return;
    throw rejectionIn(outcome, ref) ?? this.failure(outcome, branch);
  }

  /** With it, a lease permits nothing but to go forward. */
  async #checkParent(commit: string, expected: string): Promise<void> {
    const { stdout } = await localGit(this.#context, ['rev-parse', '--verify', `${commit}^1`]);
    if (stdout.toString().trim() === expected) return;
    throw new GitError('PushRejected', `commit ${commit} does not stand on ${expected}`, {
      rejection: 'Moved',
    });
  }

  /**
   * Runs git with the repository's URL, its credential and its certificates, and judges a failure; one that is not of the
   * network condemns the local copy.
   *
   * @param branch which `BranchMissing` is to name
   */
  async succeed(callFor: (url: string) => RemoteCall, branch = ''): Promise<Outcome> {
    return this.check(await this.run(callFor), branch);
  }

  /** The outcome of a call that went well; judges that of another as {@link Remote.succeed} does. */
  async check(outcome: Outcome, branch = ''): Promise<Outcome> {
    if (outcome.code === 0) return outcome;
    const failure = this.failure(outcome, branch);
    throw failure.code === 'Failed' ? await condemn(this.#context, failure.message) : failure;
  }

  /**
   * As {@link Remote.succeed}, whatever the exit code. A redirect of the server is followed once, on the same origin; a
   * credential that it refuses is renewed once.
   */
  async run(callFor: (url: string) => RemoteCall): Promise<Outcome> {
    const outcome = await this.#runAt(callFor);
    const elsewhere = outcome.code === 0 ? undefined : await this.#otherAddress(outcome.stderr);
    if (elsewhere === undefined) return outcome;
    this.#address = elsewhere;
    return this.#runAt(callFor);
  }

  async #otherAddress(stderr: string): Promise<Address | undefined> {
    const address = this.#address;
    if (address.kind !== 'http') return undefined;
    if (isRedirect(stderr)) {
      return { ...address, url: await redirectTarget(address, { ...this.#trust, ...this.#context }) };
    }
    const renew = this.#renew;
    if (renew === undefined || remoteFailure(stderr, address).code !== 'Unauthorized') return undefined;
    this.#renew = undefined;
    return { ...address, credential: await renew() };
  }

  async #runAt(callFor: (url: string) => RemoteCall): Promise<Outcome> {
    const { args, settings: own = [], input } = callFor(this.#address.url);
    const outcome = await withServer(this.#context, this.#address, this.#trust, (context) =>
      runGit({ ...context, settings: [...context.settings, ...own] }, args, input),
    );
    return { ...outcome, stderr: this.#redacted(outcome.stderr) };
  }

  /** What the failure of a call means. */
  failure({ stderr }: Outcome, branch = ''): GitError {
    const failure = remoteFailure(stderr, this.#address);
    return failure.code === 'BranchMissing' ? this.#branchMissing(branch) : failure;
  }

  #branchMissing(branch: string): GitError {
    return new GitError('BranchMissing', `branch "${branch}" does not exist in ${this.#address.url}`);
  }

  #redacted(text: string): string {
    return secretsIn(this.#address).reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  }
}

// What a server says when two pushes reach it at the same moment and the other one wins its lock.
const LOST_LOCK =
  /cannot lock ref|failed to update ref|incorrect old value|reference already exists|failed to lock/;

/** Reads the line on our ref in the output of `push --porcelain`: flag, refs and summary, with tabs between them. */
function rejectionIn({ stdout, stderr }: Outcome, ref: string): GitError | undefined {
  const lines = stdout
    .toString()
    .split('\n')
    .map((line) => line.split('\t'));
  const summary = lines.find(([flag, refs]) => flag === '!' && refs?.endsWith(`:${ref}`))?.[2];
  if (summary === undefined) return undefined;
  const rejection = summary.startsWith('[rejected]') || LOST_LOCK.test(summary) ? 'Moved' : 'Declined';
  const reason = oneLine([summary, ...remoteLines(stderr)].join('\n'));
  return new GitError('PushRejected', `the push to ${ref} was rejected: ${reason}`, { rejection });
}
