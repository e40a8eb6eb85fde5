import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, type AgentOptions, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { issueAuthority, issueServing, type KeyedCertificate } from '../../certs/authority.ts';
import type { KeyPair } from '../../webhook/server.ts';

const VALIDITY = { now: new Date(), validMs: 3_600_000 };

/** An authority and as many serving certificates for 127.0.0.1 as asked for. */
export async function certificates(count: number): Promise<{ ca: string; pairs: KeyPair[] }> {
  const authority: KeyedCertificate = await issueAuthority(VALIDITY);
  const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const pairs: KeyPair[] = [];
  for (let index = 0; index < count; index++) {
    const { certificate, key } = await issueServing({ authority, ...names, ...VALIDITY });
    pairs.push({ cert: certificate, key });
  }
  return { ca: authority.certificate, pairs };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Was the request sent on a connection that had served another one? */
  readonly reused: boolean;
}

/** A client that keeps its one connection open, as the API server does. */
export class Client {
  readonly #agent: Agent;
  readonly #port: number;

  constructor(port: number, ca: string, options: AgentOptions = {}) {
    this.#port = port;
    this.#agent = new Agent({ ca, keepAlive: true, maxSockets: 1, ...options });
  }

  /** Sends a request; its body is `body`, or what `write` writes to it. */
  async send(
    method: string,
    path: string,
    body: string | Buffer = '',
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<Reply> {
    const sent = request({ host: '127.0.0.1', port: this.#port, method, path, headers, agent: this.#agent });
    sent.end(body);
    return replyTo(sent);
  }

  post(body: object | string): Promise<Reply> {
    return this.send('POST', '/mutate', typeof body === 'string' ? body : JSON.stringify(body));
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function replyTo(sent: ReturnType<typeof request>): Promise<Reply> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = await response.toArray();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
    reused: sent.reusedSocket,
  };
}

/** What a fresh handshake shows: the protocol that was agreed on and the server's certificate. */
export async function handshake(
  port: number,
  ca: string,
  offered: string[],
): Promise<{ protocol: string | false | null; version: string | null; certificate: X509Certificate }> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: offered });
  try {
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) throw new Error('the server showed no certificate');
    return { protocol: socket.alpnProtocol, version: socket.getProtocol(), certificate };
  } finally {
    socket.destroy();
  }
}
