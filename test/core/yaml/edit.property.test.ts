import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { editMarkers } from '../../../core/yaml/edit.ts';
import { lookupOf } from './lookup.ts';

const MARKER = '{"$imagescan": "app:tag"}';

/** A piece of a file; `marked` pieces are scalars that write-back is to change, and hold nothing else. */
interface Part {
  readonly text: string;
  readonly marked?: true;
}
type Parts = readonly Part[];

const fixed = (text: string): Part => ({ text });
const marked = (text: string): Part => ({ text, marked: true });
const textOf = (parts: Parts): string => parts.map(({ text }) => text).join('');

/** Every value says `old`; what else stands in a file does not. */
const OLD = 'old';
const gap = fc.constantFrom(' ', '  ', '\t', ' \t ');
const hash = fc.constantFrom('# ', '#', '## ', '#   ');
const markerComment = fc
  .tuple(gap, hash, fc.constantFrom('', ' '))
  .map(([before, sign, after]) => `${before}${sign}${MARKER}${after}`);
const remark = fc.constantFrom('', ' # note', '\t# é 🎉 "quoted"', ' # see {"$imagescan": "app"}', ' #');
const property = fc.constantFrom('', '', '', '!!str ', '!foo ');
const flowStyle = fc.constantFrom(OLD, `"${OLD}"`, `'${OLD}'`, '"o\\u006cd"', '"o\\\n        ld"');
const pad = (indent: number): string => ' '.repeat(indent);

/** One line of a scalar, marked or not, in any style. */
function flowScalar(): fc.Arbitrary<Parts> {
  return fc
    .tuple(property, flowStyle, fc.boolean(), markerComment, remark)
    .map(([before, text, isMarked, marker, note]) =>
      isMarked ? [fixed(before), marked(text), fixed(`${marker}\n`)] : [fixed(`${before}${text}${note}\n`)],
    );
}

function blockScalar(indent: number): fc.Arbitrary<Parts> {
  return fc
    .tuple(
      fc.constantFrom('|', '>', '|-', '>-', '|+', '>+', '|2-'),
      fc.boolean(),
      markerComment,
      fc.constantFrom('', '\n'),
    )
    .map(([header, isMarked, marker, tail]) => [
      fixed(`${header}${isMarked ? marker : ' # note'}\n`),
      isMarked ? marked(`${pad(indent)}${OLD}`) : fixed(`${pad(indent)}${OLD}`),
      fixed(`\n${tail}`),
    ]);
}

function flowCollection(): fc.Arbitrary<Parts> {
  const item = fc.tuple(flowStyle, fc.boolean(), markerComment, fc.constantFrom('', 'k: '), fc.boolean());
  return fc
    .array(item, { minLength: 1, maxLength: 3 })
    .map((items) => [
      fixed('['),
      ...items.flatMap(([text, isMarked, marker, key, commaFirst]) => [
        fixed(`\n        ${key}`),
        isMarked ? marked(text) : fixed(text),
        fixed(commaFirst ? `,${isMarked ? marker : ''}` : `${isMarked ? marker : ''}\n        ,`),
      ]),
      fixed('\n        ]\n'),
    ]);
}

