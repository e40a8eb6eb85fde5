/** A platform as an index has it. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

const OPERATING_SYSTEMS = new Map([['macos', 'darwin']]);
const ARCHITECTURES = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
  ['i386', '386'],
  ['armhf', 'arm/v7'],
  ['armel', 'arm/v6'],
]);
/** Variants in another spelling, or that say no more than the architecture alone; that of `arm` where none is named is v7. */
const VARIANTS = new Map([
  ['amd64/v1', 'amd64'],
  ['arm64/8', 'arm64'],
  ['arm64/v8', 'arm64'],
  ['arm', 'arm/v7'],
  ['arm/5', 'arm/v5'],
  ['arm/6', 'arm/v6'],
  ['arm/7', 'arm/v7'],
  ['arm/8', 'arm/v8'],
]);

// containerd's, https://github.com/containerd/platforms/blob/main/platforms.go; the length is our own.
const PART = /^[A-Za-z0-9_.-]{1,64}$/;

/** Is it a platform that something could run on? Not where a part is empty, `unknown`, or no name. */
export function isPlatform({ os, architecture, variant }: Platform): boolean {
  const isNamed = (part: string): boolean => PART.test(part) && part !== 'unknown';
  return isNamed(os) && isNamed(architecture) && (!variant || PART.test(variant));
}

/**
 * A platform in the one spelling that all others come down to: `linux/arm/v7`. It is containerd's
 * (github.com/containerd/platforms, database.go). The version of the system is left out, as containerd leaves it out.
 */
export function platformText({ os, architecture, variant = '' }: Platform): string {
  const system = os.toLowerCase();
  const name = architecture.toLowerCase();
  const known = ARCHITECTURES.get(name) ?? name;
  const full = variant === '' || known.includes('/') ? known : `${known}/${variant.toLowerCase()}`;
  return `${OPERATING_SYSTEMS.get(system) ?? system}/${VARIANTS.get(full) ?? full}`;
}
