import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Address } from './address.ts';

/** What a program answers the kubelet and Prometheus. */
export interface Probes {
  /** Undefined when ready, else what is still missing. */
  readonly notReady: () => string | undefined;
  readonly metrics: Registry;
}

/**
 * Serves `/healthz`, `/readyz` and `/metrics` over plain HTTP.
 *
 * @returns the server, listening, and its port
 */
export async function serveProbes(
  address: Address,
  { notReady, metrics }: Probes,
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'Content-Type': type }).end(body);
    };
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return answer(200, 'ok\n');
      case '/readyz': {
        const missing = notReady();
        return missing === undefined ? answer(200, 'ok\n') : answer(503, `${missing}\n`);
      }
      case '/metrics':
        return void metrics.metrics().then(
          (text) => answer(200, text, metrics.contentType),
          (error: unknown) => answer(500, `${String(error)}\n`),
        );
      default:
        return answer(404, 'not found\n');
    }
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
