import assert from 'node:assert/strict';
import { editMarkers } from '../../../core/yaml/edit.ts';
import { lookupOf } from '../../core/yaml/lookup.ts';

/** The marker of a form of the scan `app`; of its image when none is given. */
export const marker = (form = ''): string => `{"$imagescan": "app${form}"}`;

/** Fails unless a file becomes another, byte for byte, and nothing in it is left alone; or is not touched where the two are the same. */
export function becomes(before: string, after: string, lookup = lookupOf()): void {
  const { text, edits, leftAlone } = editMarkers(before, lookup);
  assert.equal(text, after);
  assert.equal(edits.length > 0, before !== after);
  assert.deepEqual(leftAlone, []);
}

/** Fails unless files stay as they are. */
export function stay(texts: readonly string[], lookup = lookupOf()): void {
  for (const text of texts) assert.equal(editMarkers(text, lookup).text, text);
}
