import { writeFile } from 'node:fs/promises';
import { buildBundle } from '../../build.ts';
import { temporaryFolder } from '../control-plane/processes.ts';

/** What the flags of the chart come to with its limits of 512 and 256 MiB, and the variable of the image. */
export const SHIPPED_ENV = {
  reconciler: {
    NODE_OPTIONS: '--max-old-space-size=230 --max-semi-space-size=4',
    MALLOC_ARENA_MAX: '2',
  },
  webhook: { NODE_OPTIONS: '--max-old-space-size=128', MALLOC_ARENA_MAX: '2' },
} as const;

/** Bundles the programs as the image has them: from the sources they take half as much memory again. @returns the folder */
export async function bundlePrograms(): Promise<string> {
  const folder = temporaryFolder('bundles');
  await writeFile(`${folder}/package.json`, '{"type":"module"}');
  for (const name of ['webhook', 'reconciler'] as const) await buildBundle(name, folder);
  return folder;
}
