import { z } from 'zod';
import { parseBody } from './body.ts';
import { isImage } from './description.ts';
import { apiUrl, type Repository } from './endpoint.ts';
import { fetchManifest, type Manifest, verify } from './manifests.ts';
import type { Access, RegistryRequest, Send } from './request.ts';
import { statusError } from './status.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const MOST_PLATFORMS = 32;
const CREATED = 'org.opencontainers.image.created';
const LEGACY = 'org.label-schema.build-date';

/**
 * When what a digest names was created, as the publisher says: the annotation of the manifest or index counts; else the later of the config's own
 * time and its label, since a label may be that of the base image; of an index the newest of its images. A time before 1970 is none
 * (Go writes the year 1 for "not set"); 1970 itself, of a reproducible build, is one.
 *
 * @returns milliseconds since the epoch, undefined when it does not say
 * @throws {RegistryError}
 */
export async function created(
  send: Send,
  repository: Repository,
  digest: string,
  access: Access,
): Promise<number | undefined> {
  const manifest = await fetchManifest(send, repository, digest, access);
  const annotated = timeOf(manifest.annotations?.[CREATED]);
  if (annotated !== undefined) return annotated;
  if (manifest.manifests !== undefined) return newestOf(send, repository, manifest.manifests, access);
  return manifest.config && configCreated(send, repository, manifest.config.digest, access);
}

async function newestOf(
  send: Send,
  repository: Repository,
  children: NonNullable<Manifest['manifests']>,
  access: Access,
): Promise<number | undefined> {
  const images = children
    .filter((child) => isImage(child) && !isIndex(child.mediaType))
    .slice(0, MOST_PLATFORMS);
  const times: number[] = [];
  for (const { digest } of images) {
    const time = await created(send, repository, digest, access);
    if (time !== undefined) times.push(time);
  }
  return latest(times);
}

// An index in an index could go on without an end.
function isIndex(mediaType: string | undefined): boolean {
  return mediaType?.includes('index') === true || mediaType?.includes('manifest.list') === true;
}

const imageConfig = z.object({
  created: z.string().optional().catch(undefined),
  config: z
    .object({ Labels: z.record(z.string(), z.string()).nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
});

async function configCreated(
  send: Send,
  repository: Repository,
  digest: string,
  access: Access,
): Promise<number | undefined> {
  const what = `the config ${digest} of ${repository.name}`;
  const request: RegistryRequest = {
    method: 'GET',
    url: apiUrl(repository, `blobs/${digest}`),
    headers: { accept: '*/*' },
    maxBytes: MAX_BYTES,
    repository,
    access,
  };
  const answer = await send(request);
  if (answer.status !== 200) throw statusError(answer, request, what);
  verify(answer.body, digest, request, what);
  const { created: own, config } = parseBody(imageConfig, answer, request, what);
  const times = [timeOf(own), timeOf(config?.Labels?.[CREATED])].filter((time) => time !== undefined);
  return latest(times) ?? timeOf(config?.Labels?.[LEGACY]);
}

function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return time >= 0 ? time : undefined;
}

function latest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}
