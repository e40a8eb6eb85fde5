import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { editMarkers } from '../../../core/yaml/edit.ts';
import { lookupOf } from './lookup.ts';

const MARKER = '{"$imagescan": "app:tag"}';
const OLD = 'old';

/** A piece of a template: `marked` ones are scalars that write-back is to change; `refused` ones end with a marker whose value is made by the template. */
interface Part {
  readonly text: string;
  readonly is: 'fixed' | 'marked' | 'refused';
}
type Parts = readonly Part[];

const fixed = (text: string): Part => ({ text, is: 'fixed' });
const marked = (text: string): Part => ({ text, is: 'marked' });
const refused = (text: string): Part => ({ text, is: 'refused' });
const textOf = (parts: Parts): string => parts.map(({ text }) => text).join('');
const pad = (indent: number): string => ' '.repeat(indent);

const output = fc.constantFrom(
  '{{ .Values.x }}',
  '{{.Values.x}}',
  '{{- .Values.x | quote -}}',
  '{{ include "x.name" . }}',
  '{{ printf "%s: {{ }} # %s" "a" `}}` }}',
  "{{ eq .x '}' }}",
  '{{ .x }}:{{ .y }}',
  '{{ index .Values "a\\"}}b" }}',
);
const opening = fc.constantFrom(
  '{{- if .Values.x }}',
  '{{ if and .a (not .b) -}}',
  '{{- range $k, $v := .Values.x }}',
  '{{- with .Values.x -}}',
  '{{- define "}}" -}}',
);
const comment = fc.constantFrom(
  '{{/* one line */}}\n',
  '{{- /*\n  several: lines # {"$imagescan": "app"}\n"}}" \' ` */ -}}\n',
  `{{/* k: ${OLD} # ${MARKER} */}}\n`,
);
const scalar = fc.constantFrom(OLD, `"${OLD}"`, `'${OLD}'`);
const tail = fc.constantFrom(` # ${MARKER}`, `  #${MARKER} `, `\t## ${MARKER}`);

function markedValue(): fc.Arbitrary<Parts> {
  return fc.tuple(scalar, tail).map(([text, end]) => [fixed(' '), marked(text), fixed(`${end}\n`)]);
}

function refusedValue(): fc.Arbitrary<Parts> {
  const shape = fc.constantFrom('A', 'vA', 'A-x', '"A"', "'v A'", 'repo:A', '"a {{ .b }} A"');
  return fc
    .tuple(shape, output, tail)
    .map(([text, action, end]) => [refused(` ${text.replace('A', () => action)}${end}\n`)]);
}

function unmarkedValue(): fc.Arbitrary<Parts> {
  const value = fc.oneof(output, fc.constantFrom('x', '"{{ y }}"', '[a, {{ .b }}]', '{{ .z }} # {{ note }}'));
  return value.map((text) => [fixed(` ${text}\n`)]);
}

/** A mapping whose first lines an action makes. */
function includedAbove(indent: number, depth: number): fc.Arbitrary<Parts> {
  const action = fc.constantFrom('{{- include "labels" . | nindent 8 }}', '{{ toYaml .x | nindent 8 }}');
  return fc
    .tuple(action, mapping(indent, depth))
    .map(([text, [, ...entries]]) => [fixed(` ${text}\n`), ...entries]);
}

function blockText(indent: number): fc.Arbitrary<Parts> {
  return fc
    .tuple(opening, output)
    .map(([open, action]) => [
      fixed(` |\n${pad(indent)}a\n${open}\n${pad(indent)}${action} b: c\n{{- end }}\n`),
    ]);
}

function value(indent: number, depth: number): fc.Arbitrary<Parts> {
  const leaves = [markedValue(), markedValue(), refusedValue(), unmarkedValue(), blockText(indent)];
  if (depth === 0) return fc.oneof(...leaves);
  return fc.oneof(
    ...leaves,
    mapping(indent, depth - 1),
    sequence(indent, depth - 1),
    includedAbove(indent, depth - 1),
  );
}

