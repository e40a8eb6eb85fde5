import { RegistryError } from './errors.ts';
import { wantedPause } from './pause.ts';
import { type Answer, hostFor, type RegistryRequest } from './request.ts';

/**
 * What an answer's status means for the person whose image it is about.
 *
 * @param what the thing that was asked for: `the tags of acme/app`, `acme/app:1.2`
 */
export function statusError(
  answer: Answer,
  request: Pick<RegistryRequest, 'repository' | 'access'>,
  what: string,
): RegistryError {
  const { status } = answer;
  const retryAfterMs = wantedPause(answer, Date.now());
  const host = hostFor(answer.url, request.repository);
  if (status === 401 || status === 403)
    return new RegistryError('Unauthorized', unauthorized(host, status, request, what));
  if (status === 404) {
    const advice = 'check the name, and whether a private repository is hidden from these credentials';
    return new RegistryError('NotFound', `${host} does not know ${what} (status 404): ${advice}`);
  }
  if (status === 429) {
    const message = `${host} limits how often it is asked, and refuses ${what} for now (status 429); logging in or a longer interval helps`;
    return new RegistryError('RateLimited', message, { retryAfterMs });
  }
  if (status === 408 || status >= 500) {
    return new RegistryError('Server', `${host} fails to give ${what} (status ${status})`, { retryAfterMs });
  }
  return new RegistryError(
    'InvalidAnswer',
    `${host} answers ${what} with status ${status}, which no registry does: check the host`,
  );
}

function unauthorized(
  host: string,
  status: number,
  { access, repository }: Pick<RegistryRequest, 'repository' | 'access'>,
  what: string,
): string {
  const count = access.credentials.length;
  const refused = `${host} refuses ${what} (status ${status})`;
  if (count === 0)
    return `${refused}: it wants credentials, and no pull secret has any for ${repository.registry}/${repository.name}`;
  const tried = count === 1 ? 'the credential' : `all ${count} credentials`;
  return `${refused} to ${tried} of the pull secrets and without: check user, password and whether they may pull`;
}
