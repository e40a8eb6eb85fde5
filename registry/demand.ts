import { parseChallenges, type Challenge } from './challenge.ts';
import { checkDestination, mayLeadTo } from './destination.ts';
import type { Repository } from './endpoint.ts';
import type { Answer } from './request.ts';

/** How a registry wants to be told who asks. */
export type Demand =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      /** Where tokens are given out; may hold a query of its own. */
      readonly realm: URL;
      readonly service?: string;
      readonly scopes: readonly string[];
    };

type BearerDemand = Extract<Demand, { kind: 'bearer' }>;

/**
 * Reads from an answer how the registry wants us to authenticate: Bearer where it can be used, else Basic.
 *
 * @returns undefined when the answer does not say, or does not come from the registry itself
 * @throws {RegistryError} 'InvalidAnswer' when all that is offered is a realm that credentials must not be sent to
 */
export function demandOf(answer: Answer, repository: Repository): Demand | undefined {
  const { origin, trustedHosts } = repository;
  if (answer.url.origin !== origin.origin) return undefined;
  const challenges = parseChallenges(answer.headers['www-authenticate']);
  const offers = challenges.flatMap((challenge) => bearerOf(challenge, repository) ?? []);
  const usable = offers.find(({ realm }) => mayLeadTo(realm, origin, trustedHosts));
  if (usable !== undefined) return usable;
  // Gitea behind a proxy, say, offers a realm in plain http unless it was told its own URL.
  if (challenges.some(({ scheme }) => scheme === 'basic')) return { kind: 'basic' };
  for (const { realm } of offers) checkDestination(realm, origin, 'its token server', trustedHosts);
  return undefined;
}

function bearerOf(challenge: Challenge, repository: Repository): BearerDemand | undefined {
  const realm = challenge.scheme === 'bearer' ? URL.parse(challenge.parameters.get('realm') ?? '') : null;
  if (realm === null) return undefined;
  const service = challenge.parameters.get('service');
  const scopes = scopesOf(challenge, repository);
  return { kind: 'bearer', realm, scopes, ...(service !== undefined && { service }) };
}

// Some name a placeholder or "*" in place of the repository. ACR lists tags to "metadata_read" and gives manifests to "pull", and its challenge
// names what was missed: with both in one token neither drives the other out.
function scopesOf(challenge: Challenge, repository: Repository): string[] {
  const own = `repository:${repository.name}:`;
  const scopes = (challenge.parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  if (!scopes.some((scope) => scope.startsWith(own))) return [`${own}pull`];
  return scopes.map((scope) =>
    scope.startsWith(own) && !mayPull(scope.slice(own.length)) ? `${scope},pull` : scope,
  );
}

function mayPull(actions: string): boolean {
  return actions.split(',').some((action) => action === 'pull' || action === '*');
}
