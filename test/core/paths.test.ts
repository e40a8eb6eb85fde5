import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cleanPath, isYamlFile, PathError, selectPaths } from '../../core/paths.ts';

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
  for (const path of ['su', 'sub/x', '/etc/passwd', 'sub/*', 'a.yaml/x']) {
    it(`misses ${path}`, () =>
      assert.throws(() => selectPaths(['sub', path], FILES), { code: 'PathMissing' }));
  }
});

describe('cleanPath', () => {
  it('is the shortest form', () => {
    assert.deepEqual(['/', '.', 'a/b', '/a//b/', './a/../b'].map(cleanPath), ['', '', 'a/b', 'a/b', 'b']);
  });
  it('throws PathError', () => assert.throws(() => cleanPath('..'), PathError));
});
