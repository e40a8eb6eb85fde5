import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { fleetPicture } from './fleet-picture.ts';
import { writeBackPicture } from './write-back-picture.ts';

const drawn = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}.svg`, import.meta.url), 'utf8');

it('the picture in docs/write-back.md shows what the code does now (npm run pictures draws it anew)', () => {
  assert.equal(drawn('write-back'), writeBackPicture());
});

it('the picture in docs/fleet.md shows each mode of fleet.takeover (npm run pictures draws it anew)', () => {
  assert.equal(drawn('fleet'), fleetPicture());
});
