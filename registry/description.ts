import type { Child, Manifest } from './manifests.ts';
import { platformText } from './platform.ts';

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

/** What is known by the media type of its config or by its artifact type; the beginning of the type counts. */
const KINDS: readonly (readonly [type: string, what: string])[] = [
  ['application/vnd.cncf.helm.', 'a Helm chart'],
  ['application/vnd.cncf.flux.', 'a Flux artifact'],
  ['application/vnd.devcontainers', 'a dev container'],
  ['application/vnd.dev.cosign.', 'a cosign artifact'],
  ['application/vnd.dev.sigstore.', 'a Sigstore bundle'],
  ['application/vnd.cncf.notary.', 'a Notary signature'],
  ['application/vnd.in-toto', 'an in-toto attestation'],
  ['application/spdx', 'an SBOM'],
  ['text/spdx', 'an SBOM'],
  ['application/vnd.cyclonedx', 'an SBOM'],
  ['application/vnd.syft', 'an SBOM'],
  ['application/vnd.docker.plugin', 'a Docker plugin'],
  ['application/vnd.wasm', 'a WebAssembly module'],
  ['application/vnd.module.wasm', 'a WebAssembly module'],
];

const EMPTY = 'application/vnd.oci.empty.v1+json';
const LONGEST_TYPE = 100;

/** Tells images from all else that registries hold, by the rules of the OCI image specification. */
export function describe(manifest: Manifest): Description {
  if (manifest.schemaVersion === 1)
    return other('of the old schema 1, which nothing pulls any more: push it again');
  if (manifest.manifests !== undefined) return describeIndex(manifest);
  const type = manifest.config?.mediaType;
  if (manifest.artifactType !== undefined && manifest.artifactType !== type)
    return other(kindOf(manifest.artifactType));
  if (manifest.subject !== undefined) return other('something that refers to an image');
  if (type !== undefined && IMAGE_CONFIGS.has(type)) return { kind: 'image' };
  return other(type === undefined ? 'a manifest without a config' : kindOf(type));
}

function describeIndex({ artifactType, subject, manifests = [] }: Manifest): Description {
  if (artifactType !== undefined) return other(kindOf(artifactType));
  if (subject !== undefined) return other('something that refers to an image');
  const platforms = manifests
    .filter(isImage)
    .flatMap(({ platform }) => (platform ? [platformText(platform)] : []));
  if (platforms.length === 0) return other('an index of no platform');
  return { kind: 'index', platforms: [...new Set(platforms)] };
}

/** Is it one of the images of an index? Attestations bear a platform too, but an unknown one. */
export function isImage({ platform, annotations }: Child): boolean {
  if (platform === undefined || annotations?.['vnd.docker.reference.type'] !== undefined) return false;
  return platform.os !== 'unknown' && platform.architecture !== 'unknown';
}

function kindOf(type: string): string {
  if (type === EMPTY) return 'an artifact without a type';
  const known = KINDS.find(([beginning]) => type.startsWith(beginning));
  return known?.[1] ?? `an artifact of type ${type.slice(0, LONGEST_TYPE)}`;
}

function other(what: string): Description {
  return { kind: 'other', what };
}
