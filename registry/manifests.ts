import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseBody } from './body.ts';
import { apiUrl, type Repository } from './endpoint.ts';
import { RegistryError } from './errors.ts';
import { type Access, type Answer, headerOf, type RegistryRequest, type Send } from './request.ts';
import { statusError } from './status.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const MEDIA_TYPES: readonly string[] = [
  INDEX,
  MANIFEST,
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** What a tag names. */
export interface Resolved {
  /** Of the index where the image is a multi-arch one. */
  readonly digest: string;
  readonly mediaType: string;
}

/**
 * What a tag names now, asked by HEAD, which counts as no pull. A registry that does not answer HEAD, or does so without a
 * digest that can be used, is asked by GET, and the digest is taken from the bytes that come.
 *
 * @throws {RegistryError}
 */
export async function resolve(
  send: Send,
  repository: Repository,
  tag: string,
  access: Access,
): Promise<Resolved> {
  const request = manifestRequest(repository, tag, access);
  const what = `${repository.name}:${tag}`;
  const head = await send({ ...request, method: 'HEAD' });
  if (head.status !== 200 && head.status !== 404 && head.status !== 405)
    throw statusError(head, request, what);
  const told = head.status === 200 ? readHead(head) : undefined;
  if (told !== undefined) return told;
  const answer = await send(request);
  if (answer.status !== 200) throw statusError(answer, request, what);
  return readManifest(answer, request, what);
}

// Without the index types some registries answer with the digest of one platform's child (distribution-spec #207).
function manifestRequest(repository: Repository, tag: string, access: Access): RegistryRequest {
  const url = apiUrl(repository, `manifests/${tag}`);
  return {
    method: 'GET',
    url,
    headers: { accept: MEDIA_TYPES.join(', ') },
    maxBytes: MAX_BYTES,
    repository,
    access,
  };
}

function readHead(answer: Answer): Resolved | undefined {
  const digest = headerOf(answer, 'docker-content-digest')?.trim() ?? '';
  const mediaType = contentType(answer);
  return DIGEST.test(digest) && mediaType !== undefined ? { digest, mediaType } : undefined;
}

const manifest = z.object({
  schemaVersion: z.number(),
  mediaType: z.string().optional(),
  config: z.unknown().optional(),
  manifests: z.array(z.unknown()).optional(),
});

function readManifest(answer: Answer, request: RegistryRequest, what: string): Resolved {
  const body = parseBody(manifest, answer, request, `a manifest for ${what}`);
  const mediaType = body.mediaType ?? contentType(answer) ?? guessType(body);
  const registry = request.repository.registry;
  if (body.schemaVersion === 1) {
    throw new RegistryError(
      'InvalidAnswer',
      `${what} at ${registry} is of the old schema 1, which is not supported: push it again`,
    );
  }
  if (mediaType === undefined || !MEDIA_TYPES.includes(mediaType)) {
    throw new RegistryError(
      'InvalidAnswer',
      `${what} at ${registry} is not an image, nor an index of images`,
    );
  }
  // Of a tag our own hash is right where it and the header differ, as go-containerregistry has it.
  return { digest: `sha256:${createHash('sha256').update(answer.body).digest('hex')}`, mediaType };
}

// The OCI image specification lets mediaType be absent, and then the content tells.
function guessType({ config, manifests }: z.infer<typeof manifest>): string | undefined {
  if (manifests !== undefined) return INDEX;
  return config === undefined ? undefined : MANIFEST;
}

/** The Content-Type without its parameters, where it is that of an image. */
function contentType(answer: Answer): string | undefined {
  const type = headerOf(answer, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  return type !== undefined && MEDIA_TYPES.includes(type) ? type : undefined;
}
