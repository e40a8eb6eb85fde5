import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A connection that came in, and the one it is carried on by. */
export interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Resets both. */
  cut(): void;
}

/**
 * Carries a connection on to a port of 127.0.0.1. When one side ends what it sends, the other still may send; when one fails,
 * the other is reset.
 *
 * @param through what the bytes for the client go through
 */
export function carry(client: Socket, target: number, ...through: readonly Duplex[]): Link {
  const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  client.pipe(upstream);
  through.reduce<Socket | Duplex>((from, to) => from.pipe(to), upstream).pipe(client);
  client.once('error', () => upstream.resetAndDestroy());
  upstream.once('error', () => client.resetAndDestroy());
  return {
    client,
    upstream,
    cut: () => {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    },
  };
}

/**
 * Listens on a port of 127.0.0.1.
 *
 * @param port 0: any that is free
 */
export async function listenTcp(port: number, take: (client: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    // It is reset whenever a test likes; its other end hears of that.
    client.on('error', () => {});
    take(client);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
