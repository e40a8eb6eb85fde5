import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../control-plane/run.ts';
import { waitFor } from '../wait.ts';

/** The steps of a push on its server, in their order: git runs a hook at each. Between the middle two the branch moves. */
export const PUSH_STEPS = ['pre-receive', 'update', 'prepared', 'committed', 'post-receive'] as const;
export type PushStep = (typeof PUSH_STEPS)[number];

/** Holds pushes to a repository in the middle. */
export interface PushGate {
  /** The next push that comes to this step is held there; later ones pass. */
  arm(step: PushStep): Promise<void>;
  /** Waits until one is held. */
  untilHeld(): Promise<void>;
  /** Lets the one that is held go on, if there is one, and waits until the server has done with it. */
  open(): Promise<void>;
}

/**
 * Installs one in a repository on its server's disk.
 *
 * @param directory the bare repository
 */
export async function installPushGate(directory: string): Promise<PushGate> {
  const hooks = join(directory, 'hooks');
  const held = join(directory, 'gate', 'held');
  const armed = (step: string): string => join(directory, 'gate', step);
  await mkdir(join(directory, 'gate'));
  await mkdir(hooks, { recursive: true });
  // The hook of a transaction of references is told its state.
  for (const [hook, step] of [
    ['pre-receive', 'pre-receive'],
    ['update', 'update'],
    ['reference-transaction', '$1'],
    ['post-receive', 'post-receive'],
  ] as const) {
    await writeFile(join(hooks, hook), script(armed(step), held));
    await chmod(join(hooks, hook), 0o755);
  }
  return {
    arm: (step) => writeFile(armed(step), ''),
    untilHeld: async () => {
      await waitFor('a push to be held', () => serverOf(held));
    },
    open: async () => {
      const server = await serverOf(held);
      await rm(held, { force: true });
      if (server !== undefined) await waitFor('the end of a push', () => hasEnded(server));
    },
  };
}

/** The process that receives the push that is held. */
async function serverOf(held: string): Promise<string | undefined> {
  const text = await readFile(held, 'utf8').catch(() => '');
  return /^\d+(?=\n)/.exec(text)?.[0];
}

async function hasEnded(pid: string): Promise<true | undefined> {
  const { stdout } = await run('ps', ['-o', 'stat=', '-p', pid]);
  // One that has ended and whose end nobody has asked about is a zombie.
  return /^\s*(Z.*)?$/.test(stdout) ? true : undefined;
}

/** To move a file is the one thing that of several pushes only one can do. */
function script(armed: string, held: string): string {
  return `#!/bin/sh
if mv "${armed}" "${held}" 2>/dev/null; then
  echo $PPID >"${held}"
  while [ -e "${held}" ]; do sleep 0.05; done
fi
exit 0
`;
}
