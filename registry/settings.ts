import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { CodedError, messageOf } from '../core/errors.ts';
import { holdsCertificates } from './certificates.ts';

/** How one registry, or another host that a registry sends us to, is spoken to. */
export interface HostSettings {
  /** Undefined: as the name of the host suggests, which is https for all but those inside the network or on this machine. */
  readonly plainHTTP?: boolean;
  readonly insecureSkipTLSVerify: boolean;
  /** Certificates in PEM that are trusted besides the usual ones. */
  readonly ca?: string;
  readonly requestsPerSecond: number;
  /** Requests that may be under way at a time. */
  readonly concurrency: number;
  /** Hosts that the registry may send us to though they are inside the network. */
  readonly trustedHosts: readonly string[];
}

/** Says how a host, with its port if it has one, is spoken to. What it says may change with time. */
export interface RegistrySettings {
  for(host: string): HostSettings;
}

/** Thrown by {@link loadRegistrySettings}; the message names the file and everything that is wrong. */
export class SettingsError extends CodedError<'InvalidSettings'> {}

export const DEFAULT_SETTINGS: HostSettings = {
  insecureSkipTLSVerify: false,
  requestsPerSecond: 20,
  concurrency: 4,
  trustedHosts: [],
};

const host = z
  .string()
  .regex(/^[^\s/@]+$/, 'must be a host, with its port if it has one, and no scheme or path')
  .transform((text) => text.toLowerCase());

const entry = z.strictObject({
  host,
  plainHTTP: z.boolean().optional(),
  insecureSkipTLSVerify: z.boolean().optional(),
  caFile: z.string().min(1).optional(),
  requestsPerSecond: z.number().positive().max(10_000).optional(),
  concurrency: z.int().positive().max(256).optional(),
  trustedHosts: z.array(host).optional(),
});
const file = z.strictObject({ registries: z.array(entry).nullable() });
type Entry = z.infer<typeof entry>;

/** Settings from a file, which can be read again when it or a certificate has changed. */
export interface LoadedSettings extends RegistrySettings {
  /** Reads the files again. @throws {SettingsError} and leaves the settings as they were */
  reload(): Promise<void>;
}

/**
 * Reads settings from a YAML or JSON file: `registries`, a list of entries with `host` and what differs from
 * {@link DEFAULT_SETTINGS}; `caFile` names a file with certificates in PEM.
 *
 * @throws {SettingsError}
 */
export async function loadRegistrySettings(path: string): Promise<LoadedSettings> {
  let hosts = await readHosts(path);
  return {
    for: (host) => hosts.get(host.toLowerCase()) ?? DEFAULT_SETTINGS,
    reload: async () => {
      hosts = await readHosts(path);
    },
  };
}

/** The settings, with these hosts spoken to in plain HTTP. */
export function withPlainHosts(settings: RegistrySettings, plain: readonly string[]): RegistrySettings {
  const hosts = new Set(plain.map((host) => host.toLowerCase()));
  return {
    for: (host) => {
      const own = settings.for(host);
      return hosts.has(host.toLowerCase()) ? { ...own, plainHTTP: true } : own;
    },
  };
}

async function readHosts(path: string): Promise<ReadonlyMap<string, HostSettings>> {
  const { registries } = await readFileOf(path);
  const entries = registries ?? [];
  const twice = entries.find(({ host }, index) => entries.findIndex((other) => other.host === host) < index);
  if (twice !== undefined) throw invalid(path, `registries has ${twice.host} twice`);
  return new Map(
    await Promise.all(entries.map(async (one) => [one.host, await settingsOf(path, one)] as const)),
  );
}

async function readFileOf(path: string): Promise<z.infer<typeof file>> {
  const content = await readText(path, path);
  const parsed = file.safeParse(parseYaml(path, content));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
  );
  throw invalid(path, problems.join('; '));
}

function parseYaml(path: string, content: string): unknown {
  try {
    return parse(content);
  } catch (error) {
    throw invalid(path, messageOf(error));
  }
}

async function settingsOf(path: string, { host, caFile, ...given }: Entry): Promise<HostSettings> {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const ca = caFile === undefined ? undefined : await readText(path, caFile);
  if (ca !== undefined && !holdsCertificates(ca))
    throw invalid(path, `the caFile ${caFile} of ${host} holds no certificates in PEM`);
  return { ...DEFAULT_SETTINGS, ...set, ...(ca !== undefined && { ca }) };
}

async function readText(path: string, name: string): Promise<string> {
  try {
    return await readFile(name, 'utf8');
  } catch (error) {
    throw invalid(path, messageOf(error));
  }
}

function invalid(path: string, problem: string): SettingsError {
  return new SettingsError('InvalidSettings', `the settings of registries in ${path}: ${problem}`);
}
