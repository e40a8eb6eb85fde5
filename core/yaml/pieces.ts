import type { CST } from 'yaml';

/** The map entries that enclose a place, innermost first. */
export interface Entry {
  readonly map: CST.BlockMap | CST.FlowCollection;
  readonly index: number;
  readonly parent: Entry | undefined;
}

interface Span {
  readonly offset: number;
  /** Where it ends; of a block scalar, where its header does, since that is where its comment stands. */
  readonly end: number;
}
export interface Comment extends Span {
  readonly kind: 'comment';
  /** With its `#`. */
  readonly source: string;
}
/** A scalar that is a value: of a map entry, an item of a sequence, or a whole document. */
export interface Scalar extends Span {
  readonly kind: 'scalar';
  readonly token: CST.FlowScalar | CST.BlockScalar;
  /** The tag that stands directly before it, `!!int` or such. */
  readonly tag: string | undefined;
  /** Within `[…]` or `{…}`. */
  readonly inFlow: boolean;
  readonly entry: Entry | undefined;
}
export interface Dash extends Span {
  readonly kind: 'dash';
  /** What the item before this one is: comments between the two may belong to a collection there. */
  readonly previous: 'none' | 'block-collection' | 'other';
}
interface Mark extends Span {
  readonly kind: 'key' | 'question' | 'colon' | 'flow-colon' | 'comma' | 'open' | 'close' | 'document';
}
interface Alias extends Span {
  readonly kind: 'alias';
  readonly name: string;
}
interface Property extends Span {
  readonly kind: 'anchor' | 'tag';
  readonly name: string;
}

/** What a YAML file is made of, as far as it matters for what a comment stands beside. Spaces and newlines are left out. */
export type Piece = Comment | Scalar | Dash | Mark | Alias | Property;

/** Lays the tokens of the `yaml` package's parser out flat, in the order of the source. */
export function piecesOf(tokens: Iterable<CST.Token>): Piece[] {
  const flattener = new Flattener();
  for (const token of tokens) flattener.top(token);
  return flattener.pieces;
}

interface Context {
  /** Inside a key nothing is a value. */
  readonly inKey: boolean;
  readonly inFlow: boolean;
  readonly entry: Entry | undefined;
}

const TOP: Context = { inKey: false, inFlow: false, entry: undefined };

const MARKS: Readonly<Record<string, Mark['kind']>> = {
  'explicit-key-ind': 'question',
  'flow-map-start': 'open',
  'flow-seq-start': 'open',
  'flow-map-end': 'close',
  'flow-seq-end': 'close',
  'doc-start': 'document',
  'doc-end': 'document',
  comma: 'comma',
};

class Flattener {
  readonly pieces: Piece[] = [];

  top(token: CST.Token): void {
    if (token.type === 'doc-end') return this.#marks([token, ...(token.end ?? [])], TOP);
    if (token.type !== 'document') return this.#marks([token], TOP);
    if (token.start.every(({ type }) => type !== 'doc-start')) {
      this.pieces.push({ kind: 'document', offset: token.offset, end: token.offset });
    }
    this.#marks(token.start, TOP);
    this.#node(token.value, TOP);
    this.#marks(token.end, TOP);
  }

