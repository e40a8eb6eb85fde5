import { checkDestination } from './destination.ts';
import { RegistryError } from './errors.ts';
import { type Answer, headerOf, type RegistryRequest, type Send } from './request.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;

/**
 * Follows redirects of GET and HEAD by hand: at most five, none that {@link checkDestination} refuses, and without
 * credentials as soon as one leads to another origin.
 */
export function withRedirects(send: Send): Send {
  return async (request) => {
    let hop = request;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const answer = await send(hop);
      const next = request.method === 'POST' ? undefined : redirectOf(hop, answer);
      if (next === undefined) return answer;
      hop = next;
    }
    throw new RegistryError(
      'InvalidAnswer',
      `${request.repository.registry} redirects more than ${MAX_REDIRECTS} times`,
    );
  };
}

function redirectOf(request: RegistryRequest, answer: Answer): RegistryRequest | undefined {
  const location = headerOf(answer, 'location');
  if (!REDIRECTS.has(answer.status) || location === undefined) return undefined;
  const url = URL.parse(location, request.url);
  if (url === null)
    throw new RegistryError('InvalidAnswer', `${request.url.host} redirects to what is not a URL`);
  checkDestination(url, request.url, 'the target of a redirect', request.repository.trustedHosts);
  if (url.origin === request.url.origin) return { ...request, url };
  const { authorization: _, ...headers } = request.headers;
  return { ...request, url, headers };
}
