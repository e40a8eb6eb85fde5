import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { lines } from '../../kube/lines.ts';

async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function read(stream: AsyncIterable<Buffer>): Promise<string[]> {
  const read: string[] = [];
  for await (const line of lines(stream)) read.push(line);
  return read;
}

describe('lines', () => {
  it('gives back any lines, however the bytes are cut', async () => {
    const line = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !/[\n\r]/.test(text) && text.trim() !== '');
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), sizes, async (texts, cut) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
        assert.deepEqual(await read(inPieces(bytes, cut)), texts);
      }),
    );
  });

  it('leaves out blank lines and a last line that broke off', async () => {
    assert.deepEqual(await read(inPieces(Buffer.from('a\n\n \nb\nhal'), [3])), ['a', 'b']);
  });

  it('refuses a line that never ends', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield chunk;
    }
    await assert.rejects(read(endless()), { code: 'Server', message: /longer than/ });
  });
});
