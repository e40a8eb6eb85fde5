import { parseChallenges, type Challenge } from './challenge.ts';
import { checkDestination } from './destination.ts';
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

/**
 * Reads from an answer how the registry wants us to authenticate: Bearer where it can be used, else Basic.
 *
 * @returns undefined when the answer does not say, or does not come from the registry itself
 * @throws {RegistryError} 'InvalidAnswer' when the realm is a place that credentials must not be sent to
 */
export function demandOf(answer: Answer, repository: Repository): Demand | undefined {
  if (answer.url.origin !== repository.origin.origin) return undefined;
  const challenges = parseChallenges(answer.headers['www-authenticate']);
  for (const challenge of challenges) {
    const realm = challenge.scheme === 'bearer' ? URL.parse(challenge.parameters.get('realm') ?? '') : null;
    if (realm === null) continue;
    checkDestination(realm, repository.origin, 'its token server', repository.trustedHosts);
    const service = challenge.parameters.get('service');
    return {
      kind: 'bearer',
      realm,
      scopes: scopesOf(challenge, repository),
      ...(service !== undefined && { service }),
    };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : undefined;
}

// A registry may ask for more than "pull" (ACR: metadata_read), but some name a placeholder or "*" in place of the repository.
function scopesOf(challenge: Challenge, repository: Repository): string[] {
  const scopes = (challenge.parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  const namesUs = scopes.some((scope) => scope.startsWith(`repository:${repository.name}:`));
  return namesUs ? scopes : [`repository:${repository.name}:pull`];
}
