import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MAX_TEXT } from '../../../core/template/budget.ts';
import { TemplateError } from '../../../core/template/errors.ts';
import { render } from '../../../core/template/execution.ts';
import { FUNCTIONS } from '../../../core/template/functions.ts';
import { parseTemplate } from '../../../core/template/parser.ts';
import { Dict, Struct, type Value } from '../../../core/template/value.ts';
import { fromJson } from './from-json.ts';

const image = new Struct('an image', { Name: 'web', Tag: '1.2' }, { text: 'web:1.2' });
const pair = new Struct('a pair', { A: 1n, B: 'x' });
const none = new Struct('an object', { Kind: '' }, { text: '' });
const data = new Struct(
  'the data',
  {
    Image: image,
    Pair: pair,
    None: none,
    ByImage: new Dict([
      [new Struct('an image', { Name: 'z' }, { text: 'z' }), 1n],
      [image, 2n],
    ]),
    Map: fromJson({ a: 1 }),
  },
  { removed: { Updated: 'use .Image' } },
);

const run = (template: string, value: Value = data): string => render(parseTemplate(template), value).text;

describe('a template', () => {
  for (const [template, want] of [
    ['{{ .Image }} {{ .Image.Name }} {{ len .Image.Name }}', 'web:1.2 web 3'],
    ['{{ .Pair }} {{ printf "%+v" .Pair }}', '{1 x} {A:1 B:x}'],
    ['{{ range $k, $v := .ByImage }}{{ $k.Name }}={{ $v }} {{ end }}', 'web=2 z=1 '],
    ['{{ index .ByImage .Image }}', '2'],
    ['{{ if .None }}yes{{ else }}no{{ end }}{{ .None.Kind }}', 'no'],
    ['{{ upper .Image }} {{ eq .Image "web:1.2" }}', 'WEB:1.2 true'],
    ['{{ slice "abc" 1 2 }}', 'b'],
    ['{{ "äöü" | trunc 3 }}', 'ä'],
    ['{{ keys .Map }}', '[a]'],
  ] as const) {
    it(`${template} gives ${want}`, () => assert.equal(run(template), want));
  }

  for (const [template, message] of [
    [
      'a\n  {{ .Nope }}',
      'line 2, column 6: the data has no field .Nope; it has .Image, .Pair, .None, .ByImage, .Map',
    ],
    ['{{ .Image.constructor }}', 'line 1, column 4: an image has no field .constructor; it has .Name, .Tag'],
    ['{{ .Updated }}', 'line 1, column 4: .Updated is no longer there: use .Image'],
    ['{{ range .Map }', 'line 1, column 1: an action has no end: its }} is missing'],
    ['ü {{ if .Map }}', 'line 1, column 6: {{if}} has no {{end}}'],
    ['{{ .Image.Name | nope }}', 'line 1, column 18: there is no function nope; there are abbrev, add, '],
    ['{{ trunc "x" "y" }}', 'line 1, column 4: trunc: argument 1 has to be a whole number, and is string'],
    ['{{ trim }}', 'line 1, column 4: trim: it takes 1 argument, and is given 0'],
    ['{{ fail "no\nway" }}', 'line 1, column 9: a string has no end'],
    ['{{ "\\xff" }}', 'line 1, column 4: \\xff is no character of its own'],
    ['{{ printf "%9999d" 1 }}', 'line 1, column 4: printf: %9999d asks for more than 1000 letters'],
    ['{{ regexMatch "(" "" }}', 'line 1, column 4: regexMatch: error parsing regexp: missing closing ): `(`'],
    ['{{ $x = 1 }}', 'line 1, column 7: there is no variable $x yet; declare it with :='],
  ] as const) {
    it(`${JSON.stringify(template)} is refused: ${message}`, () =>
      assert.throws(
        () => run(template),
        (error) => error instanceof TemplateError && error.message.startsWith(message),
        message,
      ));
  }

  it('knows line and column by numbers as well', () => {
    assert.throws(() => run('\n\n {{ . | ) }}'), { line: 3, column: 9 });
  });

  it("has no way to JavaScript's own objects", () => {
    for (const name of [
      'constructor',
      '__proto__',
      'prototype',
      'toString',
      'hasOwnProperty',
      'length',
      'size',
    ]) {
      assert.equal(run(`{{ .Map.${name} }}`), '<no value>');
      assert.equal(run(`{{ index .Map "${name}" }}`), '<no value>');
      assert.throws(() => run(`{{ .${name} }}`), TemplateError);
      assert.throws(() => run(`{{ .Image.Name.${name} }}`), TemplateError);
      if (!FUNCTIONS.has(name)) assert.throws(() => run(`{{ ${name} }}`), TemplateError);
    }
    assert.equal(run('{{ (dict "__proto__" 1).__proto__ }}'), '1');
  });
});

