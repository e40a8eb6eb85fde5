import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeClient } from '../../kube/client.ts';
import { type Json, mergePatch } from './merge-patch.ts';

/** A request that the fake got. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly isWatch: boolean;
}

type Answerer = (request: Recorded, response: ServerResponse) => void;

interface StoredObject extends Json {
  metadata: Json & { name: string; namespace: string; resourceVersion: string };
}

interface Watch {
  readonly collection: Collection;
  readonly response: ServerResponse;
}

interface Collection {
  readonly resource: string;
  readonly namespace: string | undefined;
}

interface LogEntry {
  readonly resource: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: StoredObject;
}

/**
 * A small API server on a real socket, for what a real one does not do on demand: it fails where a test says. It keeps objects
 * of any resource, lists them in pages, watches, creates, merge-patches with the resourceVersion as a precondition, deletes.
 */
export class FakeApiServer {
  readonly requests: Recorded[] = [];
  /** API groups that it does not serve. */
  readonly unserved = new Set<string>();
  /** How a watch from a forgotten resourceVersion is refused: by its HTTP status, or by an event on a stream left open. */
  expireBy: 'status' | 'event' = 'status';
  readonly #server: Server;
  readonly #objects = new Map<string, StoredObject>();
  readonly #log: LogEntry[] = [];
  readonly #watches = new Set<Watch>();
  readonly #planned: { matches: (request: Recorded) => boolean; answer: Answerer }[] = [];
  #version = 100;
  #oldest = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** A client of this server, without a kubeconfig. */
  client(requestTimeoutMs = 10_000): KubeClient {
    const identity = Promise.resolve({ headers: {}, tls: {} });
    const credentials = {
      server: this.url,
      namespace: 'default',
      proxy: 'none' as const,
      identity: () => identity,
      renew: () => {},
    };
    return new KubeClient(credentials, { requestTimeoutMs });
  }

  /** Plans the answer to the next request that matches, in place of the usual one; the earliest plan counts first. */
  plan(matches: (request: Recorded) => boolean, answer: Answerer): void {
    this.#planned.push({ matches, answer });
  }

  /** Drops the plans that no request has met. */
  unplan(): void {
    this.#planned.length = 0;
  }

