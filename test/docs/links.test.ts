import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { anchorsIn, linksIn } from './markdown.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = globSync(['*.md', 'docs/*.md', 'manifests/**/*.md'], { cwd: ROOT });

describe('the links of the docs lead to a file that is there, and to a heading in it', () => {
  for (const page of PAGES) {
    it(page, () => {
      const text = readFileSync(path.join(ROOT, page), 'utf8');
      const dead = linksIn(text)
        .map(({ target }) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && !isAlive(page, text, target));
      assert.deepEqual(dead, []);
    });
  }
});

function isAlive(page: string, text: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const found = path.join(ROOT, path.dirname(page), file);
  if (file !== '' && !existsSync(found)) return false;
  if (anchor === undefined) return true;
  return anchorsIn(file === '' ? text : readFileSync(found, 'utf8')).has(anchor);
}
