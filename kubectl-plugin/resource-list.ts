import { text } from 'node:stream/consumers';
import {
  type Document,
  isMap,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  stringify,
  type YAMLMap,
} from 'yaml';
import type { Find } from '../write-back/fleet-values.ts';
import { UsageError } from './failure.ts';
import { withLookUp } from './look-up.ts';
import { type Remark, type Resolved, resolveComments, resolveManifests } from './resolve-text.ts';
import { failOn, type Problem, scansIn, type ScanFile } from './scan-files.ts';
import { type Scans, type ScansFlags, scansFor } from './scan-values.ts';

/** A result as the KRM Functions Specification has it: the orchestrator shows it to the user. */
interface Result {
  readonly message: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly resourceRef?: Readonly<Record<string, string>>;
  readonly file?: { readonly path: string; readonly index?: number };
}

/** Whether a text is the input of a KRM function: a `ResourceList` of `config.kubernetes.io`. */
export function isResourceList(content: string): boolean {
  return content.includes('ResourceList') && listIn(content) !== undefined;
}

function listIn(content: string): YAMLMap | undefined {
  const { contents, errors }: Document = parseDocument(content);
  if (errors.length > 0 || !isMap(contents) || contents.get('kind') !== 'ResourceList') return undefined;
  return String(contents.get('apiVersion')).startsWith('config.kubernetes.io/') ? contents : undefined;
}

/** Answers a `ResourceList` as `resolve` does manifests. The scans are those of its `functionConfig`, and of `--scans`. */
export async function resolveList(content: string, flags: ScansFlags): Promise<void> {
  const now = new Date();
  await answer(content, flags, (find, scans) => resolveManifests(content, find, scans, now));
}

/**
 * Answers a `ResourceList` on standard input as `update` does files: by comment markers alone. With `strict`, a marker that is
 * left alone is an error.
 *
 * @throws {UsageError} when it is none
 * @throws an AggregateError of PartError for each part that went wrong
 */
export async function updateList(flags: ScansFlags & { readonly strict?: boolean }): Promise<void> {
  const content = await text(process.stdin);
  if (!isResourceList(content))
    throw new UsageError(
      'Usage',
      'update - reads a ResourceList (config.kubernetes.io/v1); for manifests use resolve -f -',
    );
  await answer(content, flags, (find) => {
    const resolved = resolveComments(content, find);
    return flags.strict ? { ...resolved, remarks: resolved.remarks.map(asError) } : resolved;
  });
}

function asError(remark: Remark): Remark {
  return { ...remark, severity: 'error' };
}

async function answer(
  content: string,
  flags: ScansFlags,
  resolve: (find: Find, scans: Scans) => Resolved,
): Promise<void> {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  const more = configuredScans(document);
  if (flags.scans === undefined && more.scans.length === 0 && more.problems.length === 0)
    throw new UsageError(
      'Usage',
      'there are no scans: put them into the functionConfig, or use --scans FILE',
    );
  const scans = await scansFor(flags, more);
  const { result: resolved, problems } = await withLookUp(scans, flags, (find) => resolve(find, scans));
  const items = itemsOf(document, (offset) => lines.linePos(offset).line);
  const errors = resolved.remarks.filter(({ severity }) => severity === 'error');
  const results: Result[] = [
    ...problems.map(({ place, message }): Result => {
      return { severity: 'error', message: place === undefined ? message : `${place}: ${message}` };
    }),
    ...resolved.remarks.map((remark) => ({ ...messageOf(remark), ...placeOf(items, remark.line) })),
    ...changes(resolved).map(({ line, message }): Result => {
      return { severity: 'info', message, ...placeOf(items, line) };
    }),
  ];
  process.stdout.write(withResults(resolved.text, results));
  failOn([...problems, ...errors.map(({ message }): Problem => ({ message }))]);
}

function messageOf({ severity, message }: Remark): Pick<Result, 'severity' | 'message'> {
  return { severity, message };
}

function changes({ edits, images }: Resolved): { line: number; message: string }[] {
  return [
    ...edits.map(({ line, before, after }) => ({ line, message: `${before} -> ${after}` })),
    ...images.map(({ line, from, to }) => ({ line, message: `${from} -> ${to}` })),
  ];
}

