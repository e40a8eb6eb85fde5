import { createHash } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';
import type { Clock } from './clock.ts';
import { type Demand, demandOf } from './demand.ts';
import { apiRoot } from './endpoint.ts';
import type { Answer, RegistryRequest, Send } from './request.ts';
import { basic, Tokens } from './token.ts';

const MAX_LOGINS = 16_384;
const MAX_PROBE_BYTES = 64 * 1024;

/** A way in. The one that worked last is kept, so that an idle scan spends no request on finding it. */
interface Login {
  readonly demand: Demand;
  /** Index of the credential; one past the last stands for none. */
  readonly turn: number;
}

/**
 * Authenticates requests as the registry demands: with each credential in turn, then anonymously. A token is renewed before
 * it ends, and once per request where the registry no longer takes it.
 *
 * @param send is used for the requests and for those to token servers
 */
export function withAuth(send: Send, clock: Clock): Send {
  const gate = new Gate(send, clock);
  return (request) => gate.pass(request);
}

class Gate {
  readonly #logins = new BoundedMap<string, Login>(MAX_LOGINS);
  readonly #send: Send;
  readonly #tokens: Tokens;

  constructor(send: Send, clock: Clock) {
    this.#send = send;
    this.#tokens = new Tokens(send, clock);
  }

  async pass(request: RegistryRequest): Promise<Answer> {
    const login = this.#logins.get(keyOf(request));
    return login === undefined ? this.#findWay(request) : this.#goKnownWay(request, login);
  }

  async #findWay(request: RegistryRequest): Promise<Answer> {
    const bare = await this.#send(request);
    if (!isRefusal(bare)) return bare;
    const demand = demandOf(bare, request.repository) ?? (await this.#askRoot(request));
    if (demand === undefined) return bare;
    return (await this.#tryInTurn(request, demand, allTurns(request))) ?? bare;
  }

  async #goKnownWay(request: RegistryRequest, login: Login): Promise<Answer> {
    const answer = await this.#enter(request, login).catch((error: unknown) => {
      // A token server may have moved: the next call asks the registry anew.
      this.#logins.delete(keyOf(request));
      throw error;
    });
    if (answer !== undefined && !isRefusal(answer)) return answer;
    const demand = (answer && demandOf(answer, request.repository)) ?? login.demand;
    const others = allTurns(request).filter((turn) => turn !== login.turn);
    // The token may have ended early, so the same credential gets one more turn, with a new one.
    const turns = answer?.status === 401 ? [login.turn, ...others] : others;
    return (await this.#tryInTurn(request, demand, turns, answer)) ?? this.#send(request);
  }

  /** The first answer that lets us in, else the most telling refusal: a 404 to a credential that was taken. */
  async #tryInTurn(
    request: RegistryRequest,
    demand: Demand,
    turns: number[],
    first?: Answer,
  ): Promise<Answer | undefined> {
    let refusal = first;
    for (const turn of turns) {
      const isMissing = refusal?.status === 404;
      if (isMissing && isAnonymous(request, turn)) break;
      const answer = await this.#enter(request, { demand, turn });
      if (answer !== undefined && !isRefusal(answer)) {
        this.#logins.set(keyOf(request), { demand, turn });
        return answer;
      }
      if (!isMissing) refusal = answer ?? refusal;
    }
    if (refusal?.status !== 404) this.#logins.delete(keyOf(request));
    return refusal;
  }

  /** @returns undefined when the credential cannot be used here, or the token server refuses it */
  async #enter(request: RegistryRequest, { demand, turn }: Login): Promise<Answer | undefined> {
    const credential = request.access.credentials[turn];
    if (credential !== undefined && 'registryToken' in credential)
      return this.#send(authorized(request, `Bearer ${credential.registryToken}`));
    if (demand.kind === 'basic') {
      if (credential === undefined || !('username' in credential)) return undefined;
      return this.#send(authorized(request, basic(credential)));
    }
    const token = await this.#tokens.get(
      { repository: request.repository, demand, credential, ca: request.access.ca },
      request.access.signal,
    );
    if (token === undefined) return undefined;
    const answer = await this.#send(authorized(request, `Bearer ${token.value}`));
    if (answer.status === 401) this.#tokens.discard(token);
    return answer;
  }

  /** For registries that refuse without a word of how to authenticate: the API's root says it. */
  async #askRoot({ repository, access }: RegistryRequest): Promise<Demand | undefined> {
    if (access.credentials.length === 0) return undefined;
    const url = apiRoot(repository);
    const answer = await this.#send({
      method: 'GET',
      url,
      headers: {},
      maxBytes: MAX_PROBE_BYTES,
      repository,
      access,
    });
    return demandOf(answer, repository);
  }
}

// Hashed, so that no password is part of a key.
function keyOf({ repository, access }: RegistryRequest): string {
  const parts = [repository.origin.origin, repository.name, access.credentials];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

// Some registries say 404 of what the caller may not see.
function isRefusal({ status }: Answer): boolean {
  return status === 401 || status === 403 || status === 404;
}

function allTurns({ access }: RegistryRequest): number[] {
  return [...access.credentials.keys(), access.credentials.length];
}

function isAnonymous({ access }: RegistryRequest, turn: number): boolean {
  return turn === access.credentials.length;
}

function authorized(request: RegistryRequest, authorization: string): RegistryRequest {
  return { ...request, headers: { ...request.headers, authorization } };
}
