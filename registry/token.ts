import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BoundedMap } from './bounded-map.ts';
import { type Clock, orAborted } from './clock.ts';
import type { Credential } from './credentials.ts';
import type { Demand } from './demand.ts';
import type { Repository } from './endpoint.ts';
import { RegistryError } from './errors.ts';
import { type Access, type Answer, hostFor, type RegistryRequest, type Send } from './request.ts';
import { statusError } from './status.ts';

const MAX_TOKENS = 4096;
const MAX_BYTES = 64 * 1024;
// https://distribution.github.io/distribution/spec/auth/token/: what a token lives at least, and when nothing is said.
const SHORTEST_LIFE_MS = 60_000;
const REFRESH_EARLY_MS = 5_000;
const CLIENT_ID = 'fleetscan';
/** Docker's user where the password is an identity token. */
const IDENTITY_USER = '<token>';
// How token servers that know GET alone answer a POST: 404 by the specification, GCR's too; Artifactory 401 and ACR 400 (containerd,
// core/remotes/docker/authorizer.go); 405 by HTTP.
const WITHOUT_OAUTH = new Set([400, 401, 404, 405]);

/** A bearer token, and when it is no longer used (milliseconds since the epoch). */
export interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

/** What a token is for; without a credential it is for anybody. */
export interface Grant {
  readonly repository: Repository;
  readonly demand: Extract<Demand, { kind: 'bearer' }>;
  readonly credential: Exclude<Credential, { registryToken: string }> | undefined;
  /** Certificates that are trusted at the token server too. */
  readonly ca: string | undefined;
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** Gets tokens and keeps each while it lives: one per repository, scope and credential, fetched once for all that wait. */
export class Tokens {
  readonly #tokens = new BoundedMap<string, Promise<Token | undefined>>(MAX_TOKENS);
  readonly #spent = new WeakSet<Token>();
  readonly #send: Send;
  readonly #clock: Clock;

  constructor(send: Send, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  /**
   * A token that is still good.
   *
   * @returns undefined when the token server refuses the credential
   * @throws {RegistryError} when the token server fails
   */
  async get(grant: Grant, signal: AbortSignal | undefined): Promise<Token | undefined> {
    const key = keyOf(grant);
    const known = this.#tokens.get(key);
    if (known !== undefined) {
      const token = await orAborted(known, signal);
      if (token === undefined || this.#isGood(token)) return token;
      this.#forget(key, known);
    }
    // Another caller may have come first: what it fetches serves both.
    return orAborted(this.#tokens.get(key) ?? this.#fetch(key, grant), signal);
  }

  /** Says that the registry no longer takes a token. */
  discard(token: Token): void {
    this.#spent.add(token);
  }

  #isGood(token: Token): boolean {
    return token.expiresAt > this.#clock.now() && !this.#spent.has(token);
  }

  #fetch(key: string, grant: Grant): Promise<Token | undefined> {
    const fetching = fetchToken(this.#send, this.#clock, grant);
    this.#tokens.set(key, fetching);
    const forget = (): void => this.#forget(key, fetching);
    fetching.then((token) => token ?? forget(), forget);
    return fetching;
  }

  #forget(key: string, fetched: Promise<Token | undefined>): void {
    if (this.#tokens.get(key) === fetched) this.#tokens.delete(key);
  }
}

// Hashed, so that no password is part of a key. The scopes name the repository.
function keyOf({ repository, demand, credential, ca }: Grant): string {
  const { realm, service, scopes } = demand;
  const parts = [repository.origin.origin, realm.href, service, scopes, credential, ca];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

async function fetchToken(send: Send, clock: Clock, grant: Grant): Promise<Token | undefined> {
  const askedAt = clock.now();
  const answer = await askForToken(send, grant);
  const { status } = answer;
  if (status === 200) return readToken(answer, grant, askedAt);
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return undefined;
  throw statusError(answer, { repository: grant.repository, access: accessOf(grant) }, 'a token');
}

// A token is not fetched under the signal of whoever happens to ask first: others wait for the same one.
function accessOf({ ca }: Grant): Access {
  return { credentials: [], ca };
}

async function askForToken(send: Send, grant: Grant): Promise<Answer> {
  const login = loginOf(grant);
  if (login?.username !== IDENTITY_USER) return send(getRequest(grant, login));
  const answer = await send(postRequest(grant, login.password));
  return WITHOUT_OAUTH.has(answer.status) ? send(getRequest(grant, login)) : answer;
}

function loginOf({ credential }: Grant): Login | undefined {
  if (credential === undefined || 'username' in credential) return credential;
  return { username: IDENTITY_USER, password: credential.identityToken };
}

/** https://distribution.github.io/distribution/spec/auth/token/ */
function getRequest(grant: Grant, login: Login | undefined): RegistryRequest {
  const { repository, demand } = grant;
  const url = new URL(demand.realm);
  if (demand.service !== undefined && !url.searchParams.has('service'))
    url.searchParams.set('service', demand.service);
  for (const scope of demand.scopes) url.searchParams.append('scope', scope);
  const headers = { accept: 'application/json', ...(login !== undefined && { authorization: basic(login) }) };
  return { method: 'GET', url, headers, maxBytes: MAX_BYTES, repository, access: accessOf(grant) };
}

/** https://distribution.github.io/distribution/spec/auth/oauth/ */
function postRequest(grant: Grant, identityToken: string): RegistryRequest {
  const { repository, demand } = grant;
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: identityToken,
    client_id: CLIENT_ID,
    scope: demand.scopes.join(' '),
    ...(demand.service !== undefined && { service: demand.service }),
  });
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
  const body = form.toString();
  return {
    method: 'POST',
    url: demand.realm,
    headers,
    body,
    maxBytes: MAX_BYTES,
    repository,
    access: accessOf(grant),
  };
}

/** The value of an `Authorization` header for a user and password (RFC 7617). */
export function basic({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

const word = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .optional()
  .catch(undefined);
const tokenAnswer = z.object({ token: word, access_token: word, expires_in: z.number().catch(0) });

function readToken(answer: Answer, { repository }: Grant, askedAt: number): Token {
  const { token, access_token, expires_in } = parseAnswer(answer.body);
  const value = token ?? access_token;
  if (value === undefined) {
    throw new RegistryError(
      'InvalidAnswer',
      `${hostFor(answer.url, repository)} was asked for a token and sent none`,
    );
  }
  const lifeMs = Math.max(SHORTEST_LIFE_MS, expires_in * 1000);
  return { value, expiresAt: askedAt + lifeMs - REFRESH_EARLY_MS };
}

function parseAnswer(body: Buffer): Partial<z.infer<typeof tokenAnswer>> & { expires_in: number } {
  try {
    return tokenAnswer.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return { expires_in: 0 };
  }
}
