import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { editMarkers, type LeftAlone } from '../../../core/yaml/edit.ts';
import { DIGEST, lookupOf } from './lookup.ts';

const MARKER = '{"$imagescan": "app:tag"}';
/** `@` stands for a marker that asks for the tag, `§` for one that asks for the image. */
const written = (text: string): string =>
  text.replaceAll('@', MARKER).replaceAll('§', '{"$imagescan": "app"}');
const name = (text: string): string => JSON.stringify(text);

/** Fails unless `before` becomes `after`, in which nothing is left to do. */
function becomes(before: string, after: string, resolve = lookupOf()): void {
  const result = editMarkers(written(before), resolve);
  assert.equal(result.text, written(after));
  assert.deepEqual(result.leftAlone, []);
  const again = editMarkers(result.text, resolve);
  assert.equal(again.text, result.text);
  assert.deepEqual({ edits: again.edits, current: again.current }, { edits: [], current: result.markers });
}

/** The lines and reasons of what is left alone in a file that stays as it is. */
function leftIn(text: string, resolve = lookupOf()): string[] {
  const result = editMarkers(written(text), resolve);
  assert.equal(result.text, written(text));
  assert.deepEqual(result.edits, []);
  return result.leftAlone.map(({ line, reason }) => `${line} ${reason}`);
}

// What stands in this list was run through Fleet's engine (kyaml v0.21.1): it changes the same scalars.
describe('a marker stands by the value on its line or alone above it', () => {
  const places = [
    'a: old # @\n',
    'a: old #@\n',
    'a: old ##  @\n',
    'a: old # {"$imagescan": "app:tag", "x": "y"}\n',
    'a:\n  # @\n  old\n',
    'a:\n# @\n  old\n',
    'a: # x\n  # @\n  old\n',
    'a:\n\n  # @\n\n  old\n',
    'a:\n  old # @\n',
    'a: &x # @\n  old\n',
    'a: &x\n  # @\n  old\n',
    'a:\n  # @\n  &x !!str\n  old\n',
    'a:\n# @\n- old\n- b\n',
    'a:\n# @\n\n- old\n',
    'a: # x\n# @\n- old\n',
    'a:\n  - b\n  # @\n  - old\n',
    'a:\n  - b\n# @\n  - old\n',
    'a:\n  - b\n        # @\n  - old\n',
    'a:\n  - b # x\n  # @\n  - old\n',
    'a:\n  - b\n  # x\n\n  # @\n  - old\n',
    'a:\n  - b: c\n  # @\n  - old\n',
    'a:\n- [b, c]\n  # @\n- old\n',
    'a:\n- b: |\n    c\n# @\n- old\n',
    'a:\n- # @\n  old\n',
    'a:\n- b\n-\n\n  # @\n  old\n',
    'a:\n- - c\n  # @\n  - old\n',
    'a:\n- # @\n  - old\n',
    'a: [old, # @\n b]\n',
    'a: [b, old # @\n ]\n',
    'a: [old\n , # @\n b]\n',
    'a: [\n b,\n # @\n old]\n',
    'a: [ # x\n # @\n old]\n',
    'a: [x: old, # @\n c]\n',
    'a: {b: old, # @\n c: d}\n',
    'a: {b: x, c: {d: old # @\n }}\n',
    'a: {b:\n # @\n old}\n',
    'a: {b: # @\n old}\n',
    'a: {"b":old # @\n }\n',
    '? a\n: old # @\n',
    '? [a, b]\n: old # @\n',
    '? a\n:\n  # @\n  old\n',
    '<<: {a: old # @\n }\n',
    'a: old # @\na: x\n',
    '--- {a: old # @\n }\n',
    'a: old # @\n---\n',
    'a: old # @\n---\nnull\n---\n# c\n---\t# d\n{}\n',
    'metadata:\n  annotations: x\na: old # @\n',
    'metadata: null\na: old # @\n',
  ];
  for (const text of places) it(name(text), () => becomes(text, text.replace('old', '1.2.3')));

  it('in a List too, whose items Fleet would write to files of their own', () => {
    becomes(
      'kind: List\nitems:\n- kind: Pod\n  image: old # @\n',
      'kind: List\nitems:\n- kind: Pod\n  image: 1.2.3 # @\n',
    );
  });
});

