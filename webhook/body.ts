import type { IncomingMessage } from 'node:http';

/**
 * Reads the body of a request. Of one that is too large the rest is read and thrown away, so that whoever sends it can
 * finish and read the answer.
 *
 * @param limit in bytes
 * @param then gets the body, as UTF-8, or undefined when it exceeds the limit; never called when the request breaks off
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  then: (body: string | undefined) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.on('end', () => then(length <= limit ? textOf(chunks) : undefined));
}

function textOf(chunks: readonly Buffer[]): string {
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only.toString() : Buffer.concat(chunks).toString();
}
