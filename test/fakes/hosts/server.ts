import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { HostCredential, HostProvider } from '../../../git/hosts/host.ts';
import { Forge } from './forge.ts';

/** A request that a fake host got; a body that is no JSON is undefined. */
export interface HostRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly json: Readonly<Record<string, unknown>>;
}

/** What a fake host answers. */
export interface Reply {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Answerer = (response: ServerResponse, request: HostRequest) => void;

/** What a part of an API does, by the groups of its pattern. */
export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly reply: (request: HostRequest, ...groups: string[]) => Reply;
}

/**
 * A host of pull requests on a real socket: a subclass speaks the documented API of one, over what is in its
 * {@link Forge}. It refuses whoever has not its token, and fails where a test says.
 */
export abstract class FakeHost {
  readonly forge = new Forge();
  readonly requests: HostRequest[] = [];
  abstract readonly provider: HostProvider;
  /** Of the API, below the server's address. */
  abstract readonly basePath: string;
  /** Of the repository, as git gets it, below the server's address. */
  protected abstract readonly clonePath: string;
  abstract readonly credential: HostCredential;
  /** Values of the Authorization header that it lets in. */
  protected abstract readonly authorizations: readonly string[];
  protected abstract readonly routes: readonly Route[];
  protected abstract readonly unauthorized: Reply;
  protected abstract readonly notFound: Reply;
  #server: Server | undefined;
  #scheme = 'http';
  readonly #planned: { matches: (request: HostRequest) => boolean; answer: Answerer }[] = [];

  /** Listens on a port of 127.0.0.1; by TLS where it is given a certificate. */
  async start(tls?: { readonly cert: string; readonly key: string }): Promise<this> {
    const serve = (message: IncomingMessage, response: ServerResponse): void =>
      void this.#serve(message, response);
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  get port(): number {
    const address = this.#server?.address();
    if (address === null || typeof address !== 'object') throw new Error('the fake is not started');
    return address.port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** The repository as git gets it. */
  get repositoryUrl(): string {
    return `${this.url}${this.clonePath}`;
  }

  get apiURL(): string {
    return `${this.url}${this.basePath}`;
  }

  /** How many requests came that were to change something. */
  get writes(): number {
    return this.requests.filter(({ method }) => method !== 'GET').length;
  }

  /** Plans the answer to the next request that matches, in place of the usual one. */
  plan(matches: (request: HostRequest) => boolean, answer: Answerer): void {
    this.#planned.push({ matches, answer });
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '', this.url);
    const { method = '', headers } = message;
    const request = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      json: await jsonOf(message),
    };
    this.requests.push(request);
    const plan = this.#planned.findIndex(({ matches }) => matches(request));
    if (plan >= 0) return this.#planned.splice(plan, 1)[0]?.answer(response, request);
    send(response, this.answer(request));
  }

  /** The usual answer to a request. */
  answer(request: HostRequest): Reply {
    const { authorization = '' } = request.headers;
    if (!this.authorizations.includes(authorization)) return this.unauthorized;
    for (const { method, pattern, reply } of this.routes) {
      const match = method === request.method ? pattern.exec(request.path) : null;
      if (match !== null) return reply(request, ...match.slice(1).map(decodeURIComponent));
    }
    return this.notFound;
  }
}

/** Sends an answer in JSON. */
export function send(response: ServerResponse, { status, json, headers = {} }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(json === undefined ? '' : JSON.stringify(json));
}

async function jsonOf(message: IncomingMessage): Promise<HostRequest['json']> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as HostRequest['json']);
}

/** A page of a list by `page` and the named parameter of its size, with a `Link` header as GitHub, GitLab and Gitea have it. */
export function numberedPage(
  request: HostRequest,
  items: readonly unknown[],
  sizeName: string,
  most: number,
): Reply {
  const size = Math.min(Number(request.query.get(sizeName) ?? 20), most);
  const page = Number(request.query.get('page') ?? 1);
  const json = items.slice((page - 1) * size, page * size);
  if (page * size >= items.length) return { status: 200, json };
  const next = new URLSearchParams(request.query);
  next.set('page', String(page + 1));
  return {
    status: 200,
    json,
    headers: { link: `<http://elsewhere.example${request.path}?${next.toString()}>; rel="next"` },
  };
}

/** A field of a request's body that is to be text; undefined when it is not. */
export function text({ json }: HostRequest, field: string): string | undefined {
  const value = json[field];
  return typeof value === 'string' ? value : undefined;
}

/** A field that is to be a list. */
export function list({ json }: HostRequest, field: string): readonly unknown[] {
  const value = json[field];
  return Array.isArray(value) ? value : [];
}
