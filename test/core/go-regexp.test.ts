import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { compileGoRegExp, GoRegExpError, parseTemplate } from '../../core/go-regexp.ts';

const expand = (pattern: string, text: string, template: string): string | undefined =>
  compileGoRegExp(pattern).expand(text, parseTemplate(template));

describe('a regular expression of Go', () => {
  for (const [pattern, text, matches] of [
    ['b', 'abc', true],
    ['^b', 'abc', false],
    ['(?i)ABC', 'xabcx', true],
    ['(?P<year>\\d{4})', '2026-01', true],
    ['(?<year>\\d{4})', '2026-01', true],
    ['^\\d+\\.\\d+$', '1.2\n', false],
    ['[[:alpha:]]+', '123', false],
    ['', '', true],
  ] as const) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () =>
      assert.equal(compileGoRegExp(pattern).test(text), matches));
  }

  for (const pattern of [
    '(',
    '(?=a)',
    '(?<!a)b',
    '\\1',
    'a**',
    '[b-a]',
    'a{1001}',
    '(?P<n>a)(?P<n>b)',
    '\\',
  ]) {
    it(`${pattern} is refused`, () => assert.throws(() => compileGoRegExp(pattern), GoRegExpError));
  }

  it('takes a time that is linear in the text, whatever the pattern', () => {
    const text = `${'a'.repeat(2000)}!`;
    for (const pattern of ['(a*)*$', '(a|a)*b', '(a|aa)+$', '(.*)*x', '^(a+)+$']) {
      assert.equal(compileGoRegExp(pattern).test(text), pattern === '(a*)*$');
    }
  });
});

describe('a template', () => {
  // https://pkg.go.dev/regexp#Regexp.Expand
  for (const [template, expected] of [
    ['$1', '1'],
    ['$major.$2', '1.2'],
    ['${major}x', '1x'],
    ['$majorx', ''],
    ['$1x', ''],
    ['$0', 'v1.2'],
    ['$9', ''],
    ['$01', ''],
    ['${1}0', '10'],
    ['$100000000', ''],
    ['$1é', ''],
    ['${1}é', '1é'],
    ['${ 1}', '${ 1}'],
    ['$unknown-', '-'],
    ['$constructor', ''],
    ['$$1', '$1'],
    ['a$', 'a$'],
    ['$-$', '$-$'],
    ['${', '${'],
    ['${major', '${major'],
    ['${}', '${}'],
    ['$3', ''],
    ['', ''],
  ] as const) {
    it(`${template} gives ${JSON.stringify(expected)}`, () =>
      assert.equal(expand('v(?P<major>\\d+)\\.(\\d+)(x)?', 'v1.2', template), expected));
  }

  it('takes a number for a place, also where a group has it for a name', () => {
    assert.equal(expand('(a)(?P<1>b)', 'ab', '$1'), 'a');
    assert.equal(expand('(a)(?P<01>b)', 'ab', '$01'), 'b');
    assert.equal(expand('(a)(?P<7>b)', 'ab', '$7'), '');
  });

  it('gives nothing where the pattern does not match', () =>
    assert.equal(expand('x', 'abc', 'a'), undefined));

  it('reads any text, and keeps what has no dollar sign', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (template) => {
        const expanded = expand('^', '', template) ?? '';
        if (!template.includes('$')) assert.equal(expanded, template);
        assert.ok(expanded.length <= template.length);
      }),
    );
  });
});
