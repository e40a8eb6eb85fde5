import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { openSession, type Session } from './registry-session.ts';
import type { BasicCredential } from './basic-auth.ts';

export interface PushOptions {
  /** `os/architecture[/variant]`; default linux/amd64 and linux/arm64. */
  readonly platforms?: readonly string[];
  /** Part of the content, so that another salt gives another digest. Default: repository and tag. The same input gives the same digest. */
  readonly salt?: string;
  readonly credential?: BasicCredential;
  /** When the image was created, RFC 3339; unset when absent. */
  readonly created?: string;
  /** Whether the index has an attestation beside its images, as buildx adds one. */
  readonly attestation?: boolean;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** An entry of an index. */
interface Child extends Descriptor {
  readonly platform: object;
  readonly annotations?: object;
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
/** A tar file of no entries: two empty blocks. */
const EMPTY_TAR = Buffer.alloc(1024);

/**
 * Pushes a multi-platform image (an OCI index) by the OCI distribution API.
 *
 * @returns the digest of the index, which is what the tag names, and those of its images in the order of the platforms
 */
export async function pushImage(
  host: string,
  repository: string,
  tag: string,
  options: PushOptions = {},
): Promise<{ digest: string; images: readonly string[] }> {
  const { platforms = ['linux/amd64', 'linux/arm64'], credential } = options;
  const { salt = `${repository}:${tag}`, created, attestation = false } = options;
  const session = openSession(host, repository, credential);
  try {
    const manifests: Child[] = [];
    for (const platform of platforms)
      manifests.push(await pushPlatform(session, platform, { salt, created }));
    const images = manifests.map(({ digest }) => digest);
    if (attestation) manifests.push(await pushAttestation(session, salt));
    const index = { schemaVersion: 2, mediaType: INDEX, manifests };
    const { digest } = await pushManifest(session, INDEX, index, tag);
    return { digest, images };
  } finally {
    await session.close();
  }
}

/** What {@link pushArtifact} pushes. */
export interface Artifact {
  readonly configType: string;
  /** That of its one layer; that of the config when absent. */
  readonly layerType?: string;
  readonly artifactType?: string;
  /** The digest of the manifest that it refers to. */
  readonly subject?: string;
}

/**
 * Pushes a manifest that is no image: under a tag, or by its digest alone when that is undefined.
 *
 * @returns its digest
 */
export async function pushArtifact(
  host: string,
  repository: string,
  tag: string | undefined,
  { configType, layerType = configType, artifactType, subject }: Artifact,
): Promise<{ digest: string }> {
  const session = openSession(host, repository);
  try {
    const config = await pushBlob(session, configType, toBytes({}));
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      ...(artifactType !== undefined && { artifactType }),
      config,
      layers: [{ ...config, mediaType: layerType }],
      ...(subject !== undefined && { subject: { mediaType: MANIFEST, digest: subject, size: 1 } }),
    };
    return await pushManifest(session, MANIFEST, manifest, tag);
  } finally {
    await session.close();
  }
}

/** As BuildKit pushes provenance: with the config of an image. */
async function pushAttestation(session: Session, salt: string): Promise<Child> {
  const platform = { os: 'unknown', architecture: 'unknown' };
  const config = await pushBlob(session, CONFIG, toBytes({ ...platform, config: { Labels: { salt } } }));
  const layer = await pushBlob(session, 'application/vnd.in-toto+json', toBytes({ salt }));
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] };
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
  return { ...(await pushManifest(session, MANIFEST, manifest)), platform, annotations };
}

async function pushPlatform(
  session: Session,
  platform: string,
  { salt, created }: { salt: string; created: string | undefined },
): Promise<Child> {
  const [os = '', architecture = '', variant] = platform.split('/');
  const parts = { architecture, os, ...(variant !== undefined && { variant }) };
  const layer = await pushBlob(session, LAYER, gzipSync(EMPTY_TAR));
  const image = {
    ...parts,
    created,
    config: { Labels: { 'fleetscan.test/salt': salt } },
    rootfs: { type: 'layers', diff_ids: [digestOf(EMPTY_TAR)] },
    history: [{ created_by: 'fleetscan test' }],
  };
  const config = await pushBlob(session, CONFIG, toBytes(image));
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] };
  return { ...(await pushManifest(session, MANIFEST, manifest)), platform: parts };
}

async function pushBlob(session: Session, mediaType: string, bytes: Buffer): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const descriptor = { mediaType, digest, size: bytes.length };
  const known = await session.send('HEAD', `blobs/${digest}`, {}, [200, 404]);
  if (known.status === 200) return descriptor;
  const { location } = await session.send('POST', 'blobs/uploads/', {}, [202]);
  await session.upload(location, digest, bytes);
  return descriptor;
}

/** Under a tag when one is given, else under its digest. */
async function pushManifest(
  session: Session,
  mediaType: string,
  manifest: object,
  tag?: string,
): Promise<Descriptor> {
  const body = toBytes(manifest);
  const digest = digestOf(body);
  await session.send('PUT', `manifests/${tag ?? digest}`, { body, contentType: mediaType }, [201]);
  return { mediaType, digest, size: body.length };
}

function toBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
