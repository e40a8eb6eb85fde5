import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '../../core/errors.ts';
import { waitFor } from '../wait.ts';
import { reaper } from './reaper.ts';
import type { Account } from './unprivileged.ts';

/** A program did not start (`NotStarted`), ended before it was ready (`Ended`) or was not ready in time (`NotReady`). */
export type ProcessErrorCode = 'NotStarted' | 'Ended' | 'NotReady';
export class ProcessError extends CodedError<ProcessErrorCode> {}

export interface ProcessOptions {
  /** What messages call it. */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Whom it runs as; by default whom this process runs as. */
  readonly account?: Account | undefined;
  /** Called with each line of its standard output and error. */
  readonly onLine?: (line: string) => void;
}

/** A running program that does not outlive this process. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** The last 200 lines of its standard output and error. */
  output(): string;
  /** Fulfilled when it has ended and its output is read: its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** How it ended; undefined while it runs. */
  exitedWith(): number | string | undefined;
  /** Asks it to end (SIGTERM), kills it after `graceMs` (default 5000), and waits until it is gone. */
  stop(graceMs?: number): Promise<void>;
  /** Sends a signal; SIGKILL goes to its children too, as when a container ends. */
  kill(signal: NodeJS.Signals): void;
}

const KEPT_LINES = 200;

/**
 * Starts a program.
 *
 * @throws {ProcessError} `NotStarted`
 */
export function startProcess(options: ProcessOptions): RunningProcess {
  const { name, command, args = [], env, cwd, account } = options;
  // As the leader of a group of its own: Ctrl-C in a terminal reaches this process alone, which then stops the rest in order.
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
    ...account,
  });
  child.on('error', () => {});
  const { pid } = child;
  if (pid === undefined) {
    throw new ProcessError(
      'NotStarted',
      `${name}: cannot start ${command}; does it exist, and may it be run?`,
    );
  }
  reaper().watch(pid);
  const lines = keepLines(child, options.onLine);
  const end = watchEnd(child, pid);
  const kill = (signal: NodeJS.Signals) => signalTo(signal === 'SIGKILL' ? -pid : pid, signal);
  return {
    name,
    pid,
    output: () => lines.join('\n'),
    exited: end.exited,
    exitedWith: end.exitedWith,
    kill,
    stop: async (graceMs = 5000) => {
      kill('SIGTERM');
      const grace = new AbortController();
      const late = delay(graceMs, undefined, { signal: grace.signal }).then(() => kill('SIGKILL'));
      late.catch(() => {});
      await end.exited;
      grace.abort();
    },
  };
}

/**
 * Waits until a program answers: until `probe` gives something other than undefined.
 *
 * @throws {ProcessError} `Ended` or `NotReady`, with the program's last output
 */
export async function untilReady<T>(
  running: RunningProcess,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 60_000,
): Promise<T> {
  const outcome = await waitFor(
    `${running.name} to be ready`,
    async () => {
      const status = running.exitedWith();
      if (status !== undefined) return { status };
      const answer = await probe();
      return answer === undefined ? undefined : { answer };
    },
    { timeoutMs },
  ).catch((cause: unknown) => {
    const what = `${running.name} was not ready after ${timeoutMs} ms`;
    throw new ProcessError('NotReady', `${what}; its last output:\n${running.output()}`, { cause });
  });
  if ('answer' in outcome) return outcome.answer;
  const what = `${running.name} ended (${outcome.status}) before it was ready`;
  throw new ProcessError('Ended', `${what}; its last output:\n${running.output()}`);
}

/** A new folder under the system's temporary folder, deleted when this process is gone. */
export function temporaryFolder(purpose = 'test'): string {
  const path = mkdtempSync(join(tmpdir(), `fleetscan-${purpose}-`));
  reaper().folder(path);
  return path;
}

/**
 * A TCP port of 127.0.0.1 that nobody listens on. It lies below the ports that systems give to outgoing connections and
 * to servers that ask for any, so that a program stopped for a moment finds its port free again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await canListen(port)) return port;
  }
}

function keepLines(child: ChildProcess, onLine: (line: string) => void = () => {}): string[] {
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (input === null) continue;
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onLine(line);
    });
  }
  return lines;
}

function watchEnd(child: ChildProcess, pid: number) {
  let ended: number | string | undefined;
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = code ?? signal ?? 'unknown';
      // What it has started and not ended goes with it; that also closes the pipes of its output.
      signalTo(-pid, 'SIGKILL');
      reaper().forget(pid);
    });
    child.once('close', () => resolve(ended ?? 'unknown'));
  });
  return { exited, exitedWith: () => ended };
}

/** Sends a signal to a process, or to a group when the number is negative; one that is gone already is as wanted. */
function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const gone =
      error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM');
    if (!gone) throw error;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
