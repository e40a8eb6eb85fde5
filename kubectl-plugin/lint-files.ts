import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../core/errors.ts';
import { UsageError } from './failure.ts';
import { contentOf, type ScanFile, scansIn } from './scan-files.ts';

/**
 * The ImageScans in YAML or JSON files, those of folders (`.yaml`, `.yml`, `.json`) or standard input (`-`): objects of ours and of
 * Fleet's, and what a `fleet.yaml` or `fleetscan.yaml` defines. Other objects are passed over.
 *
 * @throws {UsageError} when a file cannot be read
 */
export async function imageScansIn(files: readonly string[]): Promise<ScanFile> {
  const found = await Promise.all(files.map((file) => yamlFilesOf('--filename', file)));
  const read = await Promise.all(
    found.flat().map(async (file) => scansIn(file, await contentOf('--filename', file))),
  );
  return {
    scans: read.flatMap(({ scans }) => scans),
    problems: read.flatMap(({ problems }) => problems),
  };
}

/**
 * The files that an argument names: itself, or those of a folder (`.yaml`, `.yml`, `.json`), in order; `-` stands for itself.
 *
 * @param flag named in the error
 * @throws {UsageError}
 */
export async function yamlFilesOf(flag: string, file: string): Promise<string[]> {
  if (file === '-') return [file];
  try {
    if (!(await stat(file)).isDirectory()) return [file];
    const entries = await readdir(file, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && /\.(?:ya?ml|json)$/.test(entry.name))
      .map(({ name }) => path.join(file, name))
      .toSorted();
  } catch (error) {
    throw new UsageError('Usage', `${flag}: ${messageOf(error)}`);
  }
}
