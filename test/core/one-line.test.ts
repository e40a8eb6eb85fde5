import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { oneLine } from '../../core/one-line.ts';

describe('oneLine', () => {
  const rows: [text: string, length: number, line: string, why: string][] = [
    ['plain', 5, 'plain', 'nothing to do'],
    ['plain!', 5, 'plai…', 'the cut is shown, and within the length'],
    ['a\r\n\tb', 9, 'a b', 'a run of control characters becomes one space'],
    ['a\u2028b\u2029c', 9, 'a b c', "Unicode's own line ends"],
    ['a\u0085b\u007fc', 9, 'a b c', 'control characters beyond ASCII'],
    ['a\u202eb\u200bc', 9, 'a b c', 'characters that are not seen and turn the text around'],
    ['ab\u{1f600}', 4, 'ab\u{1f600}', 'a pair that just fits'],
    ['ab\u{1f600}cd', 4, 'ab\ufffd…', 'a pair that is cut leaves no half'],
    ['a\ud800b', 9, 'a\ufffdb', 'a half that was written'],
    ['', 9, '', 'nothing'],
  ];
  for (const [text, length, line, why] of rows) {
    it(`${JSON.stringify(text)} in ${length}: ${why}`, () => assert.equal(oneLine(text, length), line));
  }

  it('gives well-formed text without control characters, never longer than asked', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.integer({ min: 1, max: 30 }),
        (text, length) => {
          const line = oneLine(text, length);
          assert.ok(line.length <= length);
          assert.ok(line.isWellFormed());
          assert.doesNotMatch(line, /\p{Cc}/u);
        },
      ),
    );
  });
});
