import { BoundedMap } from './bounded-map.ts';
import type { Clock } from './clock.ts';
import { HostBudget } from './host-budget.ts';
import { nameOf, type Send } from './request.ts';
import type { RegistrySettings } from './settings.ts';

/** Registries, their token servers, and where their blobs are. */
const MAX_HOSTS = 4096;

/**
 * Keeps each host to its budget, which all requests to it share: so many under way at a time, so many a second, none while the host
 * wants a pause or does not answer at all. A request waits its turn; one that would wait long is refused at once, so that nothing is held up
 * by it.
 *
 * @throws {RegistryError} 'RateLimited' and 'Unreachable' also for requests that were not sent, with the time to try again
 */
export function withBudget(send: Send, settings: RegistrySettings, clock: Clock): Send {
  const hosts = new BoundedMap<string, HostBudget>(MAX_HOSTS);
  return (request) => {
    const { url, repository } = request;
    const name = nameOf(url, repository);
    const budget = hosts.get(url.host) ?? new HostBudget(() => settings.for(name), clock);
    hosts.set(url.host, budget);
    return budget.spend(request, send);
  };
}
