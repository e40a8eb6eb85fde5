import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDocument } from 'yaml';
import { readsAsDate, readsAsNull, readsAsOtherType } from '../../../core/yaml/typed.ts';

// What kyaml quotes, observed at kyaml v0.21.1, but for the last line: there Go's numbers end, and other parsers' do not.
const TYPED = `0 5 -1 +1 00 08 017 0755 20240101 1_000 1__2 1_ 0_7 99999999999999999999 -9223372036854775809
  0x1F 0X1f -0x1f 0x_0A 0o17 0O7 -0o17 0b11 0B1 -0b101 0b1010_0111 0b-01 1. 1.0 .5 5. -.5 +.5 1_000.5 1._5 .1_0
  1e3 1E5 7e10 12345e7 0e0 1e-7 1.2E+3 1.e3 -.5e1 12e03 .inf .Inf -.inf +.INF .nan .NaN
  y Y yes Yes YES n no NO on On off OFF true True TRUE false null Null NULL ~
  1e400 123e4567 190:20 1:30:59`.split(/\s+/);
const TEXT =
  `1.2.3 v1 1e 1e+ e7 _1 _ 0x 0xg 0b2 0o8 1.2.3e4 6e1f00d yEs tRue nUll inf NaN .e3 .5.5 . .. 1.0. 0-1 1-1
  2024-01-01 latest a:1 1.2.3-rc.1 sha256:0 1:60 x1 0x1.2`.split(/\s+/);

describe('readsAsOtherType', () => {
  for (const text of ['', ...TYPED]) it(`"${text}" is no string`, () => assert.ok(readsAsOtherType(text)));
  for (const text of TEXT) it(`"${text}" is one`, () => assert.ok(!readsAsOtherType(text)));

  it('agrees with YAML 1.2 about what is a string', () => {
    for (const text of TEXT) assert.equal(typeof parseDocument(text).toJS(), 'string', text);
  });
});

describe('readsAsNull', () => {
  it('knows the four spellings and none', () => {
    assert.deepEqual(['', '~', 'null', 'Null', 'NULL', 'nUll', 'x'].map(readsAsNull), [
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('readsAsDate', () => {
  it('knows dates with and without leading zeros', () => {
    assert.deepEqual(['2024-01-01', '2024-1-1', '2024-01-01-x', '20240101'].map(readsAsDate), [
      true,
      true,
      false,
      false,
    ]);
  });
});
