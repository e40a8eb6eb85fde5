import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GitError } from './errors.ts';

/** One setting of git's configuration: key and value. */
export type Setting = readonly [key: string, value: string];

/** The variables of a program; git sees {@link INHERITED} of them and no others. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** In which repository, with what configuration and for how long git works. */
export interface GitContext {
  readonly gitDirectory: string;
  readonly environment: Environment;
  readonly settings: readonly Setting[];
  /** Deadline of one call, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** How a call ended. `stderr` is the last {@link MAX_STDERR} bytes. */
export interface Outcome {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A git process at work. */
export interface RunningGit {
  readonly stdout: Readable;
  /** Resolves when the process has ended; rejects with what {@link RunningGit.stop} was given, or when git cannot start. */
  readonly ended: Promise<Omit<Outcome, 'stdout'>>;
  /** Kills git and all it started; `ended` then rejects with `reason`. */
  stop(reason: unknown): void;
}

// A talkative hook comes before git's own last words.
const MAX_STDERR = 64 * 1024;
// A listing of a million files fits in.
const MAX_STDOUT = 256 * 1024 * 1024;
const KILL_AFTER_MS = 2000;

const PROXY_VARIABLES = [
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
];
const INHERITED = ['PATH', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR', ...PROXY_VARIABLES];

/** Nothing on the machine but our own words decides what git does: no user or system files, no prompts, no ~/.netrc. */
const FIXED_ENVIRONMENT = {
  HOME: '/dev/null',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'http:https',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
};

const FIXED_SETTINGS: readonly Setting[] = [
  ['core.hooksPath', '/dev/null'],
  // The repository is a cache: what a power cut spoils is fetched again.
  ['core.fsync', 'none'],
  ['credential.helper', ''],
  ['fetch.recurseSubmodules', 'false'],
  ['push.recurseSubmodules', 'no'],
  // Housekeeping runs when we ask for it, never beside a call.
  ['gc.autoDetach', 'false'],
  ['maintenance.auto', 'false'],
];

/** Starts git with `input` on its standard input. */
export function startGit(
  context: GitContext,
  args: readonly string[],
  input: Iterable<string | Buffer> = [],
): RunningGit {
  const { signal } = context;
  signal?.throwIfAborted();
  // Detached makes it the leader of a process group, so that a kill reaches the helpers that git starts.
  const child = spawn('git', args, {
    env: environmentOf(context),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let stopped: { reason: unknown } | undefined;
  const stop = (reason: unknown): void => {
    if (stopped !== undefined) return;
    stopped = { reason };
    killGroup(child);
  };
  const onAbort = (): void => stop(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const stderr = tailOf(child.stderr);
  // A broken pipe means that git ended early: its exit code and stderr tell why.
  pipeline(Readable.from(input), child.stdin).catch(() => undefined);
  const ended = exitOf(child)
    .then((code) => {
      if (stopped !== undefined) throw stopped.reason;
      return { code, stderr: stderr() };
    })
    .finally(() => signal?.removeEventListener('abort', onAbort));
  return { stdout: child.stdout, ended, stop };
}

/**
 * Runs git to its end, whatever its exit code.
 *
 * @throws {GitError} `Timeout` after `context.timeoutMs`; `Failed` when git cannot be started or says too much
 * @throws the signal's reason when `context.signal` aborts
 */
export async function runGit(
  context: GitContext,
  args: readonly string[],
  input?: Iterable<string | Buffer>,
): Promise<Outcome> {
  const running = startGit(context, args, input);
  const timer = setTimeout(() => running.stop(timeoutError(args, context)), context.timeoutMs);
  const chunks: Buffer[] = [];
  let size = 0;
  running.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_STDOUT) chunks.push(chunk);
    else running.stop(new GitError('Failed', `git ${args[0]} wrote more than ${MAX_STDOUT} bytes`));
  });
  try {
    const end = await running.ended;
    return { ...end, stdout: Buffer.concat(chunks) };
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a call that passed its deadline. */
export function timeoutError(args: readonly string[], { timeoutMs }: GitContext): GitError {
  return new GitError('Timeout', `git ${args[0]} did not end within ${timeoutMs / 1000} s and was stopped`);
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function exitOf(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      const message = `git cannot be started (${cause.message}); it must be installed and in PATH`;
      reject(new GitError('Failed', message, { cause }));
    });
    child.once('close', (code) => resolve(code ?? -1));
  });
}

/** SIGTERM lets git remove its lock files; what does not heed it is killed. */
function killGroup(child: Child): void {
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), KILL_AFTER_MS);
  child.once('close', () => clearTimeout(timer));
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // No such group: all of it has ended.
  }
}

function tailOf(stream: Readable): () => string {
  let tail = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-MAX_STDERR);
  });
  return () => tail.toString();
}

function environmentOf(context: GitContext): NodeJS.ProcessEnv {
  const inherited = INHERITED.map((name) => [name, context.environment[name]]).filter(
    ([, value]) => value !== undefined,
  );
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...Object.fromEntries(inherited),
    ...FIXED_ENVIRONMENT,
    GIT_DIR: context.gitDirectory,
    ...settingsEnvironment([...FIXED_SETTINGS, ...context.settings]),
  };
}

/** Settings by environment (git 2.31): unlike `-c`, they are not in the list of processes. */
function settingsEnvironment(settings: readonly Setting[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [i, [key, value]] of settings.entries()) {
    variables[`GIT_CONFIG_KEY_${i}`] = key;
    variables[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  return variables;
}
