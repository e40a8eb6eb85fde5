import type { CST } from 'yaml';
import type { Dash, Entry, Piece } from './pieces.ts';

/**
 * Reads a file that is written in the small part of YAML that most manifests are: nested mappings and lists of words and
 * quoted texts, each on a line of its own. There every line tells by itself what it is, and no parser is needed, which
 * takes ten times as long.
 *
 * @returns what {@link import('./pieces.ts').piecesOf} gives of the file; undefined when it holds anything else, if only
 *   one character of it, or what Fleet would not take for a Kubernetes object
 */
export function plainPieces(text: string): Piece[] | undefined {
  const reader = new PlainReader(text);
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    if (!reader.line(at, end)) return undefined;
    at = end + 1;
  }
  return reader.pieces;
}

interface Level {
  readonly indent: number;
  /** Of a mapping; a list has none. */
  readonly map?: CST.BlockMap;
  /** The entry that the mapping or list is the value of. */
  readonly parent: Entry | undefined;
  /** Whether the last key, or dash, still waits for its value. */
  isOpen: boolean;
  previous: Dash['previous'];
}

const KEY = /[A-Za-z_][\w./-]*(?=:(?:[ \n]|$))/y;
const QUOTED = /"[ !#-[\]-z|~]*"|'[ -&(-z|~]*'/y;
const WORD =
  /(?:[\w./$(]|--?(?=\w))(?:[\w./@+=,;()?&*~^$%!<>|-]|:(?=[\w/.$(])| +(?=[\w./@+=,;()?&*~^$%!<>|-]))*/y;
const FLOW_WORD = /[\w./$]+/y;
const COMMENT = /#[^\p{Cc}\u{2028}\u{2029}\u{FEFF}]*/uy;

class PlainReader {
  readonly pieces: Piece[] = [];
  readonly #text: string;
  /** Innermost last. */
  #levels: Level[] = [];
  /** Whether the document has begun, by `---` or by its content. */
  #isBegun = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads the line between two offsets. @returns whether it is plain */
  line(start: number, end: number): boolean {
    const first = this.#skipSpaces(start);
    let at = first;
    if (at === start && this.#text.startsWith('---', at)) return this.#document(at, end);
    if (at === end || this.#text[at] === '#') return this.#rest(at, end);
    for (; this.#text[at] === '-' && this.#text[at + 1] === ' '; at = this.#skipSpaces(at + 1)) {
      if (!this.#dash(at, at - start)) return false;
    }
    const key = this.#match(KEY, at);
    if (key === undefined) return at > first && this.#value(at, end);
    if (!this.#key(key, at, at - start)) return false;
    at = this.#skipSpaces(at + key.length + 1);
    return at === end || this.#text[at] === '#' ? this.#rest(at, end) : this.#value(at, end);
  }

  #document(at: number, end: number): boolean {
    this.#levels = [];
    this.#isBegun = true;
    this.pieces.push({ kind: 'document', offset: at, end: at + 3 });
    return this.#rest(at + 3, end);
  }

  #dash(at: number, indent: number): boolean {
    const above = this.#closed(indent);
    const isItem = above !== undefined && above.map === undefined && above.indent === indent;
    const level = isItem ? above : this.#opened(above, indent, undefined);
    if (level === undefined) return false;
    this.pieces.push({ kind: 'dash', offset: at, end: at + 1, previous: level.previous });
    level.isOpen = true;
    level.previous = 'other';
    return true;
  }

  #key(key: string, at: number, indent: number): boolean {
    let above = this.#closed(indent);
    if (above?.map === undefined && above?.indent === indent && !above.isOpen) {
      this.#levels.pop();
      above = this.#levels.at(-1);
    }
    const isNext = above?.map !== undefined && above.indent === indent;
    const level = isNext
      ? above
      : this.#opened(above, indent, { type: 'block-map', offset: at, indent, items: [] });
    if (level?.map === undefined) return false;
    if (!this.#isBegun) this.pieces.push({ kind: 'document', offset: at, end: at });
    this.#isBegun = true;
    const token = { type: 'scalar', offset: at, indent, source: key } as const;
    level.map.items.push({ start: [], key: token, sep: [] });
    level.isOpen = true;
    const end = at + key.length;
    this.pieces.push({ kind: 'key', offset: at, end }, { kind: 'colon', offset: end, end: end + 1 });
    return true;
  }

  /** Ends the levels that are deeper than a line. @returns the innermost that is left */
  #closed(indent: number): Level | undefined {
    while ((this.#levels.at(-1)?.indent ?? -1) > indent) this.#levels.pop();
    return this.#levels.at(-1);
  }

  /** Begins a mapping or a list as the value of what waits for one. A list may stand below its key without indentation. */
  #opened(above: Level | undefined, indent: number, map: CST.BlockMap | undefined): Level | undefined {
    const isRoot = above === undefined && map !== undefined && indent === 0;
    const isDeeper =
      above?.isOpen === true && (indent > above.indent || (above.map !== undefined && map === undefined));
    if (!isRoot && !isDeeper) return undefined;
    const parent = above && entryOf(above);
    if (map === undefined && keyOf(parent) === 'annotations') return undefined;
    if (above !== undefined) Object.assign(above, { isOpen: false, previous: 'block-collection' });
    const item = parent?.map.items[parent.index];
    if (above?.map !== undefined && map !== undefined && item !== undefined) item.value = map;
    const level: Level = { indent, parent, isOpen: false, previous: 'none', ...(map && { map }) };
    this.#levels.push(level);
    return level;
  }

  #value(start: number, end: number): boolean {
    const level = this.#levels.at(-1);
    if (level?.isOpen !== true) return false;
    const entry = entryOf(level);
    level.isOpen = false;
    if (keyOf(entry) === 'metadata' && level.map !== undefined) return false;
    if (this.#text[start] === '[') return keyOf(entry) !== 'annotations' && this.#flowList(start, end, entry);
    const quoted = this.#match(QUOTED, start);
    const source = quoted ?? this.#match(WORD, start);
    if (source === undefined) return false;
    const token = this.#scalar(source, start, level.indent, entry, false);
    const item = level.map?.items.at(-1);
    if (item !== undefined) item.value = token;
    return this.#rest(start + source.length, end);
  }

  #flowList(start: number, end: number, entry: Entry | undefined): boolean {
    this.pieces.push({ kind: 'open', offset: start, end: start + 1 });
    let at = this.#skipSpaces(start + 1);
    while (this.#text[at] !== ']') {
      const source = this.#match(QUOTED, at) ?? this.#match(FLOW_WORD, at);
      if (source === undefined) return false;
      this.#scalar(source, at, 0, entry, true);
      at = this.#skipSpaces(at + source.length);
      if (this.#text[at] === ']') break;
      if (this.#text[at] !== ',') return false;
      this.pieces.push({ kind: 'comma', offset: at, end: at + 1 });
      at = this.#skipSpaces(at + 1);
    }
    this.pieces.push({ kind: 'close', offset: at, end: at + 1 });
    return this.#rest(at + 1, end);
  }

  #scalar(
    source: string,
    offset: number,
    indent: number,
    entry: Entry | undefined,
    inFlow: boolean,
  ): CST.FlowScalar {
    const type =
      source[0] === '"' ? 'double-quoted-scalar' : source[0] === "'" ? 'single-quoted-scalar' : 'scalar';
    const token: CST.FlowScalar = { type, offset, indent, source };
    this.pieces.push({
      kind: 'scalar',
      offset,
      end: offset + source.length,
      token,
      tag: undefined,
      inFlow,
      entry,
    });
    return token;
  }

  /** What follows all else on a line: nothing, or a comment behind a blank. */
  #rest(start: number, end: number): boolean {
    const at = this.#skipSpaces(start);
    if (at === end) return true;
    const source = this.#match(COMMENT, at);
    const isBehindBlank = at === 0 || ' \n'.includes(this.#text.charAt(at - 1));
    if (source === undefined || !isBehindBlank || at + source.length !== end) return false;
    this.pieces.push({ kind: 'comment', offset: at, end, source });
    return true;
  }

  #skipSpaces(start: number): number {
    let at = start;
    while (this.#text[at] === ' ') at += 1;
    return at;
  }

  #match(pattern: RegExp, at: number): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.#text)?.[0];
  }
}

/** The entry whose value comes next: the last of a mapping, or the one that a list is in. */
function entryOf({ map, parent }: Level): Entry | undefined {
  return map === undefined ? parent : { map, index: map.items.length - 1, parent };
}

function keyOf(entry: Entry | undefined): string | undefined {
  const key = entry?.map.items[entry.index]?.key;
  return key?.type === 'scalar' ? key.source : undefined;
}
