import { constants } from 'node:fs';
import { access, cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, messageOf } from '../../core/errors.ts';
import { cacheHome } from './binaries.ts';
import { unpackPackages } from './debian.ts';
import { withLock } from './lock.ts';
import { streamProgress } from './progress.ts';
import { mustRun } from './run.ts';

/** No way led to an sshd; the message says what to install. */
export class SshdError extends CodedError<'NotAvailable'> {}

/** An sshd, and what it needs. */
export interface SshdProgram {
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Settings that this version needs. */
  readonly settings: Readonly<Record<string, string>>;
  /** The library that gives it a file of ours as the list of users; without it, it knows those of the machine only. */
  readonly nssWrapper?: string;
}

const PACKAGES = ['openssh-server', 'libwrap0', 'libnss-wrapper'];
const SYSTEM = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'];

/**
 * Finds the sshd of the bench. Run by root, it would want a user and a folder that only its installation makes, so it is run
 * by another user, whom a library makes up: both are unpacked from the packages of Debian or Ubuntu into the cache folder.
 * Where there are none, the machine's own serves everybody but root.
 *
 * @param copyTo a folder that it is copied to, for a user who may not look into root's cache
 * @throws {SshdError}
 */
export async function sshdProgram(copyTo?: string): Promise<SshdProgram> {
  const folder = join(cacheHome(), 'sshd');
  const tried = await unpacked(folder);
  if (tried === undefined && copyTo !== undefined)
    await cp(folder, copyTo, { recursive: true, verbatimSymlinks: true });
  if (tried === undefined) return ofPackages(copyTo ?? folder);
  const command = await firstExecutable(SYSTEM);
  if (command === undefined || process.getuid?.() === 0) throw notAvailable(command, tried);
  return { command, environment: {}, settings: await settingsFor(command, '/') };
}

/** @returns why there are no packages, or undefined when they are there */
async function unpacked(folder: string): Promise<string | undefined> {
  if (await isExecutable(join(folder, 'usr/sbin/sshd'))) return undefined;
  const progress = streamProgress();
  await mkdir(cacheHome(), { recursive: true });
  try {
    await withLock(`${folder}.lock`, async () => {
      if (await isExecutable(join(folder, 'usr/sbin/sshd'))) return;
      progress.line(`getting sshd from the packages ${PACKAGES.join(', ')}`);
      await unpackPackages(PACKAGES, folder);
    });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function ofPackages(folder: string): Promise<SshdProgram> {
  const command = join(folder, 'usr/sbin/sshd');
  const libraries = await libraryFolder(join(folder, 'usr/lib'));
  const environment = { LD_LIBRARY_PATH: libraries };
  const settings = await settingsFor(command, folder, environment);
  return { command, environment, settings, nssWrapper: join(libraries, 'libnss_wrapper.so') };
}

/** `x86_64-linux-gnu` and the like. */
async function libraryFolder(parent: string): Promise<string> {
  const names = await readdir(parent);
  return join(parent, names.find((name) => name.endsWith('-linux-gnu')) ?? '');
}

async function settingsFor(
  command: string,
  root: string,
  env: Record<string, string> = {},
): Promise<Record<string, string>> {
  // It lets nobody in by this, but says its version.
  const { stderr, stdout } = await mustRun('sh', ['-c', '"$0" -V 2>&1 || true', command], { env });
  const [, major = '0', minor = '0'] = /OpenSSH_(\d+)\.(\d+)/.exec(stdout + stderr) ?? [];
  const settings: Record<string, string> = {};
  // It punishes an address that fails to log in, and ours is the only one.
  if (Number(major) * 100 + Number(minor) >= 908) settings['PerSourcePenalties'] = 'no';
  for (const [name, program] of [
    ['SshdSessionPath', 'sshd-session'],
    ['SshdAuthPath', 'sshd-auth'],
  ] as const) {
    const path = join(root, 'usr/lib/openssh', program);
    if (root !== '/' && (await isExecutable(path))) settings[name] = path;
  }
  return settings;
}

function notAvailable(command: string | undefined, tried: string): SshdError {
  const own = command === undefined ? 'there is none' : `${command} cannot be run by root in the tests`;
  return new SshdError(
    'NotAvailable',
    [
      'sshd cannot be had on this machine. Tried:',
      `- the packages ${PACKAGES.join(', ')}: ${tried}`,
      `- the machine's own: ${own}`,
      'Install an OpenSSH server (its service need not run) and test as a user other than root, or give apt-get its mirror.',
    ].join('\n'),
  );
}

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isExecutable(path)) return path;
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
