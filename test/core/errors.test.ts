import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError, messageOf } from '../../core/errors.ts';

class SampleError extends CodedError<'A' | 'B'> {}

describe('CodedError', () => {
  it('has its code, the name of its class and its cause', () => {
    const cause = new Error('below');
    const error = new SampleError('A', 'above', { cause });
    assert.equal(error.code, 'A');
    assert.equal(error.name, 'SampleError');
    assert.equal(error.cause, cause);
    assert.equal(String(error), 'SampleError: above');
  });
});

describe('messageOf', () => {
  const rows: [thrown: unknown, message: string][] = [
    [new SampleError('B', 'wrong'), 'wrong'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [null, 'null'],
  ];
  for (const [thrown, message] of rows) {
    it(`of ${String(thrown)} is "${message}"`, () => assert.equal(messageOf(thrown), message));
  }
});
