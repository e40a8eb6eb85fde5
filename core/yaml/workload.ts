import {
  CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import { oneLine } from '../one-line.ts';
import type { Pod } from '../pod.ts';
import type { ObjectName } from './object.ts';
import { type Splice, spliceFor } from './scalar.ts';

/** A pod, or the template that a workload makes pods of, in a YAML file. */
export interface FilePod {
  readonly object: ObjectName;
  /** Where the object begins, counted from 1. */
  readonly line: number;
  readonly pod: Pod;
  /** The change of the file that sets an image; undefined where the path leads to no place in the text. */
  imageSplice(path: string, image: string): Splice | undefined;
}

/** Where kinds have their pods; a workload that we do not know has its template where Deployment or CronJob do. */
const PLACES: Readonly<Record<string, readonly string[]>> = { Pod: [], PodTemplate: ['template'] };
const TEMPLATE = ['spec', 'template'];
const JOB_TEMPLATE = ['spec', 'jobTemplate', 'spec', 'template'];

/** A document that does not parse, so that its pods are not known. */
export interface BrokenDocument {
  readonly line: number;
  readonly message: string;
}

/** The pods of a YAML or JSON file: of objects and of the items of lists, a `ResourceList` included. */
export function podsIn(text: string): (FilePod | BrokenDocument)[] {
  const lines = new LineCounter();
  const options = { lineCounter: lines, merge: true, keepSourceTokens: true };
  return [...parseAllDocuments(text, options)].flatMap((document): (FilePod | BrokenDocument)[] => {
    const [error] = document.errors;
    if (error !== undefined) {
      const message = `the document does not parse: ${oneLine(error.message.split('\n')[0] ?? '')}`;
      return [{ line: lines.linePos(error.pos[0]).line, message }];
    }
    return objectsIn(document.contents).flatMap((map): FilePod[] => {
      const file = { text, document };
      const found = podOf(map, file);
      const line = lines.linePos(map.range?.[0] ?? 0).line;
      return found === undefined ? [] : [{ ...found, line }];
    });
  });
}

interface File {
  readonly text: string;
  readonly document: Document.Parsed;
}

function objectsIn(node: unknown): YAMLMap[] {
  if (!isMap(node)) return [];
  const items: unknown = node.get('items', true);
  const isList = String(node.get('kind')).endsWith('List');
  return isList && isSeq(items) ? items.items.flatMap(objectsIn) : [node];
}

function podOf(map: YAMLMap, file: File): Omit<FilePod, 'line'> | undefined {
  const object: unknown = map.toJS(file.document);
  const [kind, name] = [get(object, ['kind']), get(object, ['metadata', 'name'])];
  if (typeof kind !== 'string') return undefined;
  const places = PLACES[kind] === undefined ? [TEMPLATE, JOB_TEMPLATE] : [PLACES[kind]];
  const place = places.find((path) => Array.isArray(get(object, [...path, 'spec', 'containers'])));
  if (place === undefined) return undefined;
  const namespace = get(object, ['metadata', 'namespace']);
  return {
    object: {
      kind,
      name: typeof name === 'string' ? name : '',
      ...(typeof namespace === 'string' && { namespace }),
    },
    pod: readPod(get(object, place)),
    imageSplice: (path, image) => imageSplice(map, [...place, ...path.split('/').slice(1)], image, file),
  };
}

function get(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What of a pod is as a pod has it; the rest, which the API server would refuse, counts as absent. Places in lists stay. */
function readPod(value: unknown): Pod {
  const annotations = Object.entries(recordAt(value, ['metadata', 'annotations'])).filter(isText);
  const list = (field: string) => {
    const items = get(value, ['spec', field]);
    return Array.isArray(items) ? items.map((item: unknown) => (isRecord(item) ? item : {})) : [];
  };
  const containers = (field: string) =>
    list(field).map(({ name, image }) => ({ name: textOf(name), image: textOf(image) }));
  return {
    metadata: { annotations: Object.fromEntries(annotations) },
    spec: {
      containers: containers('containers'),
      initContainers: containers('initContainers'),
      ephemeralContainers: containers('ephemeralContainers'),
      volumes: list('volumes').map(({ name, image }) => ({
        name: textOf(name),
        image: isRecord(image) ? { reference: textOf(image['reference']) } : null,
      })),
    },
  };
}

function recordAt(value: unknown, path: readonly string[]): Record<string, unknown> {
  const found = get(value, path);
  return isRecord(found) ? found : {};
}

function isText(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function imageSplice(root: YAMLMap, path: readonly string[], image: string, file: File): Splice | undefined {
  const field = path.at(-1) ?? '';
  let [node, inFlow]: [Node | undefined, boolean] = [root, false];
  for (const key of path.slice(0, -1)) {
    node = childOf(node, key, file.document);
    if (node === undefined) return undefined;
    inFlow ||= isCollection(node) && node.flow === true;
  }
  const scalar = childOf(node, field, file.document);
  const token = isScalar(scalar) ? scalar.srcToken : undefined;
  if (token !== undefined) {
    const isWritten = token.type === 'block-scalar' || (CST.isScalar(token) && token.source !== '');
    if (!isWritten) return undefined;
    const [offset, end] = [token.offset, token.offset + token.source.length];
    return spliceFor(
      { kind: 'scalar', offset, end, token, tag: undefined, inFlow, entry: undefined },
      image,
      file.text,
    );
  }
  return scalar === undefined && isMap(node) ? newEntry(node, field, image, file.text) : undefined;
}

/** The node under a key: through aliases, and in what a mapping merges, as `<<: *base`. */
function childOf(node: Node | undefined, key: string, document: Document.Parsed): Node | undefined {
  if (isSeq(node)) return resolved(node.items[Number(key)], document);
  if (!isMap(node)) return undefined;
  const pairs: readonly Pair[] = node.items;
  const own = pairs.find((pair) => isScalar(pair.key) && pair.key.value === key);
  if (own !== undefined) return resolved(own.value, document);
  for (const pair of pairs) {
    if (!isScalar(pair.key) || pair.key.source !== '<<') continue;
    const merged = resolved(pair.value, document);
    const sources = isSeq(merged) ? merged.items : [merged];
    for (const source of sources) {
      const found = childOf(resolved(source, document), key, document);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function resolved(node: unknown, document: Document.Parsed): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return isScalar(node) || isCollection(node) ? node : undefined;
}

/** A field in front of the first one of a mapping, which keeps its place. */
function newEntry(map: YAMLMap, field: string, value: string, text: string): Splice | undefined {
  const [first] = map.items;
  const start = isScalar(first?.key) ? first.key.range?.[0] : undefined;
  if (start === undefined) return undefined;
  if (map.flow === true)
    return { start, end: start, text: `${JSON.stringify(field)}: ${JSON.stringify(value)}, ` };
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  return { start, end: start, text: `${field}: ${JSON.stringify(value)}${lineBreak}${' '.repeat(column)}` };
}
