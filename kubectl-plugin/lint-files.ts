import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { isMap, LineCounter, parseAllDocuments } from 'yaml';
import { messageOf } from '../core/errors.ts';
import { API_VERSION } from '../kube/kinds/common.ts';
import { UsageError } from './failure.ts';

/** An object of a file, and where it is: `scans.yaml:3`. */
export interface FileObject {
  readonly place: string;
  readonly object: unknown;
}

/** Something that cannot be read. */
export interface FileProblem {
  readonly place: string;
  readonly problem: string;
}

/**
 * The ImageScans in YAML or JSON files, those of folders (`.yaml`, `.yml`, `.json`) or standard input (`-`). Other objects are
 * passed over.
 *
 * @throws {UsageError} when a file cannot be read
 */
export async function imageScansIn(files: readonly string[]): Promise<(FileObject | FileProblem)[]> {
  const found = await Promise.all(files.map((file) => yamlFilesOf('--filename', file)));
  const objects = await Promise.all(found.flat().map(objectsOf));
  return objects.flat();
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

async function objectsOf(file: string): Promise<(FileObject | FileProblem)[]> {
  const lines = new LineCounter();
  const content = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  const placeOf = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  return [...parseAllDocuments(content, { lineCounter: lines })].flatMap(
    (document): (FileObject | FileProblem)[] => {
      const [error] = document.errors;
      if (error !== undefined)
        return [{ place: placeOf(error.pos[0]), problem: error.message.split('\n')[0] ?? '' }];
      const place = placeOf(document.contents?.range?.[0] ?? 0);
      const isScan =
        isMap(document.contents) &&
        document.get('apiVersion') === API_VERSION &&
        document.get('kind') === 'ImageScan';
      return isScan ? [{ place, object: document.toJS() as unknown }] : [];
    },
  );
}
