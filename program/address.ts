import { CodedError } from '../core/errors.ts';

/** Where a program listens. */
export interface Address {
  /** Undefined: all interfaces, of IPv6 too where the system has it. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Thrown by {@link parseAddress}. */
export class AddressError extends CodedError<'InvalidAddress'> {}

/**
 * Reads `host:port` or `:port` (all interfaces); port 0 lets the system choose.
 *
 * @throws {AddressError}
 */
export function parseAddress(text: string): Address {
  const match = /^(?<host>\[[0-9a-fA-F:.]+\]|[^:\s[\]]*):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > 65_535) {
    throw new AddressError('InvalidAddress', `"${text}" is no address; write it as host:port or :port`);
  }
  const host = match.groups?.['host']?.replace(/^\[|\]$/g, '');
  return { host: host === '' ? undefined : host, port };
}
