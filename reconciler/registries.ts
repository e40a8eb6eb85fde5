import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
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

/** What the files that the flags name say of registries. */
export interface RegistryFiles {
  readonly settings: LoadedSettings | undefined;
  readonly providers: CredentialProviders | undefined;
}

/**
 * Reads them.
 *
 * @throws {SettingsError | ProviderError} when one of them cannot be used
 */
export async function readRegistryFiles({
  registriesConfig,
  imageCredentialProviderConfig: file,
  imageCredentialProviderBinDir: binDir,
  environment,
}: Config): Promise<RegistryFiles> {
  if ((file === undefined) !== (binDir === undefined)) {
    const message = '--image-credential-provider-config and --image-credential-provider-bin-dir go together';
    throw new ProviderError('InvalidProviderConfig', message);
  }
  const settings = registriesConfig === undefined ? undefined : await loadRegistrySettings(registriesConfig);
  if (file === undefined || binDir === undefined) return { settings, providers: undefined };
  const providers = createCredentialProviders(
    await readProviderConfig(file),
    { binDir, environment },
    systemClock,
  );
  return { settings, providers };
}

/** Reads the settings again from time to time, until the signal aborts. What cannot be read leaves them as they were. */
export async function keepSettings(
  settings: LoadedSettings | undefined,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await delay(RELOAD_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    await settings?.reload().catch((error: unknown) => {
      log.error({ err: error }, 'the settings of registries cannot be read; they stay as they were');
    });
  }
}
