import assert from 'node:assert/strict';
import nodePath from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isGlob, pathGlob } from '../../core/path-glob.ts';
import { cleanPath, isYamlFile, PathError } from '../../core/paths.ts';
import { selectPaths } from './select-paths.ts';

describe('isYamlFile', () => {
  for (const path of ['a.yaml', 'a.yml', 'x/.hidden/b.yaml', '.git/c.yml', 'Chart.yaml', '.yaml']) {
    it(`${path} is one`, () => assert.ok(isYamlFile(path)));
  }
  for (const path of ['a.YAML', 'a.yaml.tpl', 'a.json', 'yaml', 'a.yaml/b', 'a_yml']) {
    it(`${path} is none`, () => assert.ok(!isYamlFile(path)));
  }
});

const FILES = ['a.yaml', 'sub/b.yml', 'sub/c.txt', 'sub/deep/d.yaml', 'submarine/e.yaml', '.git/f.yaml'];
const YAML = FILES.filter(isYamlFile);

describe('selectPaths', () => {
  const cases: [paths: string[] | undefined, want: string[]][] = [
    [undefined, YAML],
    [[], YAML],
    [['.'], YAML],
    [['/'], YAML],
    [[''], YAML],
    [['sub'], ['sub/b.yml', 'sub/deep/d.yaml']],
    [['/sub/'], ['sub/b.yml', 'sub/deep/d.yaml']],
    [['./sub/./deep//'], ['sub/deep/d.yaml']],
    [['sub/../a.yaml'], ['a.yaml']],
    [['sub/b.yml'], ['sub/b.yml']],
    [['sub/c.txt'], []],
    [['*.yaml'], ['a.yaml']],
    [['**/*.yaml'], ['a.yaml', 'sub/deep/d.yaml', 'submarine/e.yaml', '.git/f.yaml']],
    [['sub*'], ['sub/b.yml', 'sub/deep/d.yaml', 'submarine/e.yaml']],
    [['sub*/'], ['sub/b.yml', 'sub/deep/d.yaml', 'submarine/e.yaml']],
    [['sub/*/d.yaml'], ['sub/deep/d.yaml']],
    [['sub/**'], ['sub/b.yml', 'sub/deep/d.yaml']],
    [['**/deep'], ['sub/deep/d.yaml']],
    [['sub/[a-b].y?l'], ['sub/b.yml']],
    [['sub/[!a]*'], ['sub/b.yml', 'sub/deep/d.yaml']],
    [['./sub/../*.yaml'], ['a.yaml']],
    [
      ['sub/deep', 'a.yaml', 'sub'],
      ['a.yaml', 'sub/b.yml', 'sub/deep/d.yaml'],
    ],
  ];
  for (const [paths, want] of cases) {
    it(`${JSON.stringify(paths)} names ${want.length} files`, () =>
      assert.deepEqual(selectPaths(paths, FILES), want));
  }

  it('takes an empty repository as it is', () => assert.deepEqual(selectPaths(['/'], []), []));

  for (const path of ['../etc', '../../etc', 'sub/../../etc', '/../etc', '..', 'sub/../../sub']) {
    it(`refuses ${path}`, () =>
      assert.throws(() => selectPaths([path], FILES), {
        name: 'PathError',
        code: 'PathEscapes',
        message: `path "${path}" resolves outside the repository root`,
      }));
  }
  for (const path of [
    'su',
    'sub/x',
    '/etc/passwd',
    'sub/*.yaml',
    'a.yaml/x',
    '*/x',
    'sub/[c-z]',
    '[',
    '**/x',
  ]) {
    it(`misses ${path}`, () =>
      assert.throws(() => selectPaths(['sub', path], FILES), { code: 'PathMissing' }));
  }
});

describe('a glob', () => {
  it('names what bears its very name, and then nothing else', () => {
    const files = ['a*.yaml', 'ab.yaml', '[x]/c.yaml', 'x/c.yaml'];
    assert.deepEqual(selectPaths(['a*.yaml'], files), ['a*.yaml']);
    assert.deepEqual(selectPaths(['[x]'], files), ['[x]/c.yaml']);
  });
  it('may not lead out', () => {
    assert.throws(() => selectPaths(['*/../../x'], FILES), { code: 'PathEscapes' });
  });
  it('takes all but its wildcards for itself', () => {
    const files = ['a.b+(c)^$|{d}\\.yaml', 'axb.yaml', 'new\nline.yaml'];
    assert.deepEqual(selectPaths(['a.b+(c)^$|{d}\\.y*'], files), [files[0]]);
    assert.deepEqual(selectPaths(['new*'], files), [files[2]]);
    assert.deepEqual(selectPaths(['a[^]x-z^]b*'], files), [files[0]]);
    assert.deepEqual(selectPaths(['a[^].]b*'], files), [files[1]]);
  });
  it('takes linear time, however many ways lead through it', () => {
    const deep = `${'a/'.repeat(500)}b.yaml`;
    assert.throws(() => selectPaths([`${'**/'.repeat(200)}c.yaml`], [deep]), { code: 'PathMissing' });
    assert.throws(() => selectPaths([`${'*a'.repeat(100)}b`], ['a'.repeat(2000)]), { code: 'PathMissing' });
  });
  it('is as node:path has it, where both have the same wildcards', () => {
    const part = fc.constantFrom('a', 'b', 'ab', '.x');
    const wild = fc.oneof(part, fc.constantFrom('*', 'a*', '?', '[ab]', '**', '*b'));
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const glob = fc.array(wild, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(path, glob, (one, pattern) => {
        fc.pre(isGlob(pattern) && !one.includes('.x') && !pattern.endsWith('**'));
        const isNamed = one
          .split('/')
          .some((_, i, all) => nodePath.matchesGlob(all.slice(0, i + 1).join('/'), pattern));
        assert.equal(pathGlob(pattern)(one), isNamed, `${pattern} and ${one}`);
      }),
    );
  });
});

describe('cleanPath', () => {
  it('is the shortest form', () => {
    assert.deepEqual(['/', '.', 'a/b', '/a//b/', './a/../b'].map(cleanPath), ['', '', 'a/b', 'a/b', 'b']);
  });
  it('throws PathError', () => assert.throws(() => cleanPath('..'), PathError));
});
