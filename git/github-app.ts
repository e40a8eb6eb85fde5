import { createPrivateKey, sign } from 'node:crypto';
import { request } from 'undici';
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { agentFor, type Connecting } from './agent.ts';
import { GitError, type GitErrorCode } from './errors.ts';
import { oneLine } from './failure.ts';
import { KeyError } from './private-key.ts';

/** A GitHub App as it is installed with an owner of repositories. */
export interface GitHubApp {
  /** The App's id or, as GitHub recommends now, its client id. */
  readonly appId: string;
  readonly installationId: string;
  /** RSA, in PEM: see {@link checkAppKey}. */
  readonly privateKey: string;
}

/** A token of an installation, which lives for an hour. */
export interface InstallationToken {
  readonly token: string;
  /** When it ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** How GitHub is asked. */
export interface Asking extends Connecting {
  readonly signal?: AbortSignal;
}

// GitHub takes no assertion from its future, nor one that holds for more than ten minutes; clocks differ.
const CLOCK_SKEW_S = 60;
const LIFETIME_S = 9 * 60;
const MAX_ANSWER = 64 * 1024;

const answerSchema = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) });
const refusalSchema = z.object({ message: z.string() });

/**
 * The API of the GitHub that serves a repository: github.com's own, that of a `ghe.com` tenant, or a GitHub Enterprise Server's.
 *
 * Source: docs.github.com, "Getting started with the REST API", for each of the three.
 */
export function gitHubApi(repositoryUrl: string): string {
  const { protocol, host, hostname } = new URL(repositoryUrl);
  const isHosted = hostname === 'github.com' || hostname.endsWith('.ghe.com');
  return isHosted ? `https://api.${hostname}` : `${protocol}//${host}/api/v3`;
}

/**
 * Checks the private key of an App.
 *
 * @throws {KeyError} when it is none, or no RSA key
 */
export function checkAppKey(privateKey: string): void {
  const key = parsedKey(privateKey);
  if (key?.asymmetricKeyType !== 'rsa') {
    const what = key === undefined ? 'cannot be read' : `is of type ${key.asymmetricKeyType}`;
    throw new KeyError('InvalidKey', `${what}; it must be the RSA key that GitHub made for the App`);
  }
}

function parsedKey(privateKey: string) {
  try {
    return createPrivateKey(privateKey);
  } catch {
    return undefined;
  }
}

/**
 * Gets a token for an installation. The App's key stays here: GitHub is shown an assertion that holds for ten minutes.
 *
 * @param api see {@link gitHubApi}; the assertion and the token are for its host alone, and redirects are not followed
 * @throws {GitError} `Unauthorized`, `Unreachable`, `TLS` or `Timeout`
 */
export async function requestInstallationToken(
  app: GitHubApp,
  api: string,
  asking: Asking,
): Promise<InstallationToken> {
  const url = `${api}/app/installations/${encodeURIComponent(app.installationId)}/access_tokens`;
  const assertion = appAssertion(app, Date.now());
  const { status, text } = await post(url, assertion, asking);
  if (status === 201) return parseAnswer(url, text);
  const said = oneLine(refusalOf(text).replaceAll(assertion, '***'));
  const [code, what] = judge(status, app);
  throw new GitError(code, `${what} at ${url}: ${[status, said].filter(Boolean).join(' ')}`);
}

/** A JSON Web Token (RFC 7519) by which an App says who it is. */
export function appAssertion({ appId, privateKey }: GitHubApp, nowMs: number): string {
  const now = Math.floor(nowMs / 1000);
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iat: now - CLOCK_SKEW_S, exp: now + LIFETIME_S, iss: appId },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url');
  return `${signed}.${signature}`;
}

async function post(
  url: string,
  assertion: string,
  asking: Asking,
): Promise<{ status: number; text: string }> {
  const { timeoutMs, signal } = asking;
  const agent = await agentFor(asking);
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      dispatcher: agent,
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      headers: {
        authorization: `Bearer ${assertion}`,
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
        'user-agent': 'fleetscan',
      },
    });
    return { status: statusCode, text: await boundedText(body) };
  } catch (cause) {
    signal?.throwIfAborted();
    throw notAsked(url, cause, late.aborted, timeoutMs);
  } finally {
    await agent.destroy();
  }
}

async function boundedText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER) throw new Error(`the answer is larger than ${MAX_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function notAsked(url: string, cause: unknown, isLate: boolean, timeoutMs: number): GitError {
  if (isLate) return new GitError('Timeout', `${url} gave no answer within ${timeoutMs / 1000} s`, { cause });
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const isTls = /CERT|SELF_SIGNED|SSL|TLS|UNABLE_TO/.test(code);
  const what = isTls ? 'no trusted TLS connection to' : 'no connection to';
  return new GitError(isTls ? 'TLS' : 'Unreachable', `${what} ${url}: ${messageOf(cause)}`, { cause });
}

function judge(status: number, { appId, installationId }: GitHubApp): [GitErrorCode, string] {
  if (status === 401) return ['Unauthorized', `GitHub does not take the key for App ${appId} (or our clock)`];
  if (status === 404) return ['Unauthorized', `GitHub App ${appId} has no installation ${installationId}`];
  if (status === 403) return ['Unauthorized', `GitHub App ${appId} may have no token`];
  if (status === 429 || status >= 500) return ['Unreachable', 'no service for the moment'];
  return ['Failed', 'GitHub gave no token'];
}

function parseAnswer(url: string, text: string): InstallationToken {
  const answer = answerSchema.safeParse(json(text));
  if (!answer.success) throw new GitError('Failed', `${url} answered with something that is no token`);
  const { token, expires_at } = answer.data;
  return { token, expiresAt: Date.parse(expires_at) };
}

/** What GitHub says of a refusal; a proxy says it in HTML, which helps nobody. */
function refusalOf(text: string): string {
  const refusal = refusalSchema.safeParse(json(text));
  return refusal.success ? refusal.data.message : '';
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
