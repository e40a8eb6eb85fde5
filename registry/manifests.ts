import { z } from 'zod';
import { parseBody } from './body.ts';
import { digestOf, isSHA256, isNamedBy } from './digest.ts';
import { apiUrl, type Repository } from './endpoint.ts';
import { RegistryError } from './errors.ts';
import { type Access, headerOf, type RegistryRequest, type Send } from './request.ts';
import { statusError } from './status.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const MEDIA_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** What a tag names. */
export interface Resolved {
  /** Of the index where the image is a multi-arch one. */
  readonly digest: string;
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
  if (![200, 404, 405, 501].includes(head.status)) throw statusError(head, request, what);
  const told = head.status === 200 ? headerOf(head, 'docker-content-digest')?.trim() : undefined;
  if (told !== undefined && isSHA256(told)) return { digest: told };
  return resolveByContent(send, repository, tag, access);
}

/**
 * What a tag names now, by the bytes of the manifest: for registries that tell another digest than they have.
 *
 * @throws {RegistryError}
 */
export async function resolveByContent(
  send: Send,
  repository: Repository,
  tag: string,
  access: Access,
): Promise<Resolved> {
  const request = manifestRequest(repository, tag, access);
  const what = `${repository.name}:${tag}`;
  const answer = await send(request);
  if (answer.status !== 200) throw statusError(answer, request, what);
  // A page to log in, say, has a hash as well.
  parseBody(anyManifest, answer, request, `a manifest for ${what}`);
  // Of a tag our own hash is right where it and the header differ, as go-containerregistry has it.
  return { digest: digestOf(answer.body) };
}

/**
 * The manifest that a digest names.
 *
 * @throws {RegistryError} 'InvalidAnswer' when the registry sends another one
 */
export async function fetchManifest(
  send: Send,
  repository: Repository,
  digest: string,
  access: Access,
): Promise<Manifest> {
  const request = manifestRequest(repository, digest, access);
  const what = `${repository.name}@${digest}`;
  const answer = await send(request);
  if (answer.status !== 200) throw statusError(answer, request, what);
  const manifest = parseBody(anyManifest, answer, request, `a manifest for ${what}`);
  // Of the old schema the digest leaves the signatures out, which are part of what comes: nothing in it can be believed.
  if (manifest.schemaVersion === 1) return { schemaVersion: 1 };
  verify(answer.body, digest, request, what);
  return manifest;
}

/**
 * Makes sure that bytes are those that a digest names.
 *
 * @throws {RegistryError} 'InvalidAnswer'
 */
export function verify(body: Buffer, digest: string, { repository }: RegistryRequest, what: string): void {
  if (isNamedBy(digest, body)) return;
  throw new RegistryError(
    'InvalidAnswer',
    `${repository.registry} sends for ${what} something with another digest: it, or a cache before it, is broken`,
  );
}

// Without the index types some registries answer with the digest of one platform's child (distribution-spec #207).
function manifestRequest(repository: Repository, reference: string, access: Access): RegistryRequest {
  const url = apiUrl(repository, `manifests/${reference}`);
  return {
    method: 'GET',
    url,
    headers: { accept: MEDIA_TYPES.join(', ') },
    maxBytes: MAX_BYTES,
    repository,
    access,
  };
}

// The grammar of descriptor.md; whether the bytes can be checked shows when they come.
const digest = z.string().regex(/^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/);
const text = z.string().min(1).optional().catch(undefined);
const texts = z.record(z.string(), z.string()).optional().catch(undefined);
const descriptor = z.object({ mediaType: text, digest });
/** Of a platform; what is not named is none, as in Go. */
const part = z.string().catch('');
const child = descriptor.extend({
  annotations: texts,
  platform: optional(z.object({ os: part, architecture: part, variant: text })).catch(undefined),
});

/** Absent and null are one: Go writes null for what is not set. */
function optional<T>(schema: z.ZodType<T>) {
  return schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();
}

// https://github.com/opencontainers/image-spec, manifest.md and image-index.md, as far as it is read here.
const anyManifest = z.object({
  schemaVersion: z.number(),
  artifactType: text,
  annotations: texts,
  subject: optional(z.object({})),
  config: optional(descriptor),
  layers: optional(z.array(z.object({ mediaType: text }))),
  manifests: optional(z.array(child)),
});

/** A manifest or an index, OCI's or Docker's, as it was sent. */
export type Manifest = z.infer<typeof anyManifest>;
export type Child = z.infer<typeof child>;
