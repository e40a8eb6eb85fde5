import { fetchConfig } from './config.ts';
import { isImage } from './description.ts';
import type { Repository } from './endpoint.ts';
import { type Child, fetchManifest, type Manifest } from './manifests.ts';
import { platformText } from './platform.ts';
import type { Access, Send } from './request.ts';

/** What an image says of where it comes from: https://github.com/opencontainers/image-spec/blob/main/annotations.md. Nothing of it can be believed. */
export interface ImageLabels {
  /** The URL of the repository it was built from. */
  readonly source?: string;
  /** The commit. */
  readonly revision?: string;
  readonly version?: string;
}

const KEYS = {
  source: 'org.opencontainers.image.source',
  revision: 'org.opencontainers.image.revision',
  version: 'org.opencontainers.image.version',
} as const;
/** UTF-16 units of a label that can be of use. */
const MAX_LABEL = 512;
const PREFERRED = 'linux/amd64';

/**
 * The labels of what a digest names: the annotations of the manifest or index where those name a source, else the labels of the image's config; of
 * an index those of its image for linux/amd64, or else its first.
 *
 * @throws {RegistryError}
 */
export async function imageLabels(
  send: Send,
  repository: Repository,
  digest: string,
  access: Access,
): Promise<ImageLabels> {
  const manifest = await fetchManifest(send, repository, digest, access);
  const own = await ownLabels(send, repository, manifest, access);
  const child = own.source === undefined ? preferred(manifest.manifests ?? []) : undefined;
  if (child === undefined) return own;
  const image = await fetchManifest(send, repository, child.digest, access);
  return ownLabels(send, repository, image, access);
}

async function ownLabels(
  send: Send,
  repository: Repository,
  { annotations, config }: Manifest,
  access: Access,
): Promise<ImageLabels> {
  const annotated = labelsIn(annotations ?? {});
  if (annotated.source !== undefined || config === undefined) return annotated;
  const { labels } = await fetchConfig(send, repository, config.digest, access);
  return labelsIn(labels);
}

function preferred(children: readonly Child[]): Child | undefined {
  const images = children.filter(isImage);
  return images.find(({ platform }) => platform && platformText(platform) === PREFERRED) ?? images[0];
}

function labelsIn(labels: Readonly<Record<string, string>>): ImageLabels {
  const given = new Map(Object.entries(labels));
  const found = Object.entries(KEYS).flatMap(([name, key]) => {
    const value = given.get(key);
    return value !== undefined && value !== '' && value.length <= MAX_LABEL ? [[name, value]] : [];
  });
  return Object.fromEntries(found) as ImageLabels;
}
