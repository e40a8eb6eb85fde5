import { isInside } from './address.ts';
import { RegistryError } from './errors.ts';

/**
 * Lets a registry send us on (a redirect, the realm of its token server) only where that cannot be turned against us: never
 * from https to http, and to an address inside the network or this machine only where the registry itself is there.
 *
 * @param target where we are sent
 * @param from who sends us: http leads to http or https, https to https alone
 * @param what the target's role, for the message
 * @param trustedHosts hosts, with their port if it is not the usual one, that may be inside the network
 * @throws {RegistryError} 'InvalidAnswer' when the target is refused
 */
export function checkDestination(
  target: URL,
  from: URL,
  what: string,
  trustedHosts: readonly string[],
): void {
  const reason = refusal(target, from, trustedHosts);
  if (reason === undefined) return;
  throw new RegistryError(
    'InvalidAnswer',
    `${from.host} names ${target.host || 'no host'} as ${what}, which is not followed: ${reason}; ask who runs the registry`,
  );
}

/** Whether {@link checkDestination} would let a registry send us there. */
export function mayLeadTo(target: URL, from: URL, trustedHosts: readonly string[]): boolean {
  return refusal(target, from, trustedHosts) === undefined;
}

function refusal(target: URL, from: URL, trustedHosts: readonly string[]): string | undefined {
  if (target.protocol !== 'https:' && target.protocol !== 'http:') return 'it is not an http or https URL';
  if (target.protocol === 'http:' && from.protocol === 'https:') return 'it is plain http';
  if (target.username !== '' || target.password !== '') return 'it holds credentials';
  // The URL parser has brought every spelling of an address (octal, hexadecimal, one number) to the usual one.
  const isTrusted = target.hostname === from.hostname || names(trustedHosts, target);
  if (!isTrusted && isInside(target.hostname))
    return 'it is an address of a private network, which the settings do not name as trusted';
  return undefined;
}

// A URL leaves the usual port out, people may write it.
function names(hosts: readonly string[], { protocol, host, hostname }: URL): boolean {
  return hosts.includes(host) || hosts.includes(`${hostname}:${protocol === 'https:' ? 443 : 80}`);
}
