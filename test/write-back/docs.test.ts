import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { SHORT_CIRCUITS, FUNCTIONS } from '../../core/template/functions.ts';
import { commitMessage } from '../../write-back/commit-message.ts';
import { DATA } from './edits.ts';

const page = readFileSync(new URL('../../docs/commit-messages.md', import.meta.url), 'utf8');
const examples = Array.from(page.matchAll(/```gotemplate\n([^`]*?)```\n\n```text\n([^`]*?)```/g));

describe('docs/commit-messages.md', () => {
  it('has examples', () => assert.equal(examples.length, 3));
  for (const [, template = '', output] of examples)
    it(`shows what ${template.split('\n')[0]} gives`, () =>
      assert.equal(commitMessage(template, DATA), output));

  it('names every function', () => {
    const named = new Set(
      Array.from(page.matchAll(/`([a-zA-Z0-9 ]+)`/g)).flatMap(([, words = '']) => words.split(' ')),
    );
    for (const name of [...FUNCTIONS.keys(), ...SHORT_CIRCUITS.keys()]) assert.ok(named.has(name), name);
  });
});
