import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createRegistryClient, type RegistryClient } from '../registry/client.ts';
import { systemClock } from '../registry/clock.ts';
import { readProviderConfig } from '../registry/credential-provider/config.ts';
import { ProviderError } from '../registry/credential-provider/errors.ts';
import {
  type CredentialProviders,
  createCredentialProviders,
} from '../registry/credential-provider/providers.ts';
import { type LoadedSettings, loadRegistrySettings } from '../registry/settings.ts';
import type { Config } from './config.ts';

/** The kubelet brings a changed ConfigMap or Secret into the pod within about a minute. */
const RELOAD_MS = 60_000;

/** How registries are asked, as the flags say. */
export interface Registries {
  readonly registry: RegistryClient;
  readonly providers: CredentialProviders | undefined;
  /** Reads the settings again from time to time, until the signal aborts. */
  keepSettings(signal: AbortSignal): Promise<void>;
}

/**
 * Reads the files that the flags name.
 *
 * @throws {SettingsError | ProviderError} when one of them cannot be used
 */
export async function openRegistries(config: Config, log: Logger): Promise<Registries> {
  const { insecureRegistry: insecureHosts, registriesConfig, environment } = config;
  const settings = registriesConfig === undefined ? undefined : await loadRegistrySettings(registriesConfig);
  const registry = createRegistryClient({ insecureHosts, environment, ...(settings && { settings }) });
  return {
    registry,
    providers: await openProviders(config),
    keepSettings: (signal) => keep(settings, log, signal),
  };
}

async function openProviders(config: Config): Promise<CredentialProviders | undefined> {
  const { imageCredentialProviderConfig: file, imageCredentialProviderBinDir: binDir, environment } = config;
  if (file === undefined && binDir === undefined) return undefined;
  if (file === undefined || binDir === undefined) {
    const message = '--image-credential-provider-config and --image-credential-provider-bin-dir go together';
    throw new ProviderError('InvalidProviderConfig', message);
  }
  return createCredentialProviders(await readProviderConfig(file), { binDir, environment }, systemClock);
}

async function keep(settings: LoadedSettings | undefined, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(RELOAD_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted || settings === undefined) continue;
    await settings
      .reload()
      .catch((error: unknown) =>
        log.error({ err: error }, 'the settings of registries cannot be read; they stay as they were'),
      );
  }
}
