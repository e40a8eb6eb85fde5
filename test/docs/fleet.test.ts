import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CASES, OUTLOOKS } from '../../kubectl-plugin/fleet/outlook.ts';
import { type Link, linksIn, sectionOf, tableRows } from './markdown.ts';
import { hasTest } from './test-names.ts';

const PAGE = new URL('../../docs/fleet.md', import.meta.url);
const page = readFileSync(PAGE, 'utf8');

for (const section of ['How Fleet is kept off', 'What matches', 'What is better']) {
  describe(`docs/fleet.md: ${section}`, () => {
    const rows = tableRows(sectionOf(page, section));

    it('has rows', () => assert.ok(rows.length > 0));

    it('links each row to a test by its exact name', () => {
      const wrong = rows.flatMap((cells) => {
        const links = linksIn(cells.at(-1) ?? '');
        if (links.length === 0) return [`no test: ${cells[0]}`];
        return links
          .filter((link) => !isTest(link))
          .map(({ text, target }) => `${target} has no test "${text}"`);
      });
      assert.deepEqual(wrong, []);
    });
  });
}

function isTest({ text, target }: Link): boolean {
  if (!target.startsWith('../test/')) return false;
  try {
    return hasTest(readFileSync(new URL(target, PAGE), 'utf8'), text);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

describe('docs/fleet.md: the output of fleet check', () => {
  const reports = [...page.matchAll(/^Case (\w+), Fleetscan (\w+):\n {2}(.*)\n {2}(.*)$/gm)];

  it('is shown for the way of an image scan that is on, and of one that is refused', () => {
    assert.deepEqual(
      reports.map(([, found, mode]) => `${found} ${mode}`),
      [
        'ImageScanOn NotInstalled',
        'ImageScanOn TakeOver',
        'ImageScanOn TakeOver',
        'ImageScanRefused TakeOver',
      ],
    );
  });

  for (const [, found = '', mode = '', situation, happens] of reports) {
    it(`says of ${found} with ${mode} what the plugin says`, () => {
      assert.ok(isKey(CASES, found));
      const outlooks = OUTLOOKS[found];
      assert.ok(isKey(outlooks, mode));
      assert.deepEqual({ situation, happens }, { situation: CASES[found], happens: outlooks[mode].happens });
    });
  }
});

function isKey<K extends string>(record: Readonly<Record<K, unknown>>, key: string): key is K {
  return Object.hasOwn(record, key);
}
