import { execFileSync } from 'node:child_process';

/** Kills a process and all that it has started, whatever their groups, as the end of a container does. */
export function killTree(pid: number): void {
  // First the parent, so that it sees none of the others end.
  for (const each of [pid, ...descendants(pid)]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

function descendants(root: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [root];
  for (const parent of found) {
    for (const [pid, ppid] of table) if (ppid === parent && pid !== undefined) found.push(pid);
  }
  return found.slice(1);
}