  #node(token: CST.Token | null | undefined, context: Context): void {
    if (token?.type === 'block-map') {
      token.items.forEach((item, index) => this.#pair(item, within(token, index, context)));
    } else if (token?.type === 'block-seq') {
      token.items.forEach((item, index) => this.#item(item, token.items[index - 1], context));
    } else if (token?.type === 'flow-collection') {
      this.#flowCollection(token, { ...context, inFlow: true });
    } else if (token?.type === 'block-scalar') {
      this.#scalar(token, token.offset + headerOf(token).length, context);
      this.#marks(token.props, context);
    } else if (token !== null && token !== undefined && isFlowScalar(token)) {
      this.#scalar(token, token.offset + token.source.length, context);
      this.#marks(token.end, context);
    }
  }

  #scalar(token: CST.FlowScalar | CST.BlockScalar, end: number, { inKey, inFlow, entry }: Context): void {
    const { offset } = token;
    if (token.type === 'alias') {
      this.pieces.push({ kind: 'alias', offset, end, name: token.source.slice(1) });
    } else if (inKey) {
      this.pieces.push({ kind: 'key', offset, end });
    } else {
      this.pieces.push({ kind: 'scalar', offset, end, token, tag: this.#tagBefore(), inFlow, entry });
    }
  }

  #tagBefore(): string | undefined {
    let property = this.pieces.at(-1);
    if (property?.kind === 'anchor') property = this.pieces.at(-2);
    return property?.kind === 'tag' ? property.name : undefined;
  }

  #pair(item: CST.CollectionItem, context: Context): void {
    this.#marks(item.start, context);
    this.#node(item.key, { ...context, inKey: true });
    this.#marks(item.sep, context);
    this.#node(item.value, context);
  }

  #item(item: CST.CollectionItem, before: CST.CollectionItem | undefined, context: Context): void {
    const type = before?.value?.type;
    const previous = type === 'block-map' || type === 'block-seq' ? 'block-collection' : 'other';
    this.#marks(item.start, context, before === undefined ? 'none' : previous);
    this.#node(item.value, context);
  }

  #flowCollection(token: CST.FlowCollection, context: Context): void {
    this.#marks([token.start], context);
    const isMap = token.start.type === 'flow-map-start';
    token.items.forEach((item, index) => {
      const isPair = isMap || item.sep?.some(({ type }) => type === 'map-value-ind');
      // The parser gives an item of a sequence as a key where it cannot tell yet what will follow.
      if (isPair) return this.#pair(item, isMap ? within(token, index, context) : context);
      this.#marks(item.start, context);
      this.#node(item.value ?? item.key, context);
      this.#marks(item.sep, context);
    });
    this.#marks(token.end, context);
  }

  #marks(
    tokens: readonly CST.Token[] | undefined,
    { inFlow }: Context,
    previous: Dash['previous'] = 'none',
  ): void {
    for (const token of tokens ?? []) {
      if (!('source' in token)) continue;
      const { type, offset, source } = token;
      const end = offset + source.length;
      const mark = MARKS[type];
      if (type === 'comment') this.pieces.push({ kind: type, offset, end, source });
      else if (type === 'seq-item-ind') this.pieces.push({ kind: 'dash', offset, end, previous });
      else if (type === 'map-value-ind')
        this.pieces.push({ kind: inFlow ? 'flow-colon' : 'colon', offset, end });
      else if (type === 'anchor') this.pieces.push({ kind: type, offset, end, name: source.slice(1) });
      else if (type === 'tag') this.pieces.push({ kind: type, offset, end, name: source });
      else if (mark !== undefined) this.pieces.push({ kind: mark, offset, end });
    }
  }
}

/** The first characters of a block scalar, such as `|-2`. */
export function headerOf({ props }: CST.BlockScalar): string {
  const header = props.find(({ type }) => type === 'block-scalar-header');
  return header !== undefined && 'source' in header ? header.source : '';
}

/** Whether the piece is what may stand before a value and belongs to it: its anchor or tag. */
export function isProperty(piece: Piece | undefined): piece is Property {
  return piece?.kind === 'anchor' || piece?.kind === 'tag';
}

const FLOW_SCALARS: ReadonlySet<string> = new Set([
  'scalar',
  'single-quoted-scalar',
  'double-quoted-scalar',
  'alias',
]);

function isFlowScalar(token: CST.Token): token is CST.FlowScalar {
  return FLOW_SCALARS.has(token.type);
}

function within(map: Entry['map'], index: number, { inKey, inFlow, entry }: Context): Context {
  return { inKey, inFlow, entry: { map, index, parent: entry } };
}