/** Lines between and around entries: none, blank, a comment, an include, or a block that opens and ends. */
function wrapped(indent: number, entry: fc.Arbitrary<Parts>): fc.Arbitrary<Parts> {
  return fc.oneof(
    entry,
    fc.tuple(comment, entry).map(([text, parts]) => [fixed(text), ...parts]),
    fc
      .tuple(fc.constantFrom('{{- include "x" . | nindent 4 }}', '{{ template "y" . }}'), entry)
      .map(([text, parts]) => [fixed(`${pad(indent)}${text}\n`), ...parts]),
    fc
      .tuple(opening, entry, fc.constantFrom('', pad(indent)))
      .map(([open, parts, space]) => [
        fixed(`${space}${open}\n`),
        ...parts,
        fixed(`${space}{{- else }}\n`),
        ...parts,
        fixed(`${space}{{- end }}\n`),
      ]),
  );
}

function mapping(indent: number, depth: number): fc.Arbitrary<Parts> {
  const key = fc.constantFrom('k', 'image', '"q"', '{{ .key }}', 'x-{{ .key }}');
  const entry = fc
    .tuple(key, value(indent + 2, depth))
    .map(([name, parts]): Parts => [fixed(`${pad(indent)}${name}:`), ...parts]);
  return fc
    .array(wrapped(indent, entry), { minLength: 1, maxLength: 3 })
    .map((entries) => [fixed('\n'), ...entries.flat()]);
}

function sequence(indent: number, depth: number): fc.Arbitrary<Parts> {
  const item = value(indent + 2, depth).map((parts): Parts => [fixed(`${pad(indent)}-`), ...parts]);
  return fc
    .array(wrapped(indent, item), { minLength: 1, maxLength: 3 })
    .map((items) => [fixed('\n'), ...items.flat()]);
}

const template: fc.Arbitrary<Parts> = fc
  .record({ body: mapping(0, 2), crlf: fc.boolean(), bom: fc.boolean(), documents: fc.boolean() })
  .map(({ body, crlf, bom, documents }) => {
    const parts = [fixed(bom ? '\uFEFF' : ''), fixed('{{- if .enabled }}'), ...body, fixed('{{- end }}\n')];
    const all = documents ? [...parts, fixed('---'), ...body] : parts;
    return crlf ? all.map(({ text, is }) => ({ is, text: text.replaceAll('\n', '\r\n') })) : all;
  });

describe('editMarkers, whatever the Helm template', () => {
  it('changes the bytes of the marked scalars only, and names each marker whose value the template makes', () => {
    fc.assert(
      fc.property(template, (parts) => {
        const before = textOf(parts);
        const { text, edits, leftAlone } = editMarkers(before, lookupOf());
        const wanted = parts.map((part) =>
          part.is === 'marked' ? marked(part.text.replace(OLD, '1.2.3')) : part,
        );
        assert.equal(text, textOf(wanted));
        assert.equal(edits.length, parts.filter(({ is }) => is === 'marked').length);
        assert.deepEqual(
          leftAlone.map(({ reason }) => reason),
          parts.flatMap(({ is }) => (is === 'refused' ? ['TemplateValue'] : [])),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('has nothing to do the second time', () => {
    fc.assert(
      fc.property(template, (parts) => {
        const first = editMarkers(textOf(parts), lookupOf());
        const second = editMarkers(first.text, lookupOf());
        assert.deepEqual([second.text, second.edits.length], [first.text, 0]);
        assert.equal(second.current, first.edits.length);
      }),
    );
  });

  it('leaves every action as it is in what is hardly a template, too', () => {
    const scraps = [
      '{{ .x }}',
      '{{- .x }}',
      '{{ .x -}}',
      '{{- if .x }}',
      '{{ end }}',
      '{{',
      '}}',
      '{{/*',
      '*/}}',
    ];
    const around = ['a:', ' ', '\n', '\n  ', '- ', 'old', '"', "'", '`', '# x', '|', '{', '}', ',', '---\n'];
    const scrap = fc.constantFrom(...scraps, ...around, ` # ${MARKER}\n`, 'a: old', '# é\n', '\r\n', '&x ');
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 30 }), (all) => {
        const text = all.join('');
        const first = editMarkers(text, lookupOf());
        const { edits, current, leftAlone, markers } = first;
        assert.equal(edits.length + current + leftAlone.length, markers);
        const actions = (of: string): string[] =>
          of.match(/\{\{-? \.x -?\}\}|\{\{-? \w+(?: \.x)? \}\}/g) ?? [];
        assert.deepEqual(actions(first.text), actions(text));
        const second = editMarkers(first.text, lookupOf());
        assert.deepEqual([second.text, second.edits.length], [first.text, 0]);
      }),
      { numRuns: 3000 },
    );
  });
});