describe('other comments stand by no value', () => {
  const cases: [text: string, want: string][] = [
    ['# @\na: old\n', '1 Detached'],
    ['a: old\n# @\n', '2 Detached'],
    ['a: old # x\n# @\n', '2 Detached'],
    ['a:\n  # @\n  old # x\n', '2 Detached'],
    ['a:\n  # x\n  # @\n  old\n', '3 Detached'],
    ['a:\n  # @\n  # x\n  old\n', '2 Detached'],
    ['a:\n# x\n\n# @\n- old\n', '4 Detached'],
    ['a:\n- b\n# @\n\n- old\n', '3 Detached'],
    ['a:\n- b\n# x\n# @\n- old\n', '4 Detached'],
    ['a:\n# @\n- # x\n  old\n', '2 Detached'],
    ['a:\n  - b: c\n    # @\n  - old\n', '3 Detached'],
    ['a:\n  - - c\n    # @\n  - old\n', '3 Detached'],
    ['a:\n# @\n- b: old\n', '2 Detached'],
    ['a:\n# @\n- - old\n', '2 Detached'],
    ['a: {\n # @\n b: old}\n', '2 Detached'],
    ['a: &x # x\n  # @\n  old\n', '2 Detached'],
    ['--- # @\na: old\n', '1 Detached'],
    ['a: # @\n  old\n', '1 Key'],
    ['a: # @\nb: c\n', '1 Key'],
    ['a: # @\n- old\n', '1 Key'],
    ['a: # @\n  b: c\n', '1 Key'],
    ['? a # @\n: old\n', '1 Key'],
    ['? # @\n  a\n: old\n', '1 Key'],
    ['? [old # @\n  ]\n: b\n', '1 Key'],
    ['a: {"x", # @\n y: z}\n', '1 Key'],
    ['a: [b, old] # @\n', '1 Collection'],
    ['a: {b: old\n } # @\n', '2 Collection'],
    ['a: [[old], # @\n b]\n', '1 Collection'],
    ['a: [ # @\n old]\n', '1 Collection'],
    ['b: &x old\na: *x # @\n', '2 Alias'],
    ['a: x\na: old # @\n', '2 DuplicateKey'],
    ['a: {b: x}\n"a": {b: old # @\n }\n', '2 DuplicateKey'],
    ['a: |\n  b: old # @\n', '2 BlockText'],
    ['a: |-\n\n  # x\n  b: "@" # @\n', '4 BlockText'],
  ];
  for (const [text, want] of cases)
    it(`${name(text)}: ${want}`, () => assert.deepEqual(leftIn(text), [want]));
});

describe('a comment with more than the marker', () => {
  for (const comment of [
    '# note @',
    '# @ note',
    '# {"$imagescan": "app", "x": 1}',
    '# ["$imagescan"]',
    '# x "$imagescan"',
    "# {'$imagescan': 'app'}",
  ]) {
    it(`${comment} is refused`, () => assert.deepEqual(leftIn(`a: old ${comment}\n`), ['1 InvalidMarker']));
  }
  for (const comment of ['# {"$imagepolicy": "app"}', '# $imagescan', '# the value of $imagescan: app']) {
    it(`${comment} is not ours`, () => assert.deepEqual(leftIn(`a: old ${comment}\n`), []));
  }
  it('is none where a whole line was taken out, whether the file parses or not', () => {
    const lines = '# a: old # @\n  #b: old   # @\n';
    assert.deepEqual(leftIn(lines), []);
    assert.deepEqual(leftIn(`${lines}c: [\n`), []);
    assert.deepEqual(leftIn('a: x # b: old # @\n'), ['1 InvalidMarker'], 'behind a value it is a mistake');
  });
  it('in a value is none', () => assert.deepEqual(leftIn(`a: '{"$imagescan": "app"}'\n`), []));
});

