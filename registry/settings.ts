import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { CodedError, messageOf } from '../core/errors.ts';
import { DOCKER_HUB } from '../core/reference.ts';
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
    for: (host) => hosts.get(canonical(host)) ?? DEFAULT_SETTINGS,
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
  const entries = await readEntries(path);
  const problems: string[] = [];
  const hosts = new Map<string, HostSettings>();
  for (const [index, { host, caFile, ...given }] of entries.entries()) {
    if (hosts.has(canonical(host))) problems.push(`registries.${index}.host: ${host} is there twice`);
    const ca = await readCertificates(caFile).catch((error: unknown) => {
      problems.push(`registries.${index}.caFile: ${messageOf(error)}`);
      return undefined;
    });
    hosts.set(canonical(host), settingsOf(given, ca));
  }
  if (problems.length > 0) throw invalid(path, problems);
  return hosts;
}

// Images of Docker Hub are written with several names, and asked for at yet another.
function canonical(host: string): string {
  const name = host.toLowerCase();
  return ['docker.io', 'registry-1.docker.io'].includes(name) ? DOCKER_HUB : name;
}

async function readEntries(path: string): Promise<Entry[]> {
  const parsed = file.safeParse(await readYaml(path));
  if (parsed.success) return parsed.data.registries ?? [];
  throw invalid(
    path,
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`),
  );
}

async function readYaml(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw invalid(path, [messageOf(error)]);
  }
}

async function readCertificates(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const pem = await readFile(file, 'utf8');
  if (!holdsCertificates(pem)) throw new Error(`${file} holds no certificates in PEM`);
  return pem;
}

function settingsOf(given: Omit<Entry, 'host' | 'caFile'>, ca: string | undefined): HostSettings {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...DEFAULT_SETTINGS, ...set, ...(ca !== undefined && { ca }) };
}

function invalid(path: string, problems: readonly string[]): SettingsError {
  const message = `the settings of registries in ${path}: ${problems.join('; ')}`;
  return new SettingsError('InvalidSettings', message);
}
