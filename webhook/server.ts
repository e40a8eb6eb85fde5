import { once } from 'node:events';
import { IncomingMessage, type OutgoingHttpHeaders, type RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A certificate chain and its key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

// The API server keeps idle connections for 90 s and never repeats a POST on one that was closed under it, so ours must
// outlive them. Node's default is 5 s.
const KEEP_ALIVE_MS = 120_000;
const HEADERS_MS = 10_000;
// More than the API server waits for us (`timeoutSeconds: 2`), and together with the grace less than the kubelet does.
const FINISH_MS = 4000;

/** The HTTPS server of the webhook: HTTP/1.1, a certificate that can be exchanged while it serves, a drain that loses nothing. */
export class AdmissionServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #draining = false;

  constructor(handle: RequestListener, pair: KeyPair) {
    this.#server = createServer(
      {
        ...pair,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: HEADERS_MS,
        handshakeTimeout: HEADERS_MS,
        IncomingMessage,
        ServerResponse: responsesThatCloseWhen(() => this.#draining),
      },
      handle,
    );
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /**
   * @param host all interfaces when undefined
   * @returns the port that was bound
   */
  async listen(host: string | undefined, port: number): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Serves new connections with another certificate; those that exist go on. */
  exchangeCertificate(pair: KeyPair): void {
    this.#server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' });
  }

  /**
   * Takes leave: for `graceMs` all requests are still served, new connections too, since the Service forgets us only by and
   * by, and each answer closes its connection. Then the port is closed, and what is in flight is finished, for which it
   * has `finishMs`; a connection that is still open then is cut, one that has not got through its handshake too.
   */
  async drain(graceMs: number, finishMs = FINISH_MS): Promise<void> {
    if (!this.#server.listening) return;
    this.#draining = true;
    await delay(graceMs);
    const closed = once(this.#server, 'close');
    this.#server.close();
    const cut = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), finishMs);
    await closed;
    clearTimeout(cut);
  }
}

/**
 * Responses that ask, when their headers are written, whether to close the connection. Asked when the request comes, one
 * that is in flight when the drain begins would leave its connection open, for another request that nobody reads.
 */
function responsesThatCloseWhen(isClosing: () => boolean): typeof ServerResponse {
  return class<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
    override writeHead(status: number, ...rest: unknown[]): this {
      if (isClosing()) this.setHeader('Connection', 'close');
      return super.writeHead(status, ...(rest as [OutgoingHttpHeaders?]));
    }
  };
}
