import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import type { Issued } from './certificates.ts';

/** A proxy that ends TLS in front of a server in plain text, as an ingress does. */
export interface TlsProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts one in front of `upstream`, as `127.0.0.1:port`. */
export async function startTlsProxy(upstream: string, { certificate: cert, key }: Issued): Promise<TlsProxy> {
  const port = Number(upstream.split(':')[1]);
  const open = new Set<{ destroy(): void }>();
  const server = createServer({ cert, key }, (socket) => {
    const onward = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => open.delete(one));
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
