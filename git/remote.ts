import { createHash } from 'node:crypto';
import type { Address, GitCredential } from './address.ts';
import { condemn, localGit } from './cache.ts';
import { GitError } from './errors.ts';
import { isRedirect, oneLine, remoteFailure, remoteLines } from './failure.ts';
import type { GitContext } from './environment.ts';
import { type Outcome, runGit } from './process.ts';
import { redirectTarget, type Trust } from './redirect.ts';
import { secretsIn, withServer } from './transport.ts';

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
    const ref = `refs/heads/${branch}`;
    const { stdout } = await this.#succeed((url) => ['ls-remote', '--quiet', '--', url, ref]);
    // ls-remote matches from the end: refs/x/refs/heads/main would be listed too.
    const line = stdout
      .toString()
      .split('\n')
      .find((text) => text.endsWith(`\t${ref}`));
    if (line === undefined) throw this.#branchMissing(branch);
    return line.slice(0, line.indexOf('\t'));
  }

  /** Brings the head of a branch, and nothing of its history, into the local copy. */
  async fetch(branch: string): Promise<string> {
    const kept = `refs/fleetscan/heads/${createHash('sha256').update(branch).digest('hex')}`;
    const options = ['--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];
    await this.#succeed((url) => ['fetch', ...options, '--', url, `+refs/heads/${branch}:${kept}`], branch);
    const { stdout } = await localGit(this.#context, ['rev-parse', '--verify', `${kept}^{commit}`]);
    return stdout.toString().trim();
  }

  /**
   * Moves a branch from `expected` to `commit`, its child. The server compares and moves in one step, so that nobody's
   * commit is lost: that of a branch that moved, was rewound or was deleted since is a rejected push (`Moved`).
   */
  async push(commit: string, branch: string, expected: string): Promise<void> {
    await this.#checkParent(commit, expected);
    const ref = `refs/heads/${branch}`;
    const options = ['--porcelain', '--no-verify', '--no-signed', `--force-with-lease=${ref}:${expected}`];
    const outcome = await this.#run((url) => ['push', ...options, '--', url, `${commit}:${ref}`]);
    if (outcome.code === 0) return;
    throw rejectionIn(outcome, ref) ?? this.#failure(outcome.stderr, branch);
  }

  /** With it, a lease permits nothing but to go forward. */
  async #checkParent(commit: string, expected: string): Promise<void> {
    const { stdout } = await localGit(this.#context, ['rev-parse', '--verify', `${commit}^1`]);
    if (stdout.toString().trim() === expected) return;
    throw new GitError('PushRejected', `commit ${commit} does not stand on ${expected}`, {
      rejection: 'Moved',
    });
  }

  /** Runs git and judges its failure; one that is not of the network condemns the local copy. */
  async #succeed(argsFor: (url: string) => string[], branch = ''): Promise<Outcome> {
    const outcome = await this.#run(argsFor);
    if (outcome.code === 0) return outcome;
    const failure = this.#failure(outcome.stderr, branch);
    throw failure.code === 'Failed' ? await condemn(this.#context, failure.message) : failure;
  }

  /** A redirect of the server is followed once, on the same origin; a credential that it refuses is renewed once. */
  async #run(argsFor: (url: string) => string[]): Promise<Outcome> {
    const outcome = await this.#runAt(argsFor);
    const elsewhere = outcome.code === 0 ? undefined : await this.#otherAddress(outcome.stderr);
    if (elsewhere === undefined) return outcome;
    this.#address = elsewhere;
    return this.#runAt(argsFor);
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

  async #runAt(argsFor: (url: string) => string[]): Promise<Outcome> {
    const outcome = await withServer(this.#context, this.#address, this.#trust, (context) =>
      runGit(context, argsFor(this.#address.url)),
    );
    return { ...outcome, stderr: this.#redacted(outcome.stderr) };
  }

  #failure(stderr: string, branch: string): GitError {
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
