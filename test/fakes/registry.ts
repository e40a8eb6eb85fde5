import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { digestOf, imageManifest } from './registry-content.ts';
import { DEFAULT_DIALECT, type Dialect } from './registry-dialect.ts';
import { type Fault, type Respond, registryError, respondWith, type SeenRequest } from './registry-faults.ts';
import { pageOf } from './registry-pages.ts';
import { FakeTokens, knowsUser } from './registry-tokens.ts';

export * from './registry-content.ts';
export * from './registry-dialect.ts';
export * from './registry-faults.ts';

interface Stored {
  readonly mediaType: string;
  readonly content: Buffer;
}

interface StoredRepository {
  readonly tags: Map<string, string>;
  readonly manifests: Map<string, Stored>;
  readonly blobs: Map<string, Buffer>;
}

/**
 * A registry on a real socket that speaks the dialects of real ones and makes the mistakes that real ones do not make on
 * demand. Reading only: images are put in by {@link FakeRegistry.push}.
 */
export class FakeRegistry {
  readonly requests: SeenRequest[] = [];
  readonly dialect: Dialect;
  readonly #repositories = new Map<string, StoredRepository>();
  readonly #faults: { fault: Fault; seen: number }[] = [];
  readonly #tokens: FakeTokens;
  readonly #server: ReturnType<typeof createServer>;
  readonly #scheme: 'http' | 'https';

  constructor(dialect: Partial<Dialect>, tls?: { key: string; cert: string }) {
    this.dialect = { ...DEFAULT_DIALECT, ...dialect };
    this.#tokens = new FakeTokens(this.dialect);
    const listener: RequestListener = (request, response) => void this.#handle(request, response);
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    this.#scheme = tls === undefined ? 'http' : 'https';
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get origin(): string {
    return `${this.#scheme}://${this.host}`;
  }

  /** The requests for a path that matches, in the order they came. */
  seen(path: RegExp): SeenRequest[] {
    return this.requests.filter((request) => path.test(request.path));
  }

  /** Stores a manifest, under a tag unless that is undefined, and returns its digest. Without one it is that of an image of its own. */
  push(
    repository: string,
    tag: string | undefined,
    manifest: object = imageManifest(`${repository}:${tag}`),
  ): string {
    const mediaType = 'mediaType' in manifest ? String(manifest.mediaType) : 'application/json';
    const content = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(content);
    const { tags, manifests } = this.#stored(repository);
    manifests.set(digest, { mediaType, content });
    if (tag !== undefined) tags.set(tag, digest);
    return digest;
  }

  /** Stores a blob, and returns its descriptor without the media type. */
  pushBlob(repository: string, content: Buffer): { digest: string; size: number } {
    const digest = digestOf(content);
    this.#stored(repository).blobs.set(digest, content);
    return { digest, size: content.length };
  }

  /** Deletes a tag; what it named stays. */
  untag(repository: string, tag: string): void {
    this.#stored(repository).tags.delete(tag);
  }

  /** Makes a repository without tags. */
  makeEmpty(repository: string): void {
    this.#stored(repository).tags.clear();
  }

  #stored(name: string): StoredRepository {
    const known = this.#repositories.get(name);
    if (known !== undefined) return known;
    const repository = { tags: new Map(), manifests: new Map(), blobs: new Map() };
    this.#repositories.set(name, repository);
    return repository;
  }

  /** Has some requests answered otherwise; of several faults for one request the first put in counts. */
  fail(fault: Fault): void {
    this.#faults.push({ fault, seen: 0 });
  }

  /** Makes all tokens invalid, as a token server with a short memory would. */
  revokeTokens(): void {
    this.#tokens.revokeAll();
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', this.origin);
    const request: SeenRequest = {
      method: message.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
      body: await text(message),
    };
    this.requests.push(request);
    const respond = this.#faultFor(request) ?? this.#route(request);
    respond(request, response);
  }