describe('the cost of a template is bounded', () => {
  const many = fromJson({
    list: Array.from({ length: 1000 }, (_, index) => index),
    text: 'a'.repeat(60_000),
  });

  for (const [what, template] of [
    ['endless loops', '{{ range 9223372036854775807 }}{{ end }}'],
    ['loops in loops', '{{ range $.list }}{{ range $.list }}{{ range $.list }}{{ end }}{{ end }}{{ end }}'],
    ['texts that double', '{{ $x := "ab" }}{{ range .list }}{{ $x = print $x $x }}{{ end }}'],
    [
      'lists that double',
      '{{ $x := list 1 }}{{ range 40 }}{{ $x = list $x $x }}{{ end }}{{ $x | len }}{{ $x | quote }}',
    ],
    ['lists that grow', '{{ $x := list 1 }}{{ range 60 }}{{ $x = concat $x $x }}{{ end }}'],
    ['repeats', '{{ repeat 9223372036854775807 "ab" }}'],
    ['indents', '{{ indent 9223372036854775807 "ab" }}'],
    ['replacements', '{{ replace "a" .text .text }}'],
    [
      'searches',
      '{{ $p := print (trunc 30000 .text) "b" }}{{ range .list }}{{ contains $p $.text }}{{ end }}',
    ],
    ['patterns', '{{ range .list }}{{ regexMatch "(a*)*(a|aa)*b" $.text }}{{ end }}'],
    [
      'templates that call themselves twice',
      '{{ define "t" }}{{ range $.list }}{{ template "u" $ }}{{ end }}{{ end }}{{ define "u" }}{{ range .list }}{{ range $.list }}{{ end }}{{ end }}{{ end }}{{ template "t" . }}',
    ],
    ['output', '{{ range .list }}{{ $.text }}{{ end }}'],
  ] as const) {
    it(`of ${what}`, () => {
      const start = performance.now();
      try {
        const { text, cut } = render(parseTemplate(template), many);
        assert.match(cut ?? '', /^it (takes|makes) /);
        assert.ok(text.length <= MAX_TEXT);
      } catch (error) {
        assert.ok(error instanceof TemplateError, String(error));
      }
      assert.ok(performance.now() - start < 3000);
    });
  }

  it('of depth', () => {
    const deep = (count: number): string => `{{ if true }}`.repeat(count) + '{{ end }}'.repeat(count);
    assert.equal(run(deep(50)), '');
    for (const template of [
      deep(51),
      `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`,
      '{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}',
      '{{ $x := list }}{{ range 1000 }}{{ $x = list $x }}{{ end }}{{ $x }}',
      'x'.repeat(40_000),
    ])
      assert.throws(() => run(template), TemplateError);
  });

  it('keeps what was made before the limit', () => {
    const { text, cut } = render(parseTemplate('first\n{{ range 9223372036854775807 }}{{ end }}'), null);
    assert.equal(text, 'first\n');
    assert.match(cut ?? '', /steps/);
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '|',
    '(',
    ')',
    '.',
    '$',
    ':=',
    '=',
    ',',
    '"',
    '`',
    "'",
    '\\',
    '\n',
  ),
  fc.constantFrom(
    'if',
    'else',
    'end',
    'range',
    'with',
    'define',
    'template',
    'block',
    'break',
    '/*',
    '*/',
    'nil',
  ),
  fc.constantFrom(
    '.Image',
    '.Map',
    '$x',
    'print',
    'len',
    'index',
    'printf',
    '"%v"',
    '1',
    '-1.5e3',
    '0x',
    'and',
  ),
  fc.constantFrom(...FUNCTIONS.keys()),
  fc.string({ unit: 'binary', maxLength: 3 }),
);

describe('any text', () => {
  it('is a template that gives something, or a TemplateError', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          const { text } = render(parseTemplate(pieces.join('')), data);
          assert.equal(typeof text, 'string');
        } catch (error) {
          assert.ok(error instanceof TemplateError, String(error));
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('without braces is given as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.includes('{{'));
        assert.equal(run(text), text);
      }),
    );
  });
});

describe('every function', () => {
  it('takes any values, or says what is wrong with them', () => {
    const values = [
      'nil',
      '1',
      '-1',
      '1.5',
      '"text"',
      'true',
      '.Map',
      '.Image',
      '.Pair',
      '(list 1 "a")',
      '""',
    ];
    const argument = fc.constantFrom(...values);
    const call = fc.tuple(fc.constantFrom(...FUNCTIONS.keys()), fc.array(argument, { maxLength: 4 }));
    fc.assert(
      fc.property(call, ([name, args]) => {
        try {
          run(`{{ ${name} ${args.join(' ')} }}`);
        } catch (error) {
          assert.ok(error instanceof TemplateError, String(error));
        }
      }),
      { numRuns: 5000 },
    );
  });
});
