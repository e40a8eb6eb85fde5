import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { isMap, isSeq, LineCounter, type Node, parseAllDocuments, type YAMLSeq } from 'yaml';
import { messageOf } from '../core/errors.ts';
import { oneLine } from '../core/one-line.ts';
import { scanKey } from '../core/scan.ts';
import { API_VERSION, FLEET_API_VERSION } from '../kube/kinds/common.ts';
import { parseFleetImageScan } from '../kube/kinds/fleet.ts';
import { type ImageScan, parseImageScan } from '../kube/kinds/image-scan.ts';
import { readFleetScans } from '../write-back/fleet-yaml.ts';
import { PartError, UsageError } from './failure.ts';

/** An ImageScan of a file, and where it is: `scans.yaml:3`. */
export interface FileScan {
  readonly place: string;
  readonly scan: ImageScan;
}

/** Something that went wrong with a part of the work, while the rest went on. */
export interface Problem {
  /** Where: `scans.yaml:3`. */
  readonly place?: string;
  readonly message: string;
}

/**
 * Ends the work with its problems, if there are any.
 *
 * @throws an AggregateError of a {@link PartError} for each
 */
export function failOn(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const errors = problems.map(({ place, message }) => {
    const told = place === undefined ? message : `${place}: ${message}`;
    return new PartError('Failed', oneLine(told, Infinity));
  });
  throw new AggregateError(errors, 'not everything could be done');
}

/** @throws {UsageError} when more than one of the files is standard input, `-` */
export function checkStandardInput(files: readonly string[]): void {
  if (files.filter((file) => file === '-').length > 1)
    throw new UsageError('Usage', 'standard input can be read once only');
}

/** ImageScans, and what could not be read as one. */
export interface ScanFile {
  readonly scans: readonly FileScan[];
  readonly problems: readonly Problem[];
}

/**
 * The ImageScans of files and of standard input (`-`): of a `fleet.yaml` or `fleetscan.yaml` with `imageScans`, or as objects of ours
 * or of Fleet's in YAML or JSON, in one document or several, alone or in lists.
 *
 * @throws {UsageError} when a file cannot be read, or has neither
 */
export async function readScanFiles(files: readonly string[]): Promise<ScanFile> {
  const read = await Promise.all(
    files.map(async (file) => ({ file, found: scansIn(file, await contentOf('--scans', file)) })),
  );
  for (const { file, found } of read) {
    if (found.scans.length === 0 && found.problems.length === 0)
      throw new UsageError('Usage', `--scans: ${file} has no ImageScan and no imageScans`);
  }
  return withoutTwins(read.map(({ found }) => found));
}

/** {@link readScanFiles} of one text that is there already; `name` is what its places begin with. */
export function scansIn(name: string, content: string): ScanFile {
  const fleet = readFleetScans(content);
  const scans: FileScan[] = fleet.scans.map(({ line, tagName, spec }) => ({
    place: `${name}:${line}`,
    scan: parseImageScan({ metadata: { name: tagName }, spec }),
  }));
  const problems: Problem[] = fleet.problems.map(({ line, message }) => ({
    place: `${name}:${line}`,
    message,
  }));
  for (const { line, parse, object } of objectsIn(content)) {
    const place = `${name}:${line}`;
    try {
      scans.push({ place, scan: parse(object) });
    } catch (error) {
      problems.push({ place, message: messageOf(error) });
    }
  }
  return { scans, problems };
}

type Parse = (raw: unknown) => ImageScan;

const PARSERS: ReadonlyMap<unknown, Parse> = new Map([
  [API_VERSION, parseImageScan],
  [FLEET_API_VERSION, parseFleetImageScan],
]);

interface FileObject {
  readonly line: number;
  readonly parse: Parse;
  readonly object: unknown;
}

function objectsIn(content: string): FileObject[] {
  const lines = new LineCounter();
  const objects: FileObject[] = [];
  for (const document of parseAllDocuments(content, { lineCounter: lines, merge: true })) {
    // A document that does not parse is told of already, by the reader of fleet.yaml.
    if (document.errors.length > 0) continue;
    for (const { node, parse } of scanNodes(document.contents)) {
      const { line } = lines.linePos(node.range?.[0] ?? 0);
      objects.push({ line, parse, object: node.toJS(document) });
    }
  }
  return objects;
}

/** The ImageScans that an object is, or holds as the items of a list. */
function scanNodes(node: Node | null): { readonly node: Node; readonly parse: Parse }[] {
  if (!isMap(node)) return [];
  const items: unknown = node.get('items', true);
  if (isSeq(items)) return (items as YAMLSeq<Node>).items.flatMap(scanNodes);
  const parse = PARSERS.get(node.get('apiVersion'));
  return node.get('kind') === 'ImageScan' && parse !== undefined ? [{ node, parse }] : [];
}

/** Of two with one name the first counts. */
function withoutTwins(files: readonly ScanFile[]): ScanFile {
  const places = new Map<string, string>();
  const twins: Problem[] = [];
  const scans = files
    .flatMap((file) => file.scans)
    .filter(({ place, scan }) => {
      const key = scanKey({ ...scan.metadata, group: scan.group });
      const earlier = places.get(key);
      if (earlier === undefined) places.set(key, place);
      else twins.push({ place, message: `the ImageScan ${scan.metadata.name} is at ${earlier}, too` });
      return earlier === undefined;
    });
  return { scans, problems: [...files.flatMap((file) => file.problems), ...twins] };
}

/**
 * The text of a file, or of standard input (`-`).
 *
 * @param flag that named it, for the error
 * @throws {UsageError} when it cannot be read
 */
export async function contentOf(flag: string, file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError('Usage', `${flag}: ${messageOf(error)}`);
  }
}