/** Items with a marker on the line above. */
function headed(indent: number): fc.Arbitrary<Parts> {
  return fc
    .array(fc.tuple(flowStyle, fc.nat(indent), fc.boolean()), { minLength: 1, maxLength: 3 })
    .map((items) => [
      fixed('\n'),
      ...items.flatMap(([text, column, isMarked]) => [
        fixed(`${isMarked ? `${pad(column)}# ${MARKER}\n` : ''}${pad(indent)}- `),
        isMarked ? marked(text) : fixed(text),
        fixed('\n'),
      ]),
    ]);
}

function value(indent: number, depth: number): fc.Arbitrary<Parts> {
  const inline = fc.oneof(flowScalar(), flowScalar(), blockScalar(indent), flowCollection());
  const spaced = fc
    .tuple(fc.constantFrom(' ', '   '), inline)
    .map(([space, parts]) => [fixed(space), ...parts]);
  const below = flowScalar().map((parts) => [fixed(`\n${pad(indent)}`), ...parts]);
  if (depth === 0) return fc.oneof(spaced, below, headed(indent));
  return fc.oneof(spaced, below, headed(indent), mapping(indent, depth - 1), sequence(indent, depth - 1));
}

function mapping(indent: number, depth: number): fc.Arbitrary<Parts> {
  const line = fc.constantFrom('', '', '\n', `${pad(indent)}# note\n`);
  const entry = fc.tuple(line, value(indent + 2, depth));
  return fc
    .array(entry, { minLength: 1, maxLength: 3 })
    .map((entries) => [
      fixed('\n'),
      ...entries.flatMap(([before, parts], index) => [fixed(`${before}${pad(indent)}k${index}:`), ...parts]),
    ]);
}

function sequence(indent: number, depth: number): fc.Arbitrary<Parts> {
  return fc
    .array(value(indent + 2, depth), { minLength: 1, maxLength: 3 })
    .map((items) => [fixed('\n'), ...items.flatMap((parts) => [fixed(`${pad(indent)}-`), ...parts])]);
}

const file: fc.Arbitrary<Parts> = fc
  .record({
    documents: fc.array(mapping(0, 2), { minLength: 1, maxLength: 3 }),
    bom: fc.boolean(),
    crlf: fc.boolean(),
    opened: fc.constantFrom('', '# licence\n---\n', '---'),
    closed: fc.constantFrom('', '...\n', '# end', '\n\n'),
  })
  .map(({ documents, bom, crlf, opened, closed }) => {
    const parts = [
      fixed(opened),
      ...documents.flatMap((document, index) => [fixed(index === 0 ? '' : '---'), ...document]),
      fixed(closed),
    ];
    const lines = parts.map((part) => (crlf ? { ...part, text: part.text.replaceAll('\n', '\r\n') } : part));
    return bom ? [fixed('\uFEFF'), ...lines] : lines;
  });

const TAGS = fc.constantFrom(
  '1.2.3',
  '20240101',
  '0755',
  'yes',
  '1e3',
  '2024-01-01',
  'v1.0.0-rc.1_x',
  '-',
  'null',
);

describe('editMarkers, whatever the file', () => {
  it('changes the bytes of marked scalars only', () => {
    fc.assert(
      fc.property(file, TAGS, (parts, tag) => {
        const { text } = editMarkers(textOf(parts), lookupOf(tag));
        let at = 0;
        for (const part of parts) {
          const end = part.marked ? endOf(text, at, tag) : at + part.text.length;
          if (!part.marked) assert.equal(text.slice(at, end), part.text);
          at = end;
        }
        assert.equal(at, text.length);
      }),
      { numRuns: 500 },
    );
  });

  it('makes exactly the marked values say what they should', () => {
    fc.assert(
      fc.property(file, TAGS, (parts, tag) => {
        const before = textOf(parts);
        const result = editMarkers(before, lookupOf(tag));
        const wanted = parts.map((part) =>
          part.marked ? marked(part.text.replace(/\S[^]*/, '"NEW"')) : part,
        );
        assert.equal(result.edits.length, parts.filter((part) => part.marked).length);
        assert.deepEqual(
          dataOf(result.text),
          dataOf(textOf(wanted)).map((data) => renamed(data, tag)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('has nothing to do the second time', () => {
    fc.assert(
      fc.property(file, TAGS, (parts, tag) => {
        const first = editMarkers(textOf(parts), lookupOf(tag));
        const second = editMarkers(first.text, lookupOf(tag));
        assert.deepEqual([second.text, second.edits.length], [first.text, 0]);
        assert.equal(second.current, first.edits.length);
      }),
    );
  });

  it('keeps to its word in what is hardly YAML, too', () => {
    const scrap = fc.constantFrom(
      'a',
      ':',
      ' ',
      '  ',
      '\n',
      '\n\n',
      '- ',
      '? ',
      '#',
      `# ${MARKER}`,
      ` # ${MARKER}\n`,
      '{',
      '}',
      '[',
      ']',
      ',',
      '|',
      '>-',
      '"',
      "'",
      '&x',
      '*x',
      '!!str ',
      '---\n',
      '...\n',
      '\t',
      '\r\n',
      'é',
      '%',
      '\uFEFF',
      '~',
      'metadata:',
    );
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 40 }), (scraps) => {
        const text = scraps.join('');
        const first = editMarkers(text, lookupOf());
        const second = editMarkers(first.text, lookupOf());
        if (first.edits.length === 0) assert.equal(first.text, text);
        assert.deepEqual([second.text, second.edits.length], [first.text, 0]);
        assert.equal(second.current, first.edits.length + first.current);
        assert.equal(first.text.split('#').length, text.split('#').length);
      }),
      { numRuns: 3000 },
    );
  });
});

/** Where a scalar that begins at `at` and says `tag` ends, whatever its quotes and the spaces before it. */
function endOf(text: string, at: number, tag: string): number {
  const [all = ''] = /^\s*(?:"[^"]*"|'[^']*'|[^\s,]*)/.exec(text.slice(at)) ?? [];
  assert.equal(all.trim().replaceAll(/^["']|["']$/g, ''), tag);
  return at + all.length;
}

function dataOf(text: string): unknown[] {
  const documents = parseAllDocuments(text);
  assert.ok(Array.isArray(documents));
  for (const document of documents) assert.deepEqual(document.errors, []);
  return documents.map((document) => document.toJS() as unknown);
}

function renamed(data: unknown, tag: string): unknown {
  return JSON.parse(JSON.stringify(data).replaceAll(/"(?:\\")?NEW(?:\\")?((?:\\n)*)"/g, `"${tag}$1"`));
}
