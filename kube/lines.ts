import { StringDecoder } from 'node:string_decoder';
import { ApiError } from './errors.ts';

/** Far above the largest object that etcd takes (1.5 MiB by default), far below what would hurt. */
const MAX_LINE = 16 * 1024 * 1024;

/**
 * Cuts a stream of UTF-8 bytes into its lines, in linear time. Blank lines, and an unfinished last line, are left out: the
 * stream broke off inside it.
 *
 * @throws {ApiError} 'Server' when a line grows beyond 16 MiB
 */
export async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let pending: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const [first = '', ...more] = decoder.write(chunk).split('\n');
    pending.push(first);
    length += first.length;
    if (length > MAX_LINE)
      throw new ApiError('Server', `a watch event is longer than ${MAX_LINE} characters`);
    for (const next of more) {
      const line = pending.join('');
      pending = [next];
      length = next.length;
      if (line.trim() !== '') yield line;
    }
  }
}
