import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { reaper } from './reaper.ts';
import type { Account } from './unprivileged.ts';

export interface RunOptions {
  readonly stdin?: string | Buffer;
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Whom it runs as; by default whom this process runs as. */
  readonly account?: Account | undefined;
}

/** What a program that ran to its end said. `code` is 128 when a signal ended it. */
export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/**
 * Runs a program to its end.
 *
 * @throws the spawn error when it cannot be started; its exit code is for the caller to judge
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { stdin = '', env, cwd, account } = options;
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
    ...account,
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  if (child.pid !== undefined) reaper().watch(child.pid);
  // A program may end without reading its input; its exit code tells.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (child.pid !== undefined) reaper().forget(child.pid);
  return { stdout, stderr, code };
}

/** Thrown by {@link mustRun}. */
export class RunError extends Error {
  override readonly name = 'RunError';
  readonly result: RunResult;

  constructor(message: string, result: RunResult) {
    super(message);
    this.result = result;
  }
}

/**
 * Runs a program that is expected to succeed.
 *
 * @throws {RunError} with what it said, when its exit code is not 0
 */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await run(command, args, options);
  if (result.code === 0) return result;
  const what = [command, ...args].join(' ');
  throw new RunError(`${what} ended with ${result.code}: ${(result.stderr || result.stdout).trim()}`, result);
}
