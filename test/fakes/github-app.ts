import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GitHubAppOptions {
  readonly appId: string;
  readonly installationId: string;
  /** How long its tokens live; an hour unless given. */
  readonly lifetimeMs?: number;
  /** What its clock says; the machine's unless given. */
  readonly now?: () => number;
  /** Where the API begins; that of an Enterprise Server unless given. */
  readonly path?: string;
}

/** The part of GitHub's API that gives tokens to installations of one App, which checks who asks as GitHub does. */
export interface FakeGitHubApp {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** The App's key, as GitHub gives it: PKCS#1 in PEM. */
  readonly privateKey: string;
  /** The tokens given out, oldest first. */
  readonly tokens: readonly string[];
  /** Answers the next request with this status and text. */
  failNext(status: number, body: string): void;
  stop(): Promise<void>;
}

/** Starts one on a free port of 127.0.0.1. */
export async function startGitHubApp(options: GitHubAppOptions): Promise<FakeGitHubApp> {
  const { installationId, lifetimeMs = 3_600_000, now = Date.now, path = '/api/v3' } = options;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' });
  const publicKey = createPublicKey(pem);
  const tokens: string[] = [];
  let failure: { status: number; body: string } | undefined;

  const answer = (request: IncomingMessage): { status: number; body: unknown } => {
    const refusal = refusalOf(request.headers.authorization ?? '', publicKey, options.appId, now());
    if (refusal !== undefined) return { status: 401, body: { message: refusal } };
    const wanted = `${path}/app/installations/${installationId}/access_tokens`;
    if (request.method !== 'POST' || request.url !== wanted)
      return { status: 404, body: { message: 'Not Found' } };
    tokens.push(`ghs_${tokens.length + 1}`);
    const expires = new Date(now() + lifetimeMs).toISOString().replace(/\.\d+Z$/, 'Z');
    return { status: 201, body: { token: tokens.at(-1), expires_at: expires } };
  };

  const server = createServer((request, response) => {
    const failed = failure;
    failure = undefined;
    if (failed !== undefined) return send(response, failed.status, failed.body);
    const { status, body } = answer(request);
    send(response, status, JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    privateKey: pem,
    tokens,
    failNext: (status, body) => {
      failure = { status, body };
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type PublicKey = ReturnType<typeof createPublicKey>;

/** The checks of GitHub, in its words (docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App"). */
function refusalOf(header: string, key: PublicKey, appId: string, nowMs: number): string | undefined {
  const undecodable = 'A JSON web token could not be decoded';
  const [scheme, token = ''] = header.split(' ');
  const [head = '', claims = '', signature = ''] = token.split('.');
  if (scheme !== 'Bearer' || (decoded(head) as { alg?: string }).alg !== 'RS256') return undecodable;
  const signed = Buffer.from(`${head}.${claims}`);
  if (!verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'))) return undecodable;
  const { iat, exp, iss } = decoded(claims) as { iat?: unknown; exp?: unknown; iss?: unknown };
  const now = nowMs / 1000;
  if (iss !== appId) return 'Integration not found';
  if (!isTime(iat) || iat > now) return "'Issued at' claim ('iat') must be in the past";
  if (!isTime(exp) || exp <= now) return "'Expiration time' claim ('exp') must be in the future";
  if (exp > now + 600) return "'Expiration time' claim ('exp') is too far in the future";
  return undefined;
}

function isTime(value: unknown): value is number {
  return Number.isInteger(value);
}

function decoded(part: string): object {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return {};
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
