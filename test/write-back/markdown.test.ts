import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { imageChanges } from '../../write-back/image-changes.ts';
import { changesTable, code, leftAloneList, planMarkdown } from '../../write-back/markdown.ts';
import { DATA, digest, editOf, scanOf } from './edits.ts';

describe('a text of others in Markdown', () => {
  for (const [text, want] of [
    ['1.2.3', '`1.2.3`'],
    [
      '@ann #12 <b>x</b> [a](b) _c_ **d** ![e](f) https://example.com',
      '`@ann #12 <b>x</b> [a](b) _c_ **d** ![e](f) https://example.com`',
    ],
    ['a`b', '<code>a&#96;b</code>'],
    ['a | @b', '<code>a &#124; &#64;b</code>'],
    ['a\\', '<code>a&#92;</code>'],
    [' a', '<code> a</code>'],
    ['a\r\n\n# b', '`a # b`'],
    ['', ''],
    [' \n ', ''],
    ['é😀', '`é😀`'],
    ['`</code>@ann', '<code>&#96;&#60;&#47;code&#62;&#64;ann</code>'],
  ] as const) {
    it(JSON.stringify(text), () => assert.equal(code(text), want));
  }

  it('never leaves its code, nor the cell of a table', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const shown = code(text);
        assert.match(shown, /^(?:|`[^`|\\\r\n]+`|<code>(?:[A-Za-z0-9 ]|&#\d+;)+<\/code>)$/u);
        assert.ok(shown.isWellFormed());
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the table of images', () => {
  it('has a row for each, with all its places', () => {
    assert.equal(
      changesTable(imageChanges(DATA.edits)),
      [
        '| Image | From | To | Digest | Where |',
        '|---|---|---|---|---|',
        `| \`example/web\` | \`1.2.3\` | \`1.2.4\` | \`${digest('a')}\` | \`web.yaml:19\`, \`values.yaml:3\` |`,
        `| \`redis\` | \`7.4\` | \`8.0\` | \`${digest('b')}\` | \`values.yaml:9\` |`,
        '',
      ].join('\n'),
    );
  });

  it('tells digests where only those move', () => {
    const scan = scanOf('example/web:stable', digest('c'));
    const edits = [
      editOf({
        form: 'digest',
        before: `example/web:stable@${digest('b')}`,
        after: `example/web:stable@${digest('c')}`,
        scan,
      }),
    ];
    const table = changesTable(imageChanges(edits));
    assert.ok(table.includes('| `sha256:bbbbbbbbbbbb` | `sha256:cccccccccccc` |'), table);
  });

  it('is as long as it may be', () => {
    const edits = Array.from({ length: 2000 }, (_, index) =>
      editOf({ file: `${'d/'.repeat(100)}${index}.yaml`, scan: scanOf(`example/app-${index}:1`) }),
    );
    const table = changesTable(imageChanges(edits), { limit: 10_000 });
    assert.ok(table.length <= 10_000 && table.length > 9000, String(table.length));
    const rows = table.split('\n').filter((line) => line.startsWith('| `')).length;
    assert.ok(table.endsWith(`|\n\n… and ${2000 - rows} more\n`), table.slice(-100));
  });

  it('names some files of an image that is in many', () => {
    const edits = Array.from({ length: 9 }, (_, index) => editOf({ file: `${index}.yaml` }));
    const lines = Array.from({ length: 9 }, (_, line) => editOf({ file: '0.yaml', line: 100 + line }));
    const table = changesTable(imageChanges([...edits, ...lines]));
    assert.ok(
      table.includes(
        '`0.yaml:19,100,101,102,103,…`, `1.yaml:19`, `2.yaml:19`, `3.yaml:19`, `4.yaml:19`, and 4 more |',
      ),
      table,
    );
  });

  it('keeps what files are called from being read as Markdown', () => {
    const edits = [editOf({ file: 'a | b` @ann\n| x |.yaml' })];
    const rows = changesTable(imageChanges(edits)).trimEnd().split('\n');
    assert.equal(rows.length, 3);
    assert.equal(rows[2]?.match(/\|/g)?.length, 6);
    assert.ok(!rows[2]?.includes('@ann'));
  });
});

describe('a plan in Markdown', () => {
  const left = { file: 'b.yaml', line: 4, reason: 'UnknownScan', message: 'no scan `x` in @team' };

  it('has the table, and what was left alone', () => {
    const text = planMarkdown({
      edits: DATA.edits,
      leftAlone: [left, { file: 'c.yaml', reason: 'TooLarge', message: 'big' }],
    });
    assert.ok(text.startsWith('| Image |'));
    assert.ok(
      text.endsWith(
        '\nLeft alone:\n\n- `b.yaml:4` UnknownScan: <code>no scan &#96;x&#96; in &#64;team</code>\n- `c.yaml` TooLarge: `big`\n',
      ),
      text,
    );
  });

  it('says so when there is nothing to change', () => {
    assert.equal(planMarkdown({ edits: [], leftAlone: [] }), 'No image has to change.\n');
  });

  it('is bounded', () => {
    const many = Array.from({ length: 5000 }, () => left);
    assert.ok(leftAloneList(many, 5000).length <= 5000);
    assert.ok(planMarkdown({ edits: DATA.edits, leftAlone: many }, 20_000).length <= 20_000);
  });
});
