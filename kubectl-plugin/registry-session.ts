import { createRegistryClient, type RegistryClient } from '../registry/client.ts';
import { loadRegistrySettings } from '../registry/settings.ts';
import { environment } from './config.ts';
import type { RegistryFlags } from './registry-flags.ts';

/**
 * Lets `work` ask registries, and closes the connections.
 *
 * @throws {SettingsError} when the settings of the registries cannot be read, and what `work` throws
 */
export async function askingRegistries<T>(
  { insecureRegistry = [], registriesConfig }: RegistryFlags,
  work: (client: RegistryClient) => Promise<T>,
): Promise<T> {
  const client = createRegistryClient({
    insecureHosts: insecureRegistry,
    userAgent: 'kubectl-fleetscan',
    environment: environment(),
    ...(registriesConfig !== undefined && { settings: await loadRegistrySettings(registriesConfig) }),
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
