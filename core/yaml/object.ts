import { CST } from 'yaml';
import type { Entry } from './pieces.ts';
import type { Source } from './source.ts';

/** Which object of a file: an item of a `kind: List` is its own. */
export interface ObjectName {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The Kubernetes object that an entry of a mapping is in; undefined where there is none, or a template names it. */
export function objectOf(source: Source, entry: Entry | undefined): ObjectName | undefined {
  const map = entry && objectMap(entry);
  if (map === undefined) return undefined;
  if (!knownNames.has(map)) knownNames.set(map, nameOf(source, map));
  return knownNames.get(map);
}

/** Looked up once, since many markers may stand in one large object. */
const knownNames = new WeakMap<Entry['map'], ObjectName | undefined>();

function objectMap(entry: Entry): Entry['map'] {
  let [root, item]: [Entry, Entry | undefined] = [entry, undefined];
  while (root.parent !== undefined) [root, item] = [root.parent, root];
  return item !== undefined && keyAt(root) === 'items' ? item.map : root.map;
}

function nameOf(source: Source, map: Entry['map']): ObjectName | undefined {
  const metadata = valueIn(map, 'metadata');
  const [kind, name] = [textOf(source, valueIn(map, 'kind')), textOf(source, valueIn(metadata, 'name'))];
  if (kind === undefined || name === undefined) return undefined;
  const namespace = textOf(source, valueIn(metadata, 'namespace'));
  return { kind, name, ...(namespace !== undefined && { namespace }) };
}

function keyAt({ map, index }: Entry): string | undefined {
  const key = map.items[index]?.key;
  return CST.resolveAsScalar(key ?? null)?.value;
}

function valueIn(map: CST.Token | null | undefined, key: string): CST.Token | null | undefined {
  if (map?.type !== 'block-map' && map?.type !== 'flow-collection') return undefined;
  const found = map.items.find((item) => item.key && CST.resolveAsScalar(item.key)?.value === key);
  return found?.value;
}

function textOf(source: Source, token: CST.Token | null | undefined): string | undefined {
  if (token === null || token === undefined || !('source' in token)) return undefined;
  if (source.hasAction(token.offset, token.offset + token.source.length)) return undefined;
  return CST.resolveAsScalar(token)?.value;
}
