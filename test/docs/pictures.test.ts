import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { writeBackPicture } from './write-back-picture.ts';

it('the picture in docs/write-back.md shows what the code does now (npm run pictures draws it anew)', () => {
  const drawn = readFileSync(new URL('../../docs/write-back.svg', import.meta.url), 'utf8');
  assert.equal(drawn, writeBackPicture());
});
