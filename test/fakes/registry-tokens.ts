import { randomUUID } from 'node:crypto';
import type { Dialect } from './registry-dialect.ts';
import { type Respond, registryError, respondWith, type SeenRequest } from './registry-faults.ts';

interface IssuedToken {
  readonly scopes: readonly string[];
  revoked: boolean;
}

/** The token server of a fake registry, as its dialect has it. */
export class FakeTokens {
  readonly #dialect: Dialect;
  readonly #issued = new Map<string, IssuedToken>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** Is this a token that is good for these actions on a repository, or for anything when its name is empty? */
  allows(value: string, repository: string, actions: readonly string[]): boolean {
    const token = this.#issued.get(value);
    if (token === undefined || token.revoked) return false;
    if (repository === '') return true;
    const beginning = `repository:${repository}:`;
    const scope = token.scopes.find((granted) => granted.startsWith(beginning));
    const granted = scope?.slice(beginning.length).split(',') ?? [];
    return actions.every((action) => granted.includes(action));
  }

  revokeAll(): void {
    for (const token of this.#issued.values()) token.revoked = true;
  }

  // A token server grants what it may and says nothing of the rest, so only a wrong credential is refused here.
  readonly respond: Respond = (request, response) => {
    const form = new URLSearchParams(request.body);
    const isPost = request.method === 'POST';
    if (isPost && !this.#dialect.oauth) return registryError(404, 'NOT_FOUND')(request, response);
    const isKnown = isPost ? this.#knowsIdentity(form.get('refresh_token')) : this.#knowsCaller(request);
    if (!isKnown) return registryError(401, 'UNAUTHORIZED')(request, response);
    const scopes = (isPost ? form : request.query).getAll('scope').flatMap((scope) => scope.split(' '));
    const value = randomUUID();
    this.#issued.set(value, { scopes, revoked: false });
    const { tokenField, expiresIn } = this.#dialect;
    respondWith(200, {}, JSON.stringify({ [tokenField]: value, expires_in: expiresIn }))(request, response);
  };

  #knowsIdentity(token: string | null): boolean {
    return token !== null && this.#dialect.identityTokens.includes(token);
  }

  #knowsCaller({ headers }: SeenRequest): boolean {
    const basic = headers.authorization?.replace(/^Basic /, '');
    if (basic === undefined) return this.#dialect.anonymousPull;
    const [user, password = ''] = Buffer.from(basic, 'base64').toString().split(':');
    return user === '<token>' ? this.#knowsIdentity(password) : knowsUser(this.#dialect, basic);
  }
}

/** Are these, in the form of a Basic header, a user and the password? */
export function knowsUser({ users }: Pick<Dialect, 'users'>, basic: string): boolean {
  const [user = '', ...password] = Buffer.from(basic, 'base64').toString().split(':');
  return Object.hasOwn(users, user) && users[user] === password.join(':');
}
