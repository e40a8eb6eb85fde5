import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from './run.ts';
import { type BinaryName, PROGRAMS } from './versions.ts';

/** The folders of its module that a program reads when it runs. A release has them inside, but a plain build has not. */
const FOLDERS: Partial<Record<BinaryName, readonly string[]>> = {
  // modules/{options,public,templates}/*_dynamic.go. The scripts and styles of its pages would need a build of their own.
  gitea: ['options', 'public', 'templates'],
};

/** Where the files lie that a program at this path reads when it runs; nowhere when it has them inside. */
export function filesOf(program: string): string {
  return `${program}.files`;
}

/** Copies what a program reads when it runs from its module in Go's cache to {@link filesOf} its path. */
export async function copyModuleFiles(name: BinaryName, path: string, go: string): Promise<void> {
  const folders = FOLDERS[name];
  if (folders === undefined) return;
  const module = await moduleFolder(name, go);
  const [whole, unfinished] = [filesOf(path), `${filesOf(path)}.new`];
  for (const old of [whole, unfinished]) await rm(old, { recursive: true, force: true });
  for (const folder of folders) await copyFolder(join(module, folder), join(unfinished, folder));
  await rename(unfinished, whole);
}

async function moduleFolder(name: BinaryName, go: string): Promise<string> {
  const { project, goPackage } = PROGRAMS[name];
  const cwd = fileURLToPath(new URL(`modules/${project}`, import.meta.url));
  const args = ['list', '-mod=readonly', '-f', '{{.Module.Dir}}', goPackage];
  return (await mustRun(go, args, { cwd, env: { GOWORK: 'off' } })).stdout.trim();
}

/** Not by `cp`, which would make folders that cannot be written to, and so not deleted, as those in Go's cache are. */
async function copyFolder(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const target = join(to, relative(from, entry.parentPath), entry.name);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(entry.parentPath, entry.name), target);
  }
}
