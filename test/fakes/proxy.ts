import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** An HTTP proxy on a free port of 127.0.0.1: CONNECT for TLS, and requests with a whole URL for plain HTTP. */
export interface Proxy extends AsyncDisposable {
  readonly url: string;
  /** What it was asked for: `CONNECT host:port` or `GET http://…`, with the credentials it was shown. */
  readonly asked: readonly { readonly line: string; readonly authorization: string | undefined }[];
}

/**
 * Starts one. All hosts are had from `upstream`, a port of 127.0.0.1, whatever their names.
 *
 * @param options.refuse the status with which it refuses every CONNECT
 */
export async function startProxy(upstream: number, options: { refuse?: number } = {}): Promise<Proxy> {
  const asked: { line: string; authorization: string | undefined }[] = [];
  const note = (message: IncomingMessage): void => {
    const { method = '', url = '', headers } = message;
    asked.push({ line: `${method} ${url}`, authorization: headers['proxy-authorization'] });
  };
  const server = createServer((message, response) => {
    note(message);
    const { pathname, search } = new URL(message.url ?? '');
    const { method, headers } = message;
    const onward = request(
      { host: '127.0.0.1', port: upstream, method, headers, path: `${pathname}${search}` },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', (error) => response.destroy(error));
    message.pipe(onward);
  });
  server.on('connect', (message, socket, head) => {
    note(message);
    if (options.refuse !== undefined)
      return socket.end(`HTTP/1.1 ${options.refuse} Refused\r\ncontent-length: 0\r\n\r\n`);
    const onward = connect(upstream, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
