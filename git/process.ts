import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { environmentOf, type GitContext } from './environment.ts';
import { GitError } from './errors.ts';

/** How a call ended. `stderr` is its last 64 KiB. */
export interface Outcome {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A program to run, and all variables that it gets. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** How long a program may work. */
export type Limits = Pick<GitContext, 'timeoutMs' | 'signal'>;

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

/** Starts git with `input` on its standard input. */
export function startGit(
  context: GitContext,
  args: readonly string[],
  input: Iterable<string | Buffer> = [],
): RunningGit {
  return start(gitProgram(context, args), context, input);
}

function gitProgram(context: GitContext, args: readonly string[]): Program {
  return { command: 'git', args, environment: environmentOf(context) };
}

function start(
  { command, args, environment }: Program,
  { signal }: Limits,
  input: Iterable<string | Buffer>,
): RunningGit {
  signal?.throwIfAborted();
  // Detached makes it the leader of a process group, so that a kill reaches the helpers that git starts.
  const child = spawn(command, args, {
    env: environment,
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
  const ended = exitOf(child, command)
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
  return runProgram(gitProgram(context, args), context, input);
}

/** As {@link runGit}, for a program that git does not start for us. */
export async function runProgram(
  program: Program,
  limits: Limits,
  input: Iterable<string | Buffer> = [],
): Promise<Outcome> {
  const { command, args } = program;
  const running = start(program, limits, input);
  const timer = setTimeout(() => running.stop(lateError(program, limits)), limits.timeoutMs);
  const chunks: Buffer[] = [];
  let size = 0;
  running.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_STDOUT) chunks.push(chunk);
    else running.stop(new GitError('Failed', `${command} ${args[0]} wrote more than ${MAX_STDOUT} bytes`));
  });
  try {
    const end = await running.ended;
    return { ...end, stdout: Buffer.concat(chunks) };
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a call that passed its deadline. */
export function timeoutError(args: readonly string[], limits: Limits): GitError {
  return lateError({ command: 'git', args }, limits);
}

function lateError({ command, args }: Pick<Program, 'command' | 'args'>, { timeoutMs }: Limits): GitError {
  const message = `${command} ${args[0]} did not end within ${timeoutMs / 1000} s and was stopped`;
  return new GitError('Timeout', message);
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function exitOf(child: Child, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      const message = `${command} cannot be started (${cause.message}); it must be installed and in PATH`;
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