describe('the style of a scalar is kept', () => {
  const cases: [before: string, after: string][] = [
    ['a: "old" # @\n', 'a: "1.2.3" # @\n'],
    ["a: 'it''s' # @\n", "a: '1.2.3' # @\n"],
    ['a: "" # @\n', 'a: "1.2.3" # @\n'],
    ['a: "o\\x6cd\\\n  x" # @\n', 'a: "1.2.3" # @\n'],
    ['a:   old   # @\n', 'a:   1.2.3   # @\n'],
    ['a: old\n  more\n\n  yet # @\n', 'a: 1.2.3 # @\n'],
    ['a: 5 # @\n', 'a: 1.2.3 # @\n'],
    ['a: !foo old # @\n', 'a: !foo 1.2.3 # @\n'],
    ['a: !!str null # @\n', 'a: !!str 1.2.3 # @\n'],
    ['a: {b: !!str, # @\n }\n', 'a: {b: !!str 1.2.3, # @\n }\n'],
    ['é: "🎉"\nb: 🎉 # @\n', 'é: "🎉"\nb: 1.2.3 # @\n'],
    ['a: | # @\n  old\n', 'a: | # @\n  1.2.3\n'],
    ['a: |+ # @\n  old\n\n\nb: c\n', 'a: |+ # @\n  1.2.3\n\n\nb: c\n'],
    ['a: | # @\n  old\n   \n', 'a: | # @\n  1.2.3\n   \n'],
    ['a: |-2 # @\n    old\n', 'a: |-2 # @\n  1.2.3\n'],
    ['x:\n  a: >1- # @\n     old\n  b: c\n', 'x:\n  a: >1- # @\n   1.2.3\n  b: c\n'],
    ['a: &x | # @\n\n\n    old\n     x  \n\nb: c\n', 'a: &x | # @\n    1.2.3\n\nb: c\n'],
    ['a: >-\t# @\n  old \t\n  x\n', 'a: >-\t# @\n  1.2.3\n'],
    ['a:\n- | # @\n- b\n', 'a:\n- | # @\n  1.2.3\n- b\n'],
    ['a: | # @', 'a: | # @\n  1.2.3'],
    ['b: c\r\na: | # @', 'b: c\r\na: | # @\r\n  1.2.3'],
    ['a: |- # @\r\n  old\r\n  x\r\n\r\nb: c\r\n', 'a: |- # @\r\n  1.2.3\r\n\r\nb: c\r\n'],
    ['\uFEFF# c\r\na: old # @\r\nb: "x\r\n  y"', '\uFEFF# c\r\na: 1.2.3 # @\r\nb: "x\r\n  y"'],
    ['a: old # @', 'a: 1.2.3 # @'],
  ];
  for (const [before, after] of cases) it(name(before), () => becomes(before, after));
});

describe('quotes are added where the new value would read as another type', () => {
  const cases: [tag: string, before: string, after: string][] = [
    ['20240101', 'a: x # @\n', 'a: "20240101" # @\n'],
    ['20240101', 'a: 5 # @\n', 'a: "20240101" # @\n'],
    ['20240101', "a: '5' # @\n", "a: '20240101' # @\n"],
    ['20240101', 'a: {b: x # @\n }\n', 'a: {b: "20240101" # @\n }\n'],
    ['20240101', 'a: !!str x # @\n', 'a: !!str "20240101" # @\n'],
    ['20240101', 'a: |- # @\n  x\n', 'a: |- # @\n  20240101\n'],
    ['1.20', 'a: 1.2 # @\n', 'a: "1.20" # @\n'],
    ['on', 'a: off # @\n', 'a: "on" # @\n'],
    ['-', 'a: x # @\n', 'a: "-" # @\n'],
    ['2024-01-08', 'a: x # @\n', 'a: "2024-01-08" # @\n'],
    ['2024-01-08', 'a: 2024-01-01 # @\n', 'a: 2024-01-08 # @\n'],
    ['2024-01-08', 'a: "2024-01-01" # @\n', 'a: "2024-01-08" # @\n'],
    ['', 'a: x # §\n', 'a: "ghcr.io/acme/app:" # §\n'],
  ];
  for (const [tag, before, after] of cases)
    it(`${tag} in ${name(before)}`, () => becomes(before, after, lookupOf(tag)));

  it('in front of a port in brackets', () => {
    becomes('a: x # §\n', 'a: "[::1]:5000/app:1" # §\n', lookupOf('1', '[::1]:5000/app'));
  });
  it('but no image needs them outside of a flow collection', () => {
    becomes('a: old # §\n', 'a: ghcr.io/acme/app:1.2.3 # §\n');
  });
  it('where a colon stands in a flow collection, as Fleet writes them', () => {
    becomes('a: {b: old # §\n }\n', "a: {b: 'ghcr.io/acme/app:1.2.3' # §\n }\n");
    becomes('a: [old, # §\n x]\n', "a: ['ghcr.io/acme/app:1.2.3', # §\n x]\n");
  });
  it('and a number that says the right thing gets them along with another change only', () => {
    assert.deepEqual(leftIn('a: 20240101 # @\n', lookupOf('20240101')), []);
    const { text, edits, current } = editMarkers(
      written('a: 20240101 # @\nb: x # @\nc: "x"\n'),
      lookupOf('20240101'),
    );
    assert.equal(text, written('a: "20240101" # @\nb: "20240101" # @\nc: "x"\n'));
    assert.deepEqual([edits.length, current], [1, 1]);
  });
});

