import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PREFIX = 'fleetscan-private-';
const OF_PROCESS = /^fleetscan-private-(\d+)-/;
let swept: Promise<void> | undefined;

/**
 * Makes a folder that only we can read, for what a program takes as a file only, as a private key. It is deleted when `work`
 * is done or has failed; what a killed process left is deleted by the next one.
 */
export async function withPrivateFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  swept ??= sweep(tmpdir());
  await swept;
  // mkdtemp gives mode 0700.
  const folder = await mkdtemp(path.join(tmpdir(), `${PREFIX}${process.pid}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Before the first folder of our own, one with our process id is of a former process, too: containers reuse ids. */
async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const stale = names.filter((name) => {
    const pid = OF_PROCESS.exec(name)?.[1];
    return pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid)));
  });
  // One that is not ours stays: it is no failure of the work at hand.
  await Promise.allSettled(
    stale.map((name) => rm(path.join(parent, name), { recursive: true, force: true })),
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
