import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request that came in, for assertions. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers a request in place of the registry. */
export type Respond = (request: SeenRequest, response: ServerResponse) => void;

/** An answer out of the ordinary: for requests of this method and path, from the `after`-th such on, `times` times. */
export interface Fault {
  readonly method?: string;
  readonly path?: RegExp;
  readonly after?: number;
  readonly times?: number;
  readonly respond: Respond;
}

/** How the registry speaks; each is read anew at every request, so a test may change it as it goes. */
export interface Dialect {
  auth: 'None' | 'Basic' | 'Bearer';
  /** Passwords by user. */
  users: Record<string, string>;
  identityTokens: string[];
  /** Whether tokens are given to those without a credential, and are good for reading. */
  anonymousPull: boolean;
  /** False: the token server knows GET only. */
  oauth: boolean;
  tokenField: 'token' | 'access_token';
  expiresIn: number | undefined;
  /** In place of the challenges that `auth` implies. */
  challenges: string[] | undefined;
  pageSize: number;
  /** What is said to a greater `n`. */
  tooMany: { above: number; status: 405 | 400 } | undefined;
  link: (target: string) => string;
  emptyList: null | [];
  head: boolean;
  digestHeader: (digest: string) => string | undefined;
}

export const DEFAULT_DIALECT: Readonly<Dialect> = {
  auth: 'None',
  users: {},
  identityTokens: [],
  anonymousPull: false,
  oauth: true,
  tokenField: 'token',
  expiresIn: 300,
  challenges: undefined,
  pageSize: 1000,
  tooMany: undefined,
  link: (target) => `<${target}>; rel="next"`,
  emptyList: [],
  head: true,
  digestHeader: (digest) => digest,
};

interface Stored {
  readonly mediaType: string;
  readonly content: Buffer;
}

interface IssuedToken {
  readonly scopes: readonly string[];
  revoked: boolean;
}

/**
 * A registry on a real socket that speaks the dialects of real ones and makes the mistakes that real ones do not make on
 * demand. Reading only: images are put in by {@link FakeRegistry.push}.
 */
export class FakeRegistry {
  readonly requests: SeenRequest[] = [];
  readonly dialect: Dialect;
  readonly #repositories = new Map<string, Map<string, Stored>>();
  readonly #faults: { fault: Fault; seen: number }[] = [];
  readonly #tokens = new Map<string, IssuedToken>();
  readonly #server: ReturnType<typeof createServer>;
  readonly #scheme: 'http' | 'https';

