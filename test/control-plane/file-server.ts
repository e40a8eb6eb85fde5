import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of files that can cut a connection, for the tests of downloads. */
export interface FileServer {
  readonly url: string;
  /** The requests so far: path, and the `Range` they had. */
  readonly requests: { path: string; range: string | undefined }[];
  /** Serves a file, and its SHA-256 at the same path with `.sha256`. */
  publish(path: string, content: Buffer): void;
  /** Cuts the connection of the next request for that path after so many bytes of the body. */
  cutOnce(path: string, afterBytes: number): void;
  stop(): Promise<void>;
}

export async function startFileServer(): Promise<FileServer> {
  const files = new Map<string, Buffer>();
  const cuts = new Map<string, number>();
  const requests: FileServer['requests'] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.push({ path, range: request.headers.range });
    const content = files.get(path);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const cut = cuts.get(path);
    cuts.delete(path);
    send(request, response, content, cut);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    publish: (path, content) => {
      files.set(path, content);
      files.set(`${path}.sha256`, Buffer.from(`${createHash('sha256').update(content).digest('hex')}\n`));
    },
    cutOnce: (path, afterBytes) => void cuts.set(path, afterBytes),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  cut: number | undefined,
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from > 0 && from >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const part = content.subarray(from);
  const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, ...(from > 0 && range) });
  if (cut === undefined) return void response.end(part);
  response.write(part.subarray(0, cut), () => response.destroy());
}