  /** Creates or replaces an object and tells the watches; `resource` is the path without namespace, as `/api/v1/pods`. */
  put(resource: string, object: Json & { metadata: { name: string; namespace?: string } }): StoredObject {
    const { name, namespace = '' } = object.metadata;
    const key = keyOf(resource, namespace, name);
    const known = this.#objects.has(key);
    const metadata = { uid: key, ...object.metadata, name, namespace, resourceVersion: this.#nextVersion() };
    const stored = { ...object, metadata };
    this.#objects.set(key, stored);
    this.#emit({ resource, type: known ? 'MODIFIED' : 'ADDED', object: stored });
    return stored;
  }

  remove(resource: string, namespace: string, name: string): void {
    const key = keyOf(resource, namespace, name);
    const object = this.#objects.get(key);
    if (object === undefined) throw new Error(`the fake has no ${key}`);
    this.#objects.delete(key);
    this.#emit({
      resource,
      type: 'DELETED',
      object: { ...object, metadata: { ...object.metadata, resourceVersion: this.#nextVersion() } },
    });
  }

  /** Forgets all versions up to now: pages and watches that go on from one of them are refused with 410. */
  compact(): void {
    this.#oldest = Number(this.#nextVersion());
  }

  /** Sends text to every open watch. */
  sendToWatches(text: string): void {
    for (const { response } of this.#watches) response.write(text);
  }

  sendBookmark(): void {
    const object = { metadata: { resourceVersion: this.#nextVersion() } };
    this.sendToWatches(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  /** Ends every watch as the server does when its time is over. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  /** Cuts the connection of every watch. */
  resetWatches(): void {
    for (const { response } of this.#watches) response.socket?.resetAndDestroy();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const url = new URL(incoming.url ?? '/', this.url);
    const request: Recorded = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString(),
      isWatch: url.searchParams.get('watch') === 'true',
    };
    this.requests.push(request);
    const planned = this.#planned.findIndex(({ matches }) => matches(request));
    const [plan] = planned < 0 ? [] : this.#planned.splice(planned, 1);
    if (plan !== undefined) plan.answer(request, response);
    else this.answer(request, response);
  }

  /** The usual answer to a request, for a plan that only does something before it. */
  answer(request: Recorded, response: ServerResponse): void {
    const { name, ...collection } = parsePath(request.path);
    const [, root, group = ''] = request.path.split('/');
    if (root === 'apis' && this.unserved.has(group)) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      return;
    }
    if (request.isWatch) return this.#watch(request, collection, response);
    if (request.method === 'POST') return this.#create(request, collection, response);
    if (name === undefined) return this.#list(request, collection, response);
    const object = this.#objects.get(keyOf(collection.resource, collection.namespace ?? '', name));
    if (object === undefined)
      return sendJson(response, 404, status(404, 'NotFound', `${name} not found`, { name }));
    if (request.method === 'PATCH') return this.#patch(request, collection, object, response);
    if (request.method === 'DELETE') this.remove(collection.resource, collection.namespace ?? '', name);
    sendJson(response, 200, object);
  }

  #list({ query }: Recorded, collection: Collection, response: ServerResponse): void {
    const [version = String(this.#version), start = '0'] = query.get('continue')?.split(':') ?? [];
    if (Number(version) < this.#oldest)
      return sendStatus(response, 410, 'Expired', 'the continue token is too old');
    const all = [...this.#objects.entries()]
      .filter(([key, object]) => belongs(key, object, collection))
      .map(([, object]) => object);
    const end = Number(start) + (Number(query.get('limit')) || all.length);
    const more = end < all.length ? { continue: `${version}:${end}` } : {};
    sendJson(response, 200, {
      kind: 'List',
      metadata: { resourceVersion: version, ...more },
      items: all.slice(Number(start), end),
    });
  }

  #watch({ query }: Recorded, collection: Collection, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    const expired = from < this.#oldest;
    if (expired && this.expireBy === 'status')
      return sendStatus(response, 410, 'Expired', 'too old resource version');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch = { collection, response };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    if (expired) {
      response.write(
        `${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired', 'too old resource version') })}\n`,
      );
      return;
    }
    for (const entry of this.#log)
      if (Number(entry.object.metadata.resourceVersion) > from) tell(watch, entry);
  }

  #create({ body }: Recorded, { resource, namespace }: Collection, response: ServerResponse): void {
    const object = JSON.parse(body) as Json & { metadata: { name: string } };
    const { name } = object.metadata;
    if (this.#objects.has(keyOf(resource, namespace ?? '', name))) {
      return sendStatus(response, 409, 'AlreadyExists', `${name} already exists`);
    }
    sendJson(
      response,
      201,
      this.put(resource, { ...object, metadata: { ...object.metadata, ...(namespace && { namespace }) } }),
    );
  }

  #patch({ body }: Recorded, { resource }: Collection, object: StoredObject, response: ServerResponse): void {
    const patch = JSON.parse(body) as Json & { metadata?: { resourceVersion?: string } };
    const wanted = patch.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== object.metadata.resourceVersion) {
      return sendStatus(response, 409, 'Conflict', 'the object has been modified');
    }
    sendJson(response, 200, this.put(resource, mergePatch(object, patch) as StoredObject));
  }

  #emit(entry: LogEntry): void {
    this.#log.push(entry);
    for (const watch of this.#watches) tell(watch, entry);
  }

  #nextVersion(): string {
    this.#version += 1;
    return String(this.#version);
  }
}

/** A `Status` object, the API server's form of an error. */
export function status(code: number, reason: string, message: string, details?: object): Json {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message,
    ...(details && { details }),
  };
}

export function sendStatus(response: ServerResponse, code: number, reason: string, message: string): void {
  sendJson(response, code, status(code, reason, message));
}

export function sendJson(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function tell({ collection, response }: Watch, { resource, type, object }: LogEntry): void {
  const { name, namespace } = object.metadata;
  if (belongs(keyOf(resource, namespace, name), object, collection))
    response.write(`${JSON.stringify({ type, object })}\n`);
}

function belongs(key: string, { metadata }: StoredObject, { resource, namespace }: Collection): boolean {
  return key.startsWith(`${resource} `) && (namespace === undefined || namespace === metadata.namespace);
}

function keyOf(resource: string, namespace: string, name: string): string {
  return `${resource} ${namespace}/${name}`;
}

function parsePath(path: string): Collection & { name: string | undefined } {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const root = parts.splice(0, parts[0] === 'api' ? 2 : 3);
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts.splice(0, 2)[1] : undefined;
  const [plural, name] = parts;
  return { resource: `/${[...root, plural].join('/')}`, namespace, name };
}
