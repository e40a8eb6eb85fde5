import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLSeq,
} from 'yaml';
import { CodedError, messageOf } from '../core/errors.ts';
import { oneLine } from '../core/one-line.ts';
import { type ImageScanSpec, imageScanSpec, parseImageScan } from '../kube/kinds/image-scan.ts';
import { type FailureReason, failureOf } from '../scan/failure.ts';
import { readOrder } from '../scan/task.ts';

/** A scan that a `fleet.yaml` or `fleetscan.yaml` defines. */
export interface FleetScan {
  /** Where its entry begins, counted from 1. */
  readonly line: number;
  /** What markers call it; no other scan of the file has the same. */
  readonly tagName: string;
  /** Checked, and without `gitrepoName`: that is the GitRepo whose file it is. */
  readonly spec: ImageScanSpec;
}

/** Something in such a file that is wrong. */
export interface FleetProblem {
  readonly line: number;
  readonly message: string;
  /** Of the entry that is wrong, where it has one. */
  readonly tagName?: string;
}

/** What a file defines. */
export interface FleetScans {
  readonly scans: readonly FleetScan[];
  readonly problems: readonly FleetProblem[];
}

/**
 * Reads the `imageScans` of a `fleet.yaml`, or of a `fleetscan.yaml` of the same form. An entry with a mistake is a problem,
 * and the others count; of two with one tagName the first does. Documents that bear a `kind` are objects and passed over.
 */
export function readFleetScans(text: string): FleetScans {
  const lines = new LineCounter();
  const scans = new Map<string, FleetScan>();
  const problems: FleetProblem[] = [];
  const lineOf = (node: Node): number => lines.linePos(node.range?.[0] ?? 0).line;
  for (const document of parseAllDocuments(text, { lineCounter: lines, merge: true })) {
    const [error] = document.errors;
    if (error !== undefined) {
      const message = `cannot be read: ${oneLine(error.message.split('\n')[0] ?? '')}`;
      problems.push({ line: lines.linePos(error.pos[0]).line, message });
      continue;
    }
    for (const [index, node] of entriesOf(document, problems, lineOf)) {
      try {
        const scan = { line: lineOf(node), ...readEntry(node, node.toJS(document)) };
        const earlier = scans.get(scan.tagName);
        if (earlier !== undefined) throw repeated(node, earlier);
        scans.set(scan.tagName, scan);
      } catch (error) {
        const at = error instanceof EntryError ? error.node : node;
        const message = `imageScans[${index}]: ${messageOf(error)}`;
        problems.push({ line: lineOf(at), message, ...tagNameOf(node, document) });
      }
    }
  }
  return { scans: [...scans.values()], problems };
}

/** Where in an entry there is a mistake. */
class EntryError extends CodedError<'InvalidEntry'> {
  readonly node: Node;

  constructor(node: Node, message: string) {
    super('InvalidEntry', message);
    this.node = node;
  }
}

function entriesOf(
  document: Document.Parsed,
  problems: FleetProblem[],
  lineOf: (node: Node) => number,
): (readonly [index: number, node: Node])[] {
  const { contents } = document;
  if (!isMap(contents) || contents.has('kind')) return [];
  const written: unknown = contents.get('imageScans', true);
  const list = isAlias(written) ? written.resolve(document) : written;
  if (isSeq(list)) return [...(list as YAMLSeq<Node>).items.entries()];
  if (!isNode(list) || (isScalar(list) && list.value === null)) return [];
  const message = isMap(list)
    ? 'imageScans is a mapping and has to be a list: put "- " before the first field of each scan'
    : 'imageScans has to be a list of scans';
  problems.push({ line: lineOf(list), message });
  return [];
}

function tagNameOf(node: Node, document: Document.Parsed): Pick<FleetProblem, 'tagName'> {
  const entry = isAlias(node) ? node.resolve(document) : node;
  const tagName: unknown = isMap(entry) ? entry.get('tagName') : undefined;
  return typeof tagName === 'string' && tagName !== '' ? { tagName } : {};
}

function repeated(node: Node, earlier: FleetScan): EntryError {
  const message = `tagName ${oneLine(earlier.tagName)} is taken by line ${earlier.line}, and no marker could tell the two apart`;
  return new EntryError(nodeAt(node, ['tagName']), message);
}

/** @throws {EntryError} */
function readEntry(node: Node, value: unknown): Pick<FleetScan, 'tagName' | 'spec'> {
  const parsed = imageScanSpec.safeParse(value);
  if (!parsed.success) {
    const told = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'the entry'}: ${message}`,
    );
    throw new EntryError(nodeAt(node, parsed.error.issues[0]?.path ?? []), told.join('; '));
  }
  const unknown = unknownField(value, parsed.data);
  if (unknown !== undefined)
    throw new EntryError(nodeAt(node, unknown), `there is no field ${oneLine(unknown.join('.'))}`);
  const { gitrepoName: _gitrepoName, ...spec } = parsed.data;
  const { tagName } = spec;
  if (!tagName)
    throw new EntryError(nodeAt(node, ['tagName']), 'tagName is missing: markers name the scan by it');
  try {
    readOrder(parseImageScan({ metadata: { name: tagName }, spec }));
  } catch (error) {
    const { reason, message } = failureOf(error, []);
    throw new EntryError(nodeAt(node, FIELDS[reason] ?? []), `${reason}: ${message}`);
  }
  return { tagName, spec };
}

type Path = readonly PropertyKey[];

/** Where the mistakes are that only a reading of the values finds. */
const FIELDS: Partial<Record<FailureReason, Path>> = {
  InvalidImage: ['image'],
  InvalidInterval: ['interval'],
  InvalidRange: ['policy', 'semver', 'range'],
};

/** The first field that the schema does not know; Fleet's `name` of an entry means nothing, and is allowed. */
function unknownField(value: unknown, known: unknown, path: Path = []): Path | undefined {
  if (typeof value !== 'object' || value === null || typeof known !== 'object' || known === null)
    return undefined;
  for (const [key, child] of Object.entries(value)) {
    const at = [...path, key];
    if (at.length === 1 && key === 'name') continue;
    const counterpart = Object.getOwnPropertyDescriptor(known, key);
    if (counterpart === undefined) return at;
    const deeper = unknownField(child, counterpart.value, at);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** The innermost node that there is on a path. */
function nodeAt(node: Node, path: Path): Node {
  const [key, ...rest] = path;
  if (key === undefined || !(isMap(node) || isSeq(node))) return node;
  const child: unknown = node.get(key, true);
  return isNode(child) && child.range ? nodeAt(child, rest) : node;
}
