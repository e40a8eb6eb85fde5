/** A platform as an index has it. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
};
/** The variant that says no more than the architecture alone, and the one that is meant where none is named. */
const IMPLIED: Readonly<Record<string, string>> = { arm64: 'v8', amd64: 'v1' };

/** A platform in the one spelling that all others come down to (containerd's, github.com/containerd/platforms): `linux/arm/v7`. */
export function platformText({ os, architecture, variant }: Platform): string {
  const name = architecture.toLowerCase();
  const known = ARCHITECTURES[name] ?? name;
  const said = variant?.toLowerCase() || (known === 'arm' ? 'v7' : '');
  const suffix = said === '' || IMPLIED[known] === said ? '' : `/${said}`;
  return `${os.toLowerCase()}/${known}${suffix}`;
}
