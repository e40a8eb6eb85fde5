import { ApiError } from './errors.ts';

/** An answer of the API server, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A page of 500 large pods is about 20 MiB. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;
const MAX_PAUSE_MS = 10_000;

/**
 * Reads an answer's body.
 *
 * @throws {ApiError} 'Server' when it is larger than 128 MiB
 */
export async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new ApiError('Server', `the API server's answer is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** How long to wait before a call is sent again, in milliseconds; undefined: it is not to be. */
export function pauseBeforeRetry(method: string, answer: Answer): number | undefined {
  // 429 says that the call was not begun, so any may be repeated; 503 may come from half way.
  const repeatable =
    answer.status === 429 || (answer.status === 503 && (method === 'GET' || method === 'DELETE'));
  if (!repeatable) return undefined;
  const seconds = Number(answer.headers['retry-after']);
  return seconds >= 0 && seconds * 1000 <= MAX_PAUSE_MS ? seconds * 1000 : undefined;
}
