import { CodedError } from '../core/errors.ts';
import { parseReference } from '../core/reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import { type AskAmd64, FleetValues, type Find } from '../write-back/fleet-values.ts';
import { dockerCredentials } from './docker-config.ts';
import { askingRegistries } from './registry-session.ts';
import type { Problem } from './scan-files.ts';
import type { Scans, ScansFlags } from './scan-values.ts';

/** What came of work with comment markers. */
export interface LookedUp<T> {
  readonly result: T;
  /** Those of the scans, and why registries could not be asked for what Fleet would write. */
  readonly problems: readonly Problem[];
}

/**
 * Does work with comment markers that are told what write-back writes beside them: what is in force, or with `--compatibility Fleet`
 * what Fleet writes, for which the work may be done more than once.
 *
 * @throws {SettingsError} when the settings of the registries cannot be read, and what the work throws
 */
export async function withLookUp<T>(
  { book, home, problems }: Scans,
  flags: ScansFlags,
  work: (find: Find) => T | Promise<T>,
): Promise<LookedUp<T>> {
  const find: Find = (marker) => book.find(marker, home);
  if (flags.compatibility !== 'Fleet') return { result: await work(find), problems };
  return askingRegistries(flags, async (registry) => {
    const values = new FleetValues(flags.offline ? refusing : askerOf(registry, flags));
    const { result, failures } = await values.during(find, work, new AbortController().signal);
    const unasked = flags.offline ? [] : failures.map((message) => ({ message }));
    return { result, problems: [...problems, ...unasked] };
  });
}

function askerOf(registry: RegistryClient, { dockerConfig }: ScansFlags): AskAmd64 {
  return async (_scan, { canonicalName, digest }, signal) => {
    const reference = { ...parseReference(canonicalName), digest };
    const credentials = await dockerCredentials(dockerConfig, reference);
    return registry.amd64Digest(reference, { credentials, signal });
  };
}

async function refusing(): Promise<never> {
  throw new CodedError('Offline', '--offline asks no registry');
}