  #faultFor(request: SeenRequest): Respond | undefined {
    for (const entry of this.#faults) {
      const { method, path, after = 0, times = Number.POSITIVE_INFINITY, respond } = entry.fault;
      if (method !== undefined && method !== request.method) continue;
      if (path !== undefined && !path.test(request.path)) continue;
      entry.seen += 1;
      if (entry.seen > after && entry.seen <= after + times) return respond;
    }
    return undefined;
  }

  #route(request: SeenRequest): Respond {
    if (request.path === '/token') return this.#tokens.respond;
    const [, name = '', kind, reference = ''] =
      /^\/v2\/(?:(.+)\/(tags|manifests|blobs)\/(.+))?$/.exec(request.path) ?? [];
    if (!this.#mayRead(request, name, this.#actionsFor(kind))) return this.#challenge;
    if (kind === undefined) return respondWith(200, {}, '{}');
    const repository = this.#repositories.get(name);
    if (repository === undefined) return registryError(404, 'NAME_UNKNOWN');
    if (kind === 'tags') return this.#list(name, [...repository.tags.keys()]);
    if (kind === 'blobs') return this.#blob(reference, repository.blobs.get(reference));
    return this.#manifest(repository.manifests.get(repository.tags.get(reference) ?? reference));
  }

  #actionsFor(kind: string | undefined): readonly string[] {
    return kind === 'tags' ? this.dialect.listActions : ['pull'];
  }

  #mayRead({ headers }: SeenRequest, repository: string, actions: readonly string[]): boolean {
    const [scheme, value = ''] = (headers.authorization ?? '').split(' ');
    if (this.dialect.auth === 'None') return true;
    if (this.dialect.auth === 'Basic') return scheme === 'Basic' && knowsUser(this.dialect, value);
    return scheme === 'Bearer' && this.#tokens.allows(value, repository, actions);
  }

  readonly #challenge: Respond = (request, response) => {
    const [, repository, kind] = /^\/v2\/(.+)\/(tags|manifests|blobs)\//.exec(request.path) ?? [];
    const actions = this.#actionsFor(kind).join(',');
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:${actions}"`;
    const implied =
      this.dialect.auth === 'Basic'
        ? 'Basic realm="fake"'
        : `Bearer realm="${this.origin}/token",service="fake"${scope}`;
    const challenges = (this.dialect.challenges ?? [implied]).map((challenge) => this.#atHome(challenge));
    respondWith(
      401,
      { 'www-authenticate': challenges },
      '{"errors":[{"code":"UNAUTHORIZED"}]}',
    )(request, response);
  };

  #list(name: string, tags: readonly string[]): Respond {
    return (request, response) => {
      const { tooMany, emptyList, link, listFields } = this.dialect;
      const isTooMany = tooMany !== undefined && Number(request.query.get('n') ?? 0) > tooMany.above;
      if (isTooMany) {
        const { status, code, message } = tooMany;
        return registryError(status, code, message)(request, response);
      }
      const { page, next } = pageOf(this.dialect, tags, request.query);
      const headers = next === undefined ? {} : { link: this.#atHome(link(`/v2/${name}/tags/list?${next}`)) };
      const list = { name, ...listFields(tags), tags: tags.length === 0 ? emptyList : page };
      this.#unlessKnown(headers, Buffer.from(JSON.stringify(list)))(request, response);
    };
  }

  #atHome(text: string): string {
    return text.replace('{origin}', this.origin);
  }

  #manifest(stored: Stored | undefined): Respond {
    return (request, response) => {
      if (request.method === 'HEAD' && !this.dialect.head)
        return registryError(405, 'UNSUPPORTED')(request, response);
      if (stored === undefined) return registryError(404, 'MANIFEST_UNKNOWN')(request, response);
      const digest = this.dialect.digestHeader(digestOf(stored.content));
      const headers = {
        'content-type': stored.mediaType,
        ...(digest !== undefined && { 'docker-content-digest': digest }),
      };
      this.#unlessKnown(headers, stored.content)(request, response);
    };
  }

  #blob(digest: string, content: Buffer | undefined): Respond {
    const location = this.dialect.blobLocation?.(digest);
    if (location !== undefined) return respondWith(307, { location });
    if (content === undefined) return registryError(404, 'BLOB_UNKNOWN');
    return respondWith(200, { 'content-type': 'application/octet-stream', ...this.dialect.headers }, content);
  }

  /** The answer, or 304 for who has it already. */
  #unlessKnown(own: Record<string, string>, body: Buffer): Respond {
    return (request, response) => {
      const headers = { ...this.dialect.headers, ...own };
      if (!this.dialect.etag) return respondWith(200, headers, body)(request, response);
      const etag = `"${digestOf(body)}"`;
      const isKnown = request.headers['if-none-match'] === etag;
      respondWith(isKnown ? 304 : 200, { ...headers, etag }, isKnown ? '' : body)(request, response);
    };
  }
}

/** Starts a {@link FakeRegistry} on a free port of 127.0.0.1. */
export async function startFakeRegistry(
  dialect: Partial<Dialect> = {},
  tls?: { key: string; cert: string },
): Promise<FakeRegistry> {
  return new FakeRegistry(dialect, tls).start();
}