  constructor(dialect: Partial<Dialect>, tls?: { key: string; cert: string }) {
    this.dialect = { ...DEFAULT_DIALECT, ...dialect };
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

  /** Stores a manifest under a tag and returns its digest. Without a manifest it is one of an image of its own. */
  push(repository: string, tag: string, manifest: object = imageManifest(`${repository}:${tag}`)): string {
    const mediaType = 'mediaType' in manifest ? String(manifest.mediaType) : 'application/json';
    const content = Buffer.from(JSON.stringify(manifest));
    const tags = this.#repositories.get(repository) ?? new Map<string, Stored>();
    this.#repositories.set(repository, tags.set(tag, { mediaType, content }));
    return digestOf(content);
  }

  /** Makes a repository without tags. */
  makeEmpty(repository: string): void {
    this.#repositories.set(repository, new Map());
  }

  /** Has some requests answered otherwise; of several faults for one request the first put in counts. */
  fail(fault: Fault): void {
    this.#faults.push({ fault, seen: 0 });
  }

  /** Makes all tokens invalid, as a token server with a short memory would. */
  revokeTokens(): void {
    for (const token of this.#tokens.values()) token.revoked = true;
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
    if (request.path === '/token') return this.#token;
    const [, repository = '', kind, reference = ''] =
      /^\/v2\/(?:(.+)\/(tags|manifests)\/(.+))?$/.exec(request.path) ?? [];
    if (!this.#mayRead(request, repository)) return this.#challenge;
    if (kind === undefined) return respondWith(200, {}, '{}');
    const tags = this.#repositories.get(repository);
    if (tags === undefined) return registryError(404, 'NAME_UNKNOWN');
    return kind === 'tags' ? this.#list(repository, [...tags.keys()]) : this.#manifest(tags.get(reference));
  }

  #mayRead({ headers }: SeenRequest, repository: string): boolean {
    const [scheme, value = ''] = (headers.authorization ?? '').split(' ');
    if (this.dialect.auth === 'None') return true;
    if (this.dialect.auth === 'Basic') return scheme === 'Basic' && this.#knowsUser(value);
    const token = this.#tokens.get(value);
    if (scheme !== 'Bearer' || token === undefined || token.revoked) return false;
    return repository === '' || token.scopes.some((scope) => scope.startsWith(`repository:${repository}:`));
  }

  #knowsUser(basic: string): boolean {
    const [user = '', ...password] = Buffer.from(basic, 'base64').toString().split(':');
    return Object.hasOwn(this.dialect.users, user) && this.dialect.users[user] === password.join(':');
  }

  readonly #challenge: Respond = (request, response) => {
    const [, repository] = /^\/v2\/(.+)\/(?:tags|manifests)\//.exec(request.path) ?? [];
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`;
    const implied =
      this.dialect.auth === 'Basic'
        ? 'Basic realm="fake"'
        : `Bearer realm="${this.origin}/token",service="fake"${scope}`;
    const challenges = this.dialect.challenges ?? [implied];
    respondWith(
      401,
      { 'www-authenticate': challenges },
      '{"errors":[{"code":"UNAUTHORIZED"}]}',
    )(request, response);
  };

  // A token server grants what it may and says nothing of the rest, so only a wrong credential is refused here.
  readonly #token: Respond = (request, response) => {
    const form = new URLSearchParams(request.body);
    if (request.method === 'POST' && !this.dialect.oauth)
      return registryError(404, 'NOT_FOUND')(request, response);
    const isKnown =
      request.method === 'POST' ? this.#knowsIdentity(form.get('refresh_token')) : this.#knowsCaller(request);
    if (!isKnown) return registryError(401, 'UNAUTHORIZED')(request, response);
    const scopes = (request.method === 'POST' ? form : request.query)
      .getAll('scope')
      .flatMap((scope) => scope.split(' '));
    const value = randomUUID();
    this.#tokens.set(value, { scopes, revoked: false });
    const { tokenField, expiresIn } = this.dialect;
    respondWith(200, {}, JSON.stringify({ [tokenField]: value, expires_in: expiresIn }))(request, response);
  };

  #knowsIdentity(token: string | null): boolean {
    return token !== null && this.dialect.identityTokens.includes(token);
  }

  #knowsCaller({ headers }: SeenRequest): boolean {
    const basic = headers.authorization?.replace(/^Basic /, '');
    if (basic === undefined) return this.dialect.anonymousPull;
    const [user, password = ''] = Buffer.from(basic, 'base64').toString().split(':');
    return user === '<token>' ? this.#knowsIdentity(password) : this.#knowsUser(basic);
  }

  #list(repository: string, tags: string[]): Respond {
    return (request, response) => {
      const { pageSize, tooMany, emptyList, link } = this.dialect;
      const asked = Number(request.query.get('n') ?? pageSize);
      if (tooMany !== undefined && request.query.has('n') && asked > tooMany.above) {
        return registryError(
          tooMany.status,
          tooMany.status === 405 ? 'UNSUPPORTED' : 'PAGINATION_NUMBER_INVALID',
        )(request, response);
      }
      const last = request.query.get('last');
      const start = last === null ? 0 : tags.indexOf(last) + 1;
      const page = tags.slice(start, start + Math.min(asked, pageSize));
      const isLast = start + page.length >= tags.length;
      const target = `/v2/${repository}/tags/list?n=${asked}&last=${encodeURIComponent(page.at(-1) ?? '')}`;
      const body = JSON.stringify({ name: repository, tags: tags.length === 0 ? emptyList : page });
      respondWith(200, isLast ? {} : { link: link(target) }, body)(request, response);
    };
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
      respondWith(200, headers, stored.content)(request, response);
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

/** A manifest of one platform, told apart from others by `name`. */
export function imageManifest(name: string): object {
  const digest = digestOf(Buffer.from(name));
  const mediaType = 'application/vnd.oci.image.config.v1+json';
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType, digest, size: name.length },
    layers: [],
  };
}

/** An index over images of these platforms, such as `linux/amd64`. */
export function imageIndex(name: string, platforms: readonly string[]): object {
  const manifests = platforms.map((platform) => {
    const [os, architecture] = platform.split('/');
    const content = Buffer.from(JSON.stringify(imageManifest(`${name} ${platform}`)));
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    return { mediaType, digest: digestOf(content), size: content.length, platform: { os, architecture } };
  });
  return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** A plain answer; a HEAD gets its headers alone. */
export function respondWith(
  status: number,
  headers: Record<string, string | string[]> = {},
  body: string | Buffer = '',
): Respond {
  return (request, response) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
}

/** An error in the form that the distribution specification gives. */
export function registryError(status: number, code: string): Respond {
  return respondWith(status, {}, JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
}

/** The connection is lost in the middle of the body. */
export const cutBody: Respond = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
  response.write('{"name":"app","tags":["1.0', () => response.socket?.destroy());
};

/** Nothing comes, ever. */
export const hang: Respond = () => {};

/** The headers come, and then one byte in a while, without an end. */
export const trickle: Respond = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

/** A body of this many bytes, as fast as it is read. */
export function flood(bytes: number): Respond {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(64 * 1024, ' ');
    let left = bytes;
    const more = (): void => {
      while (left > 0) {
        left -= chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  };
}

/** A redirect; `target` may be made of the request. */
export function redirectTo(target: string | ((request: SeenRequest) => string), status = 307): Respond {
  return (request, response) =>
    respondWith(status, { location: typeof target === 'string' ? target : target(request) })(
      request,
      response,
    );
}
