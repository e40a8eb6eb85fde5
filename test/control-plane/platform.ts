import { CodedError } from '../../core/errors.ts';

/** Thrown by {@link currentPlatform}. */
export class PlatformError extends CodedError<'UnsupportedPlatform'> {}

/** An operating system and a processor, as Go names them. */
export interface Platform {
  readonly os: 'linux' | 'darwin';
  readonly arch: 'amd64' | 'arm64';
}

/**
 * The machine's platform.
 *
 * @throws {PlatformError} when the bench has no programs for it
 */
export function currentPlatform(): Platform {
  const { platform, arch } = process;
  if ((platform === 'linux' || platform === 'darwin') && (arch === 'x64' || arch === 'arm64')) {
    return { os: platform, arch: arch === 'x64' ? 'amd64' : 'arm64' };
  }
  throw new PlatformError(
    'UnsupportedPlatform',
    `the bench runs on Linux and macOS, x64 and arm64, not on ${platform} ${arch}; use a virtual machine or a container`,
  );
}
