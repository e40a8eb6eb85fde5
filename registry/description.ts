import { oneLine } from '../core/one-line.ts';
import type { Child, Manifest } from './manifests.ts';
import { isPlatform, platformText } from './platform.ts';

/** What a digest names. */
export type Description =
  | { readonly kind: 'image' }
  /** An image for several platforms, each as `os/architecture` or `os/architecture/variant`. */
  | { readonly kind: 'index'; readonly platforms: readonly string[] }
  /** No image; `what` is what it is, with its article: `a Helm chart`. */
  | { readonly kind: 'other'; readonly what: string };

const IMAGE_CONFIGS = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** What is known by its artifact type, its config's or its layers' media type; the beginning of the type counts. */
const KINDS: readonly (readonly [type: string, what: string])[] = [
  ['application/vnd.cncf.helm.', 'a Helm chart'],
  ['application/vnd.cncf.flux.', 'a Flux artifact'],
  ['application/vnd.devcontainers', 'a dev container'],
  ['application/vnd.dev.cosign.simplesigning.', 'a cosign signature'],
  ['application/vnd.dev.cosign.', 'a cosign artifact'],
  ['application/vnd.dev.sigstore.', 'a Sigstore bundle'],
  ['application/vnd.cncf.notary.', 'a Notary signature'],
  ['application/vnd.in-toto', 'an in-toto attestation'],
  ['application/vnd.dsse.envelope', 'an attestation'],
  ['application/spdx', 'an SBOM'],
  ['text/spdx', 'an SBOM'],
  ['application/vnd.cyclonedx', 'an SBOM'],
  ['application/vnd.syft', 'an SBOM'],
  ['application/vnd.docker.plugin', 'a Docker plugin'],
  ['application/vnd.wasm', 'a WebAssembly module'],
  ['application/vnd.module.wasm', 'a WebAssembly module'],
];

/** Descriptions are kept; the images with the most platforms have some twenty. */
const MOST_PLATFORMS = 100;

const EMPTY = 'application/vnd.oci.empty.v1+json';

/** Tells images from all else that registries hold, by the rules of the OCI image specification. */
export function describe(manifest: Manifest): Description {
  const { schemaVersion, artifactType, subject, config, manifests, layers = [] } = manifest;
  if (schemaVersion === 1) return other('of the old schema 1, which nothing pulls any more: push it again');
  // Whoever reads it as the one and whoever reads it as the other would not run the same; containerd refuses it (CVE-2021-41190).
  if (manifests !== undefined && config !== undefined)
    return other('a manifest and an index in one, which nothing pulls');
  if (artifactType !== undefined && artifactType !== config?.mediaType) return other(kindOf(artifactType));
  if (subject !== undefined) return other('something that refers to an image');
  if (manifests !== undefined) return describeIndex(manifests);
  if (config?.mediaType === undefined) return other('a manifest without a config');
  if (!IMAGE_CONFIGS.has(config.mediaType)) return other(kindOf(config.mediaType));
  // Signatures of cosign and attestations of BuildKit bear the config of an image; what they are, their layers tell.
  const known = layers.map(({ mediaType }) => knownKind(mediaType ?? ''));
  return known[0] !== undefined && known.every((kind) => kind !== undefined)
    ? other(known[0])
    : { kind: 'image' };
}

function describeIndex(manifests: readonly Child[]): Description {
  const platforms = manifests
    .filter(isImage)
    .flatMap(({ platform }) => (platform ? [platformText(platform)] : []));
  if (platforms.length === 0) return other('an index of no platform');
  return { kind: 'index', platforms: [...new Set(platforms)].slice(0, MOST_PLATFORMS) };
}

/** Is it one of the images of an index? Attestations bear a platform too, but an unknown or empty one. */
export function isImage({ platform, annotations }: Child): boolean {
  if (platform === undefined || annotations?.['vnd.docker.reference.type'] !== undefined) return false;
  return isPlatform(platform);
}

function kindOf(type: string): string {
  if (type === EMPTY) return 'an artifact without a type';
  return knownKind(type) ?? `an artifact of type ${oneLine(type)}`;
}

function knownKind(type: string): string | undefined {
  return KINDS.find(([beginning]) => type.startsWith(beginning))?.[1];
}

function other(what: string): Description {
  return { kind: 'other', what };
}
