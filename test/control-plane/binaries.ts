import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CodedError } from '../../core/errors.ts';
import { withLock } from './lock.ts';
import { type Means, ObtainError, obtain } from './obtain.ts';
import { currentPlatform } from './platform.ts';
import { type Progress, streamProgress } from './progress.ts';
import { type BinaryName, versionOf } from './versions.ts';

/** No way led to a program; the message lists the ways and what to install. */
export class BinariesError extends CodedError<'NotAvailable'> {}

export interface BinariesOptions {
  /** By default on standard error. */
  readonly progress?: Progress;
  /** A folder with programs under their plain names; by default `$KUBEBUILDER_ASSETS`. Empty: none. */
  readonly assets?: string;
  /** By default `fleetscan/bin` in `$XDG_CACHE_HOME` or `~/.cache`. */
  readonly cacheFolder?: string;
  /** See `DownloaderOptions`. */
  readonly mirror?: string;
  /** The `go` to build with; by default the one in the PATH. */
  readonly go?: string;
}

interface Search {
  readonly assets: string;
  readonly cacheFolder: string;
  readonly means: Means;
}

/**
 * Finds the programs of the bench, getting those that are not on this machine yet. In this order: `KUBEBUILDER_ASSETS`, the
 * cache folder, the official release, a build with Go. What was got stays in the cache folder for next time.
 *
 * @returns the path of each
 * @throws {BinariesError} when no way leads to one
 * @throws {DownloadError} `WrongChecksum`: that needs a person, and is no reason to look elsewhere
 */
export async function binaries<Name extends BinaryName>(
  names: readonly Name[],
  options: BinariesOptions = {},
): Promise<Record<Name, string>> {
  const search = searchBy(options);
  if ((await missing(search, names)).length > 0) {
    await mkdir(search.cacheFolder, { recursive: true });
    await withLock(
      join(search.cacheFolder, 'lock'),
      async () => obtainAll(search, await missing(search, names)),
      (pid) => search.means.progress.line(`waiting for process ${pid}, which gets the programs of the bench`),
    );
  }
  const paths = names.map(
    async (name) => [name, (await find(search, name)) ?? cachePath(search, name)] as const,
  );
  return Object.fromEntries(await Promise.all(paths)) as Record<Name, string>;
}

/** Where what was got stays for the next run. */
export function cacheHome(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fleetscan');
}

function searchBy(options: BinariesOptions): Search {
  const { KUBEBUILDER_ASSETS = '' } = process.env;
  const { assets = KUBEBUILDER_ASSETS, progress = streamProgress(), go = 'go', mirror } = options;
  return {
    assets: assets === '' ? '' : resolve(assets),
    cacheFolder: options.cacheFolder ?? join(cacheHome(), 'bin'),
    means: { platform: currentPlatform(), progress, go, ...(mirror !== undefined && { mirror }) },
  };
}

async function missing<Name extends BinaryName>(search: Search, names: readonly Name[]): Promise<Name[]> {
  const found = await Promise.all(names.map((name) => find(search, name)));
  return names.filter((_, index) => found[index] === undefined);
}

/** The path of a program that is on this machine already. */
async function find(search: Search, name: BinaryName): Promise<string | undefined> {
  const inAssets = join(search.assets, name);
  if (search.assets !== '' && (await isExecutable(inAssets))) return inAssets;
  const cached = cachePath(search, name);
  return (await isExecutable(cached)) ? cached : undefined;
}

function cachePath({ cacheFolder, means: { platform } }: Search, name: BinaryName): string {
  return join(cacheFolder, `${name}-${versionOf(name)}-${platform.os}-${platform.arch}`);
}

async function obtainAll(search: Search, names: readonly BinaryName[]): Promise<void> {
  try {
    await obtain(
      names.map((name) => ({ name, path: cachePath(search, name) })),
      search.means,
    );
  } catch (error) {
    throw error instanceof ObtainError ? notAvailable(search, error) : error;
  }
}

function notAvailable({ assets, cacheFolder }: Search, cause: ObtainError): BinariesError {
  return new BinariesError(
    'NotAvailable',
    [
      `${cause.program} cannot be had on this machine. Tried:`,
      `- KUBEBUILDER_ASSETS: ${assets === '' ? 'not set' : `${assets} does not hold it`}`,
      `- the cache: ${cacheFolder} does not hold it`,
      cause.message,
      'Give this machine access to the release (HTTPS_PROXY is honoured), or Go 1.26 or newer (https://go.dev/dl) and',
      'access to a Go module proxy, or a KUBEBUILDER_ASSETS folder that holds the program.',
    ].join('\n'),
    { cause },
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
