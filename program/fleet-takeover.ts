/**
 * What is done with the ImageScans and GitRepos of Rancher Fleet. `off`: nothing. `serve`: they are scanned and written back as
 * ours are. `take-over`: that, and Fleet's own controller is kept off its ImageScans.
 */
export const FLEET_TAKEOVERS = ['off', 'serve', 'take-over'] as const;
export type FleetTakeover = (typeof FLEET_TAKEOVERS)[number];

/** How often it is looked for Fleet's kinds in a cluster that has them not: the answer is a few bytes. */
export const LOOK_AGAIN_MS = 10_000;

/** Are Fleet's objects to be served? */
export function servesFleet(takeover: FleetTakeover): boolean {
  return takeover !== 'off';
}
