import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { rowOf, Table } from '../../kubectl-plugin/table.ts';

describe('a table', () => {
  it('has columns as wide as their widest cell, three spaces apart, and no space at the end of a line', () => {
    const lines = new Table(['NAME', 'TAG', 'READY']).lines([
      ['web', '1.0.0', 'True'],
      ['a-long-name', '2', 'False'],
    ]);
    assert.deepEqual(lines, [
      'NAME          TAG     READY',
      'web           1.0.0   True',
      'a-long-name   2       False',
    ]);
  });

  it('has headings only where there is something to head, and once', () => {
    const table = new Table(['NAME', 'TAG']);
    assert.deepEqual(table.lines([]), []);
    assert.deepEqual(table.lines([['web', '1']]), ['NAME   TAG', 'web    1']);
    assert.deepEqual(table.lines([['api', '2']]), ['api    2']);
  });

  it('keeps the width of its columns when more rows come, as in a watch', () => {
    const table = new Table(['NAME', 'TAG']);
    table.lines([['a-long-name', '1']]);
    assert.deepEqual(table.lines([['web', '2']]), ['web           2']);
    assert.deepEqual(table.lines([['a-longer-name', '3']]), ['a-longer-name   3']);
    assert.deepEqual(table.lines([['web', '4']]), ['web             4']);
  });
});

describe('a row', () => {
  const say = (text: string | undefined) => rowOf([{ heading: 'SAYS', cell: () => text }], {})[0];

  it('says <none> where there is nothing to say', () => {
    assert.equal(say(undefined), '<none>');
    assert.equal(say(''), '<none>');
  });

  it('holds nothing that a terminal obeys or that ends a line, and loses no other text', () => {
    assert.equal(say('401\nUnauthorized\u001b[2J\u0007'), '401 Unauthorized [2J ');
    assert.equal(say('x'.repeat(5000)), 'x'.repeat(5000));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(say(text) ?? '')),
    );
  });
});
