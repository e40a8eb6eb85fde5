import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Told what this process has started and made, the reaper ends and deletes it when this process is gone. */
export interface Reaper {
  /** Kill this process, with its group when it leads one. */
  watch(pid: number): void;
  forget(pid: number): void;
  /** Delete this folder; its own name must begin with `fleetscan-`. */
  folder(path: string): void;
}

const SCRIPT = fileURLToPath(new URL('reaper.sh', import.meta.url));
let started: Reaper | undefined;

/** The one reaper of this process, started at the first call; it does not keep the process alive. */
export function reaper(): Reaper {
  started ??= start();
  return started;
}

function start(): Reaper {
  // In a session of its own, so that what ends this process group or its terminal does not end the reaper.
  const child = spawn('sh', [SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  const { stdin } = child;
  // A reaper that somebody killed must not take the tests with it.
  stdin.on('error', () => {});
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  const tell = (line: string) => void stdin.write(`${line}\n`);
  return {
    watch: (pid) => tell(`watch ${pid}`),
    forget: (pid) => tell(`forget ${pid}`),
    folder: (path) => tell(`folder ${path}`),
  };
}
