import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { basicAuth } from './basic-auth.ts';

export interface TokenServerOptions {
  readonly username: string;
  readonly password: string;
  /** Accepted by `POST` with `grant_type=refresh_token`, as an identity token of a Docker configuration is used. */
  readonly identityToken?: string;
  /** What the registry calls itself: the audience of the tokens. */
  readonly service: string;
  /** Default 300. */
  readonly lifetimeSeconds?: number;
}

/** A token server for Distribution: Docker's token protocol (distribution.github.io/distribution/spec/auth/token). */
export interface TokenServer {
  /** Where tokens are had; also their issuer. */
  readonly url: string;
  /** The public key for the registry: a JSON Web Key Set. */
  readonly jwks: object;
  /** How many requests came, and of those how many got a token. */
  requests(): { readonly asked: number; readonly granted: number };
}

const KEY_ID = 'fleetscan-test';

/** Starts one on a free port of 127.0.0.1. Who shows the credential gets whatever scope they ask for; others get a 401. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const count = { asked: 0, granted: 0 };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    count.asked += 1;
    const parameters = await parametersOf(request);
    response.setHeader('content-type', 'application/json');
    if (!isAllowed(request, parameters, options)) {
      response
        .writeHead(401)
        .end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong username or password"}]}');
      return;
    }
    count.granted += 1;
    response.end(JSON.stringify(grant(privateKey, url, options, parameters.getAll('scope'))));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.destroy(error));
  });
  // It needs no stop: it answers as long as this process has something else to do.
  server.on('connection', (socket) => socket.unref());
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    url,
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'ES256', use: 'sig' }] },
    requests: () => ({ ...count }),
  };
}

/** GET has its parameters in the URL, POST (the OAuth2 form of the protocol) in the body. */
async function parametersOf(request: IncomingMessage): Promise<URLSearchParams> {
  if (request.method === 'POST') return new URLSearchParams(await text(request));
  return new URL(request.url ?? '/', 'http://token').searchParams;
}

function isAllowed(
  request: IncomingMessage,
  parameters: URLSearchParams,
  options: TokenServerOptions,
): boolean {
  const { username, password, identityToken } = options;
  const grantType = parameters.get('grant_type');
  if (grantType === 'refresh_token') {
    return identityToken !== undefined && parameters.get('refresh_token') === identityToken;
  }
  if (grantType === 'password') {
    return parameters.get('username') === username && parameters.get('password') === password;
  }
  return request.headers.authorization === basicAuth({ username, password });
}

/** The answer with a token; it is named twice, for the older and the newer clients of the protocol. */
function grant(key: KeyObject, url: string, options: TokenServerOptions, scopes: readonly string[]): object {
  const { service, username, lifetimeSeconds = 300 } = options;
  const token = issue(key, { url, service, username, lifetimeSeconds, scopes });
  return { token, access_token: token, expires_in: lifetimeSeconds, issued_at: new Date() };
}

function issue(
  key: KeyObject,
  o: { url: string; service: string; username: string; lifetimeSeconds: number; scopes: readonly string[] },
): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: o.url,
    sub: o.username,
    aud: o.service,
    exp: now + o.lifetimeSeconds,
    nbf: now,
    iat: now,
    jti: randomUUID(),
    access: o.scopes.flatMap((scope) => scope.split(' ')).map(readScope),
  };
  const signed = `${encode({ typ: 'JWT', alg: 'ES256', kid: KEY_ID })}.${encode(claims)}`;
  // RFC 7518, section 3.4: the two numbers side by side, not in DER.
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** `repository:library/nginx:pull,push`; the name may hold colons. */
function readScope(scope: string): object {
  const [type = '', ...rest] = scope.split(':');
  const actions = rest.pop() ?? '';
  return { type, name: rest.join(':'), actions: actions.split(',') };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
