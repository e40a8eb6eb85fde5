import { connect, type TLSSocket } from 'node:tls';

/** What a load came to. */
export interface LoadResult {
  readonly requestsPerSecond: number;
  /** Milliseconds, of each request, sorted. */
  readonly latencies: Float64Array;
}

/** Where to send which request, and for how long. */
export interface Load {
  readonly port: number;
  readonly ca: string;
  /** Path and body of a POST. */
  readonly path: string;
  readonly body: string;
  readonly connections: number;
  readonly durationMs: number;
}

/**
 * Sends one request again and again over kept-alive TLS connections, one at a time on each. Works on the bytes of the
 * sockets: a full HTTP client costs as much as the server it measures, and would hide the difference between two of them.
 *
 * @throws {Error} when an answer is not 200, or a connection ends
 */
export async function applyLoad(load: Load): Promise<LoadResult> {
  const head = `POST ${load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(load.body)}\r\n\r\n`;
  const request = Buffer.from(head + load.body);
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load)));
  const latencies: number[] = [];
  const begun = performance.now();
  await Promise.all(sockets.map((socket) => repeat(socket, request, begun + load.durationMs, latencies)));
  const seconds = (performance.now() - begun) / 1000;
  for (const socket of sockets) socket.destroy();
  return { requestsPerSecond: latencies.length / seconds, latencies: Float64Array.from(latencies).sort() };
}

function open({ port, ca }: Load): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => resolve(socket));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}

function repeat(socket: TLSSocket, request: Buffer, until: number, latencies: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let received: Buffer = Buffer.alloc(0);
    const send = (): void => {
      sent = performance.now();
      socket.write(request);
    };
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = answerLength(received);
      if (length === undefined || received.length < length) return;
      if (!received.subarray(0, 15).includes(' 200 '))
        return reject(new Error(received.toString('latin1', 0, 500)));
      received = Buffer.alloc(0);
      const now = performance.now();
      latencies.push(now - sent);
      if (now < until) send();
      else resolve();
    });
    socket.once('close', () => reject(new Error('the server closed a connection')));
    send();
  });
}

/** The length of the answer that begins here; undefined while its headers are incomplete. */
function answerLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, end))?.[1];
  return end + 4 + Number(length);
}