/**
 * The scans of a `functionConfig`: itself an ImageScan or a list of them, or with `imageScans` as a `fleet.yaml` has them, or a
 * ConfigMap with such documents as its data.
 */
function configuredScans(document: Document.Parsed): ScanFile {
  const config: unknown = document.get('functionConfig', true);
  if (!isMap(config)) return { scans: [], problems: [] };
  const value = config.toJS(document) as Record<string, unknown>;
  const spec = isRecord(value['spec']) ? value['spec'] : {};
  const fleet = [value['imageScans'], spec['imageScans']].filter((list) => list !== undefined);
  const data = value['kind'] === 'ConfigMap' && isRecord(value['data']) ? Object.entries(value['data']) : [];
  const found = [
    scansIn('functionConfig', stringify(value)),
    ...fleet.map((imageScans) => scansIn('functionConfig', stringify({ imageScans }))),
    ...data.map(([key, content]) => scansIn(`functionConfig data.${key}`, String(content))),
  ];
  return {
    scans: found.flatMap(({ scans }) => scans),
    problems: found.flatMap(({ problems }) => problems),
  };
}

interface Item {
  readonly first: number;
  readonly last: number;
  readonly place: Pick<Result, 'resourceRef' | 'file'>;
}

function itemsOf(document: Document.Parsed, lineAt: (offset: number) => number): Item[] {
  const items: unknown = document.get('items', true);
  if (!isSeq(items)) return [];
  return (items.items as Node[]).flatMap((node) => {
    if (!isMap(node)) return [];
    const [start = 0, end = 0] = node.range ?? [];
    const object: unknown = node.toJS(document);
    return [{ first: lineAt(start), last: lineAt(Math.max(start, end - 1)), place: placeIn(object) }];
  });
}

const PATH = ['internal.config.kubernetes.io/path', 'config.kubernetes.io/path'];
const INDEX = ['internal.config.kubernetes.io/index', 'config.kubernetes.io/index'];

function placeIn(object: unknown): Item['place'] {
  if (!isRecord(object)) return {};
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {};
  const annotations = isRecord(metadata['annotations']) ? metadata['annotations'] : {};
  const named = {
    apiVersion: object['apiVersion'],
    kind: object['kind'],
    name: metadata['name'],
    namespace: metadata['namespace'],
  };
  const resourceRef = Object.fromEntries(
    Object.entries(named).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const [path, index]: unknown[] = [PATH, INDEX].map((keys) =>
    keys.map((key) => annotations[key]).find((value) => value !== undefined),
  );
  if (typeof path !== 'string') return { resourceRef };
  return {
    resourceRef,
    file: { path, ...(typeof index === 'string' && /^\d{1,9}$/.test(index) && { index: Number(index) }) },
  };
}

function placeOf(items: readonly Item[], line: number | undefined): Item['place'] {
  if (line === undefined) return {};
  return items.find(({ first, last }) => first <= line && line <= last)?.place ?? {};
}

/** The list with the results at its end, one a line; those that an earlier function left there give way. */
function withResults(content: string, results: readonly Result[]): string {
  if (results.length === 0) return content;
  const list = listIn(content);
  const earlier = list?.get('results', true);
  const added = results.map((result) => JSON.stringify(result));
  if (list?.flow === true || earlier !== undefined) return rewritten(content, results);
  const [, , end = content.length] = list?.range ?? [];
  const body = content.slice(0, end);
  return `${body}${body.endsWith('\n') ? '' : '\n'}results:\n${added.map((line) => `- ${line}\n`).join('')}${content.slice(end)}`;
}

function rewritten(content: string, results: readonly Result[]): string {
  const document = parseDocument(content);
  document.set('results', document.createNode(results, { aliasDuplicateObjects: false }));
  // What came as JSON stays JSON.
  const style = isMap(document.contents) && document.contents.flow ? 'QUOTE_DOUBLE' : 'PLAIN';
  return document.toString({ lineWidth: 0, defaultKeyType: style, defaultStringType: style });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
