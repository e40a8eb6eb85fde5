import { constants } from 'node:fs';
import { access, chmod, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '../../core/errors.ts';
import { Downloader, DownloadError } from './download.ts';
import { GoBuildError, goBuild } from './gobuild.ts';
import { withLock } from './lock.ts';
import { currentPlatform, type Platform } from './platform.ts';
import { type Progress, streamProgress } from './progress.ts';
import { releaseOf } from './releases.ts';
import { mustRun } from './run.ts';
import { type BinaryName, versionOf } from './versions.ts';

/** No way led to a program; the message lists the ways and what to install. */
export class BinariesError extends CodedError<'NotAvailable'> {}

export interface BinariesOptions {
  readonly progress?: Progress;
  /** By default `$KUBEBUILDER_ASSETS`. */
  readonly assets?: string;
  /** By default `$XDG_CACHE_HOME` or `~/.cache`, then `fleetscan/bin`. */
  readonly cacheFolder?: string;
  /** See `DownloaderOptions`. */
  readonly mirror?: string;
  /** The `go` to build with; by default the one in the PATH. */
  readonly go?: string;
}

interface Search {
  readonly assets: string | undefined;
  readonly cacheFolder: string;
  readonly platform: Platform;
  readonly progress: Progress;
  readonly go: string;
  /** Why releases could not be had: each reason is told once. */
  readonly told: Set<string>;
}

// Shared by all calls of one run, so that a machine without internet waits for each host once.
const unreachableHosts = new Map<string, string>();

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
      async () => obtain(search, await missing(search, names), options.mirror),
      (pid) => search.progress.line(`process ${pid} is getting the programs of the bench; waiting for it`),
    );
  }
  const paths = new Map<string, string | undefined>();
  for (const name of names) paths.set(name, await find(search, name));
  return Object.fromEntries(paths) as Record<Name, string>;
}

function searchBy(options: BinariesOptions): Search {
  const { XDG_CACHE_HOME, KUBEBUILDER_ASSETS } = process.env;
  return {
    assets: options.assets ?? KUBEBUILDER_ASSETS,
    cacheFolder: options.cacheFolder ?? join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'fleetscan', 'bin'),
    platform: currentPlatform(),
    progress: options.progress ?? streamProgress(),
    go: options.go ?? 'go',
    told: new Set(),
  };
}

async function missing<Name extends BinaryName>(search: Search, names: readonly Name[]): Promise<Name[]> {
  const found = await Promise.all(names.map((name) => find(search, name)));
  return names.filter((_, index) => found[index] === undefined);
}

/** The path of a program that is on this machine already. */
async function find(search: Search, name: BinaryName): Promise<string | undefined> {
  const candidates = [cachePath(search, name)];
  if (search.assets !== undefined && search.assets !== '') candidates.unshift(join(search.assets, name));
  for (const path of candidates) {
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

function cachePath({ cacheFolder, platform }: Search, name: BinaryName): string {
  return join(cacheFolder, `${name}-${versionOf(name)}-${platform.os}-${platform.arch}`);
}

async function obtain(
  search: Search,
  names: readonly BinaryName[],
  mirror: string | undefined,
): Promise<void> {
  const downloader = new Downloader({
    progress: search.progress,
    ...(mirror === undefined ? { unreachable: unreachableHosts } : { mirror }),
  });
  try {
    for (const [index, name] of names.entries()) {
      await obtainOne(search, name, `${index + 1} of ${names.length}`, downloader);
    }
  } finally {
    await downloader.close();
  }
}

async function obtainOne(
  search: Search,
  name: BinaryName,
  position: string,
  downloader: Downloader,
): Promise<void> {
  const path = cachePath(search, name);
  const whole = `${path}.new`;
  const noRelease = await unless(DownloadError, () => fromRelease(search, name, whole, downloader));
  if (noRelease !== undefined) {
    if (noRelease.code === 'WrongChecksum') throw noRelease;
    tellOnce(search, `no release to download, so Go has to build: ${noRelease.message}`);
    const { progress, go } = search;
    const noBuild = await unless(GoBuildError, () =>
      goBuild({ name, output: whole, progress, position, go }),
    );
    if (noBuild !== undefined) throw notAvailable(search, name, noRelease, noBuild);
  }
  await chmod(whole, 0o755);
  await rename(whole, path);
}

async function fromRelease(
  search: Search,
  name: BinaryName,
  output: string,
  downloader: Downloader,
): Promise<void> {
  const { url, checksumUrl, member } = releaseOf(name, search.platform);
  const label = `${name} ${versionOf(name)}`;
  if (member === undefined) return downloader.file({ label, url, checksumUrl }, output);
  const archive = `${output}.archive`;
  await downloader.file({ label, url, checksumUrl }, archive);
  const folder = `${output}.unpacked`;
  await mkdir(folder, { recursive: true });
  // macOS' tar reads the zip files that some projects publish for macOS.
  await mustRun('tar', ['-xf', archive, '-C', folder, member]);
  await rename(join(folder, member), output);
  await Promise.all([archive, folder].map((path) => rm(path, { recursive: true, force: true })));
}

function tellOnce({ told, progress }: Search, text: string): void {
  if (told.has(text)) return;
  told.add(text);
  progress.line(text);
}

/** Does the work; gives an error of that class instead of throwing it. */
async function unless<E extends Error>(
  errorClass: abstract new (...args: never[]) => E,
  work: () => Promise<void>,
): Promise<E | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof errorClass) return error;
    throw error;
  }
}

function notAvailable(search: Search, name: BinaryName, noRelease: Error, noBuild: Error): BinariesError {
  const assets = search.assets ? `${search.assets} does not hold it` : 'not set';
  return new BinariesError(
    'NotAvailable',
    [
      `${name} ${versionOf(name)} cannot be had on this machine. Tried:`,
      `- KUBEBUILDER_ASSETS: ${assets}`,
      `- the cache: no ${cachePath(search, name)}`,
      `- the official release: ${noRelease.message}`,
      `- a build with Go: ${noBuild.message}`,
      'Give it one of: access to the release (HTTPS_PROXY is honoured); Go 1.26 or newer (https://go.dev/dl) with access to',
      `a Go module proxy; or the program itself, executable, at the path in the cache.`,
    ].join('\n'),
    { cause: noBuild },
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