describe('a file is left alone whole, and each of its markers is named', () => {
  const cases: [text: string, want: string, at?: number][] = [
    ['a: [1\nb: old # @\n', '2 NotYaml', 2],
    ['a: old # @\n---\nb: [1\n', '1 NotYaml', 4],
    ['a: old # @\n\tb: c\n', '1 NotYaml', 2],
    ['a: old # @\nb: "x\0y"\n', '1 NotYaml', 2],
    ['a: old # @\n\fb: c\n', '1 NotYaml', 2],
    ['a: *x\nb: old # @\n', '2 NotYaml', 1],
    ['a: &x 1\n---\na: *x\nb: old # @\n', '4 NotYaml', 3],
    ['%YAML 1.2\n---\na: old # @\n', '3 Directive', 1],
    ['old # @\n', '1 NotMapping', 1],
    ['!!str ~ # @\n', '1 NotMapping', 1],
    ['- old # @\n', '1 NotMapping', 1],
    ['a: old # @\n---\n- b\n', '1 NotMapping', 3],
    ['a: old # @\n---\n""\n', '1 NotMapping', 3],
    ['metadata: x\na: old # @\n', '2 OddMetadata', 1],
    ['a: old # @\nmetadata: [a]\n', '1 OddMetadata', 2],
    ['a: &x {}\nmetadata: *x\nb: old # @\n', '3 OddMetadata', 2],
    ['metadata:\n  annotations: [a]\na: old # @\n', '3 OddMetadata', 2],
    ['a: old # @\n---\nmetadata: ""\n', '1 OddMetadata', 3],
    [`a: old # @\nb: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, '1 NotYaml', 2],
    [`a: old # @\nb: ${'x'.repeat(4 * 1024 * 1024)}\n`, '1 TooLarge'],
    ['a: old # @\n{{- if .x }}\nb: [\n{{- end }}\n', '1 NotYaml', 5],
    ['a: old # @\nb: {{ .x\n', '1 NotYaml', 3],
  ];
  for (const [text, want, at] of cases) {
    it(`${name(text.slice(0, 60))}: ${want}`, () => {
      assert.deepEqual(leftIn(text), [want]);
      const [left] = editMarkers(written(text), lookupOf()).leftAlone;
      if (at !== undefined) assert.match(left?.message ?? '', new RegExp(`\\(line ${at}\\)$`));
    });
  }
  it('also of several', () => {
    assert.deepEqual(leftIn('a: old # @\nb: x\nc: [ # @\nd: "@"\n'), ['1 NotYaml', '3 NotYaml']);
  });
});

describe('what a scan answers', () => {
  const cases: [marker: string, want: string][] = [
    ['other', 'UnknownScan'],
    ['APP', 'UnknownScan'],
    ['app:foo', 'UnknownForm'],
    ['new:tag', 'NoValue'],
    ['', 'InvalidMarker'],
  ];
  for (const [marker, want] of cases) {
    it(`${name(marker)}: ${want}`, () =>
      assert.deepEqual(leftIn(`a: old # {"$imagescan": "${marker}"}\n`), [`1 ${want}`]));
  }
  it('is not asked for a block scalar of a tab alone, which is not text and not nothing', () => {
    assert.deepEqual(leftIn('x:\n  a: | # @\n  \t\n  b: c\n'), ['2 EmptyValue']);
  });
  it('is not asked for a value that cannot take it', () => {
    assert.deepEqual(leftIn('a: ~ # @\nb: !!int 5 # @\nc: null # @\nd: !<tag:yaml.org,2002:bool> on # @\n'), [
      '1 EmptyValue',
      '2 TypedValue',
      '3 EmptyValue',
      '4 TypedValue',
    ]);
  });
});

describe('every marker is accounted for', () => {
  const text = `a: old # {"$imagescan": "app:digest"}
b: ghcr.io/acme/app # {"$imagescan": "app:name"}
c: [x] # @
d: x # {"$imagescan": "app:sha"}
# note @
`;
  const result = editMarkers(written(text), lookupOf());

  it('in numbers', () =>
    assert.deepEqual(
      [result.markers, result.edits.length, result.current, result.leftAlone.length],
      [5, 2, 1, 2],
    ));
  it('with line, marker, scan, form, before and after', () =>
    assert.deepEqual(
      result.edits.map(({ scan, ...edit }) => ({ ...edit, scan: scan.tagName })),
      [
        {
          line: 1,
          marker: 'app:digest',
          before: 'old',
          after: `ghcr.io/acme/app:1.2.3@${DIGEST}`,
          scan: 'app',
          form: 'digest',
        },
        { line: 4, marker: 'app:sha', before: 'x', after: DIGEST, scan: 'app', form: 'sha' },
      ],
    ));
  it('with a message of one line for a person', () => {
    for (const { message } of result.leftAlone as LeftAlone[]) assert.match(message, /^.{20,200}$/);
  });
  it('and a file without any is not even parsed', () => {
    const broken = 'a: [ # "$imagepolicy"\n"$imagescan" # x\n';
    assert.deepEqual(editMarkers(broken, lookupOf()), {
      text: broken,
      edits: [],
      upToDate: [],
      current: 0,
      leftAlone: [],
      markers: 0,
    });
  });
});

describe('a Helm template', () => {
  const edited: [before: string, after: string][] = [
    ['{{- if .x }}\na: old # @\n{{- end }}\n', '{{- if .x }}\na: 1.2.3 # @\n{{- end }}\n'],
    ['n: {{ .Release.Name }}-web\na: old # @\n', 'n: {{ .Release.Name }}-web\na: 1.2.3 # @\n'],
    ['{{ include "x" . }}\na: "old" # @\n', '{{ include "x" . }}\na: "1.2.3" # @\n'],
    ['a:\n{{- range .x }}\n- old # @\n{{- end }}\n', 'a:\n{{- range .x }}\n- 1.2.3 # @\n{{- end }}\n'],
    [
      '{{- if .x }}\na: old # @\n{{- else }}\na: b # @\n{{- end }}\n',
      '{{- if .x }}\na: 1.2.3 # @\n{{- else }}\na: 1.2.3 # @\n{{- end }}\n',
    ],
    [
      '{{/* a }}\n b: " */}}\n{{- with "}}" }}\na: old # @\n{{ end }}',
      '{{/* a }}\n b: " */}}\n{{- with "}}" }}\na: 1.2.3 # @\n{{ end }}',
    ],
    [
      '{{- if .x }} # note\r\na: old # @\r\n{{- end }}\r\n',
      '{{- if .x }} # note\r\na: 1.2.3 # @\r\n{{- end }}\r\n',
    ],
    [
      '{{ .key }}: x\nm: {{ include "y" (dict\n  "b" 1) }}\na: old # @\n',
      '{{ .key }}: x\nm: {{ include "y" (dict\n  "b" 1) }}\na: 1.2.3 # @\n',
    ],
    [
      'metadata:\n  labels:\n    {{- include "labels" . | nindent 4 }}\nspec:\n  a: old # @\n',
      'metadata:\n  labels:\n    {{- include "labels" . | nindent 4 }}\nspec:\n  a: 1.2.3 # @\n',
    ],
    [
      'labels: {{- include "labels" . | nindent 2 }}\n  a: old # @\n',
      'labels: {{- include "labels" . | nindent 2 }}\n  a: 1.2.3 # @\n',
    ],
    [
      'x:\n- {{ include "container" . | nindent 2 }} # from the library\n  a: old # @\n',
      'x:\n- {{ include "container" . | nindent 2 }} # from the library\n  a: 1.2.3 # @\n',
    ],
    ['\uFEFF{{- if .x }}\na: old # @\n{{- end }}\n', '\uFEFF{{- if .x }}\na: 1.2.3 # @\n{{- end }}\n'],
    ['{{- if .x }}\na:\n  # @\n  old\n{{- end }}\n', '{{- if .x }}\na:\n  # @\n  1.2.3\n{{- end }}\n'],
  ];
  for (const [before, after] of edited) it(name(before), () => becomes(before, after));
  for (const action of [
    '    {{- toYaml .Values.config | nindent 4 }}',
    '{{- if .x }}',
    '    {{ .y }}: {{ .z }}',
  ]) {
    it(`with a block scalar that begins with ${action.trim()}`, () => {
      const around = (tag: string): string =>
        `data:\n  config: |\n${action}\n    b: c\n{{- end }}\n    d\na: ${tag} # @\n`;
      becomes(around('old'), around('1.2.3'));
    });
  }

  const refused: [text: string, want: string[]][] = [
    ['a: {{ .Values.tag }} # @\n', ['1 TemplateValue']],
    ['{{ if .x }}\na: {{ .Values.tag }} # @\n{{ end }}\n', ['2 TemplateValue']],
    ['{{ if .x }}\na: "{{ .Values.tag | default "1" }}" # @\n{{ end }}\n', ['2 TemplateValue']],
    ['{{ if .x }}\na: v{{ .Values.tag }} # @\n{{ end }}\n', ['2 TemplateValue']],
    ['{{ if .x }}\na: old {{- /* c */}} # @\n{{ end }}\n', ['2 TemplateValue']],
    ['{{ if .x }}\na: |- # @\n  {{ .y }}\n  old\n{{ end }}\n', ['2 TemplateValue']],
    ['{{ if .x }} # @\na: b\n{{ end }}\n', ['1 TemplateValue']],
    ['{{ if .x }}\na: old # {"$imagescan": "{{ .y }}"}\n{{ end }}\n', ['2 TemplateValue']],
    ['{{ if .x }}{{ end }}\na:\n  {{ .y -}}\n  old # @\n', ['4 TemplateValue']],
    ['{{ if .x }}{{ end }}\na: {{ .y }}\n  old # @\n', ['3 TemplateValue']],
    ['{{ if .x }}{{ end }}\na: old- {{ .y }} # @\n', ['2 TemplateValue']],
    ['{{ if .x }}{{ end }}\na:\n  # @\n  old\n{{- .y }}\n', ['3 TemplateValue']],
    ['{{ if .x }}{{ end }}\na: {{ .y }} # @\n  b: c\n', ['2 TemplateValue']],
    ['a: "{{ .Values.tag }}" # @\n', ['1 TemplateValue']],
    ['a: app/{{inputs.tag}} # @\n', ['1 TemplateValue']],
    ['{{ if .x }}\na:\n  # @\n  {{ .y }}\n{{ end }}\n', ['3 Detached']],
  ];
  for (const [text, want] of refused)
    it(`${name(text)}: ${want.join()}`, () => assert.deepEqual(leftIn(text), want));

  it('has no markers in its own comments', () => {
    assert.deepEqual(leftIn('{{- if .x }}\n{{/* a: old # @ */}}\n{{- end }}\na: b\n'), []);
  });
  it('is plain YAML when its braces stand in quotes and comments alone', () => {
    becomes(
      'b: "{{ x }}" # {{ y }}\na: old # @\nc: |\n  {{ z }}\n',
      'b: "{{ x }}" # {{ y }}\na: 1.2.3 # @\nc: |\n  {{ z }}\n',
    );
  });
  it('takes no more than linear time', () => {
    for (const hostile of ['{{ "', '{{ ` }}', "{{ '\\", '{{/* ', '{{ }} # ']) {
      editMarkers(written(`${hostile.repeat(50_000)}\na: old # @\n`), lookupOf());
    }
  });
});

describe('the time for a file', () => {
  // Each took minutes where it grew with the square.
  const entries = Array.from({ length: 50_000 }, (_, index) => `k${index}: old # @\n`).join('');
  for (const [what, text] of [
    ['one large mapping', entries],
    ['one large template', `${entries}{{- if .x }}\n{{- end }}\n`],
  ] as const) {
    it(`grows with its length: ${what} with 50,000 markers`, { timeout: 30_000 }, () => {
      assert.equal(editMarkers(written(text), lookupOf()).edits.length, 50_000);
    });
  }
});

describe('an edit names its object', () => {
  const objectsIn = (text: string): (string | undefined)[] =>
    editMarkers(written(text), lookupOf()).edits.map(
      ({ object }) => object && [object.kind, object.namespace, object.name].filter(Boolean).join('/'),
    );
  const pod = 'kind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  a: old # @\n';
  it('of each document', () => {
    assert.deepEqual(
      objectsIn(`${pod}---\na: old # @\n---\nkind: Job\nmetadata: {name: "x"}\na: old # @\n`),
      ['Pod/shop/web', undefined, 'Job/x'],
    );
  });
  it('of each item of a list', () => {
    const items = pod.replaceAll(/^(?=.)/gm, '    ').replace('    kind', '  - kind');
    assert.deepEqual(
      objectsIn(`kind: List\nitems:\n${items}  - kind: Job\n    metadata: {name: y}\n    a: old # @\n`),
      ['Pod/shop/web', 'Job/y'],
    );
  });
  it('unless a template makes its name', () => {
    assert.deepEqual(
      objectsIn('{{ if .x }}\nkind: Pod\nmetadata:\n  name: {{ .y }}\na: old # @\n{{ end }}\n'),
      [undefined],
    );
  });
});
