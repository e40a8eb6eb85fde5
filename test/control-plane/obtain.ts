import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../../core/errors.ts';
import { Downloader, DownloadError } from './download.ts';
import { GoBuildError, goBuild } from './gobuild.ts';
import { copyModuleFiles } from './module-files.ts';
import type { Platform } from './platform.ts';
import type { Progress } from './progress.ts';
import { releaseOf } from './releases.ts';
import { mustRun } from './run.ts';
import { type BinaryName, versionOf } from './versions.ts';

/** A program can neither be downloaded nor built; the message has a line for each attempt. */
export class ObtainError extends CodedError<'NotAvailable'> {
  /** Name and version. */
  readonly program: string;

  constructor(program: string, message: string, options: ErrorOptions) {
    super('NotAvailable', message, options);
    this.program = program;
  }
}

/** How programs are got. */
export interface Means {
  readonly platform: Platform;
  readonly progress: Progress;
  /** The `go` to build with. */
  readonly go: string;
  /** See `DownloaderOptions`. */
  readonly mirror?: string;
}

/** A program, and the path it is to have. */
export interface Wanted {
  readonly name: BinaryName;
  readonly path: string;
}

// Shared by all calls of one run, so that a machine without internet waits for each host once.
const unreachableHosts = new Map<string, string>();

/**
 * Gets programs one after the other, from the official release or else by a build with Go. Each path is whole or absent.
 *
 * @throws {ObtainError} with what was tried, at the first program that cannot be had
 * @throws {DownloadError} `WrongChecksum`: that needs a person, and is no reason to look elsewhere
 */
export async function obtain(wanted: readonly Wanted[], means: Means): Promise<void> {
  const { progress, mirror } = means;
  const hosts = mirror === undefined ? { unreachable: unreachableHosts } : { mirror };
  const downloader = new Downloader({ progress, ...hosts });
  const told = new Set<string>();
  const tellOnce = (text: string) => {
    if (!told.has(text)) progress.line(text);
    told.add(text);
  };
  try {
    for (const [index, { name, path }] of wanted.entries()) {
      const whole = `${path}.new`;
      const noRelease = await noReleaseOf(name, whole, means, downloader);
      if (noRelease !== undefined) {
        tellOnce(`no release to download, so Go has to build: ${noRelease.message}`);
        await build(name, whole, `${index + 1} of ${wanted.length}`, means, noRelease);
        await copyModuleFiles(name, path, means.go);
      }
      await chmod(whole, 0o755);
      await rename(whole, path);
    }
  } finally {
    await downloader.close();
  }
}

/** Downloads a program; gives the reason when there is no release that can be had. */
async function noReleaseOf(
  name: BinaryName,
  output: string,
  { platform }: Means,
  downloader: Downloader,
): Promise<DownloadError | undefined> {
  const { url, checksumUrl, member } = releaseOf(name, platform);
  const file = { label: `${name} ${versionOf(name)}`, url, checksumUrl };
  try {
    if (member === undefined) {
      await downloader.file(file, output);
    } else {
      await downloader.file(file, `${output}.archive`);
      await unpack(`${output}.archive`, member, output);
    }
    return undefined;
  } catch (error) {
    if (error instanceof DownloadError && error.code !== 'WrongChecksum') return error;
    throw error;
  }
}

async function unpack(archive: string, member: string, output: string): Promise<void> {
  const folder = `${output}.unpacked`;
  await mkdir(folder, { recursive: true });
  // macOS' tar reads the zip files that some projects publish for macOS.
  await mustRun('tar', ['-xf', archive, '-C', folder, member]);
  await rename(join(folder, member), output);
  await Promise.all([archive, folder].map((path) => rm(path, { recursive: true, force: true })));
}

async function build(
  name: BinaryName,
  output: string,
  position: string,
  { progress, go }: Means,
  noRelease: DownloadError,
): Promise<void> {
  try {
    await goBuild({ name, output, progress, position, go });
  } catch (error) {
    if (!(error instanceof GoBuildError)) throw error;
    const tried = [`- the official release: ${noRelease.message}`, `- a build with Go: ${error.message}`];
    throw new ObtainError(`${name} ${versionOf(name)}`, tried.join('\n'), { cause: error });
  }
}
