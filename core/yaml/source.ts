import { Composer, type Document, isMap, isScalar, isSeq, type Node, Parser, type YAMLMap } from 'yaml';
import { CodedError, messageOf } from '../errors.ts';
import { oneLine } from '../one-line.ts';
import { Lines } from './lines.ts';
import { type Piece, piecesOf } from './pieces.ts';
import { plainPieces } from './plain.ts';
import { maskActions } from './template.ts';
import { readsAsNull } from './typed.ts';

/**
 * Why a whole file is left alone, as Fleet leaves it: it is no YAML, has a `%` directive, holds a document that is no
 * mapping, or one whose metadata is of no shape that Kubernetes knows.
 */
export type SourceErrorCode = 'NotYaml' | 'Directive' | 'NotMapping' | 'OddMetadata' | 'TooLarge';

/** Thrown by {@link readSource}. */
export class SourceError extends CodedError<SourceErrorCode> {
  /** Counted from 1. */
  readonly line: number | undefined;

  constructor(code: SourceErrorCode, message: string, line?: number) {
    super(code, message);
    this.line = line;
  }
}

/** A YAML file, taken apart. */
export interface Source {
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** Whether it is YAML only once its template actions are taken out: then branches may repeat a key. */
  readonly isTemplate: boolean;
  /** Whether a range of the text holds a template action, or a part of one. */
  hasAction(start: number, end: number): boolean;
  /** The line that an offset is on, counted from 1. */
  lineAt(offset: number): number;
  /** How far from the start of its line an offset is, counted from 1. */
  columnAt(offset: number): number;
}

// A file takes up to a hundred times its size in memory, and a second per MiB, while it is read.
const MAX_LENGTH = 4 * 1024 * 1024;

/**
 * Takes a YAML file of one or more Kubernetes objects, Helm values or such apart. A Helm template, which Fleet leaves alone,
 * is read as what it is without its actions.
 *
 * @throws {SourceError} where Fleet's parser would refuse the file, too, and of a template that is no YAML without its actions
 */
export function readSource(text: string): Source {
  if (text.length > MAX_LENGTH) {
    throw new SourceError('TooLarge', `the file is larger than ${MAX_LENGTH / 1024 / 1024} MiB; split it`);
  }
  const lines = new Lines(text);
  const lineAt = (offset: number): number => lines.lineAt(offset);
  checkCharacters(text, lineAt);
  const { pieces, shown } = readPlainOrMasked(text, lineAt);
  // Once: to compare two long texts takes as long as to read them.
  const isTemplate = shown !== text;
  return {
    text,
    pieces,
    isTemplate,
    hasAction: (start, end) => {
      const part = text.slice(start, end);
      return part.includes('{{') || (isTemplate && part !== shown.slice(start, end));
    },
    lineAt,
    columnAt: (offset) => lines.columnAt(offset),
  };
}

type LineAt = Source['lineAt'];

function readPlainOrMasked(text: string, lineAt: LineAt): { pieces: Piece[]; shown: string } {
  const plain = plainPieces(text);
  if (plain !== undefined) return { pieces: plain, shown: text };
  try {
    const pieces = readPieces(text, lineAt, checkDocument);
    checkAliases(pieces, lineAt);
    return { pieces, shown: text };
  } catch (error) {
    const masked = error instanceof SourceError && error.code === 'NotYaml' ? maskActions(text) : undefined;
    if (masked === undefined) throw error;
    return { pieces: readMasked(masked, lineAt), shown: masked };
  }
}

function readMasked(masked: string, lineAt: LineAt): Piece[] {
  try {
    return readPieces(masked, lineAt, checkTemplate);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new SourceError(error.code, `without its {{ }}, too, ${error.message}`, error.line);
  }
}

const FORBIDDEN = /[^\P{Cc}\t\n\r\x85]/u;

/** As go-yaml: https://yaml.org/spec/1.2.2/#51-character-set */
function checkCharacters(text: string, lineAt: LineAt): void {
  const at = text.search(FORBIDDEN);
  if (at >= 0)
    throw new SourceError('NotYaml', 'the file holds a control character, which no YAML may', lineAt(at));
}

function readPieces(
  text: string,
  lineAt: LineAt,
  check: (document: Document.Parsed, lineAt: LineAt) => void,
): Piece[] {
  try {
    const tokens = [...new Parser().parse(text)];
    const directive = tokens.find(({ type }) => type === 'directive');
    if (directive !== undefined) throw directiveError(lineAt(directive.offset));
    // The keys are checked where it matters; every scalar may be a string, since none is used here.
    const composer = new Composer({ uniqueKeys: false, schema: 'failsafe' });
    for (const document of composer.compose(tokens, true, text.length)) check(document, lineAt);
    return piecesOf(tokens);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    // A file that is nested too deeply for the stack, for one.
    throw new SourceError('NotYaml', `the file does not parse: ${oneLine(messageOf(error))}`);
  }
}

const WIDE_BLANK_LINE = /^Block scalars with more-indented leading empty lines/;

/** A block scalar may begin with the blank line that an action left, as wide as the action was: that is no error of the file. */
function checkTemplate({ errors }: Document.Parsed, lineAt: LineAt): void {
  checkErrors({ errors: errors.filter(({ message }) => !WIDE_BLANK_LINE.test(message)) }, lineAt);
}

function checkErrors({ errors }: Pick<Document.Parsed, 'errors'>, lineAt: LineAt): void {
  const [error] = errors;
  if (error === undefined) return;
  throw new SourceError(
    'NotYaml',
    `the file does not parse: ${oneLine(error.message)}`,
    lineAt(error.pos[0]),
  );
}

function checkDocument(document: Document.Parsed, lineAt: LineAt): void {
  checkErrors(document, lineAt);
  const { contents } = document;
  if (isNull(contents)) return;
  if (!isMap(contents)) {
    throw new SourceError(
      'NotMapping',
      'a document of the file is no mapping',
      lineAt(contents?.range[0] ?? 0),
    );
  }
  const metadata = valueOf(contents, 'metadata');
  if (isNull(metadata)) return;
  const annotations = isMap(metadata) ? valueOf(metadata, 'annotations') : undefined;
  if (!isMap(metadata) || (isSeq(annotations) && annotations.items.length > 0)) {
    const line = lineAt(metadata?.range?.[0] ?? contents.range[0]);
    throw new SourceError('OddMetadata', 'metadata or its annotations are no mapping', line);
  }
}

function valueOf(map: YAMLMap, name: string): Node | null {
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === name);
  return (pair?.value ?? null) as Node | null;
}

function isNull(node: Node | null): boolean {
  return (
    node === null ||
    (isScalar(node) &&
      node.type === 'PLAIN' &&
      node.tag === undefined &&
      typeof node.value === 'string' &&
      readsAsNull(node.value))
  );
}

function checkAliases(pieces: readonly Piece[], lineAt: LineAt): void {
  const anchors = new Set<string>();
  for (const piece of pieces) {
    if (piece.kind === 'document') anchors.clear();
    if (piece.kind === 'anchor') anchors.add(piece.name);
    if (piece.kind === 'alias' && !anchors.has(piece.name)) {
      throw new SourceError(
        'NotYaml',
        `the file has no anchor for the alias *${oneLine(piece.name)}`,
        lineAt(piece.offset),
      );
    }
  }
}

function directiveError(line: number): SourceError {
  return new SourceError(
    'Directive',
    'files with a % directive are left alone, as Fleet does; take it out',
    line,
  );
}
