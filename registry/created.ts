import { parseRFC3339 } from '../core/rfc3339.ts';
import { fetchConfig } from './config.ts';
import { isImage } from './description.ts';
import type { Repository } from './endpoint.ts';
import { RegistryError } from './errors.ts';
import { type Child, fetchManifest, type Manifest } from './manifests.ts';
import type { Access, Send } from './request.ts';

const MOST_PLATFORMS = 32;
const CREATED = 'org.opencontainers.image.created';
const LEGACY = 'org.label-schema.build-date';

/**
 * When what a digest names was created, as the publisher says: the annotation of the manifest or index counts; else the later of the config's own
 * time and its label, since a label may be that of the base image; of an index the newest of its images, as far as the registry has them.
 * What is not RFC 3339 is no time, nor is one before 1970 (Go writes the year 1 for "not set"); 1970 itself, of a reproducible build, is one.
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
  const own = await ownTime(send, repository, manifest, access);
  return own ?? newestOf(send, repository, manifest.manifests ?? [], access);
}

/** What a manifest or an index says of itself. */
async function ownTime(
  send: Send,
  repository: Repository,
  { annotations, config }: Manifest,
  access: Access,
): Promise<number | undefined> {
  return timeOf(annotations?.[CREATED]) ?? (config && configTime(send, repository, config.digest, access));
}

// Only what the images say of themselves: indexes in indexes would go on without an end.
async function newestOf(
  send: Send,
  repository: Repository,
  children: readonly Child[],
  access: Access,
): Promise<number | undefined> {
  const digests = new Set(children.filter(isImage).map(({ digest }) => digest));
  const times: number[] = [];
  for (const digest of [...digests].slice(0, MOST_PLATFORMS)) {
    const manifest = await fetchManifest(send, repository, digest, access).catch(missing);
    const time = manifest && (await ownTime(send, repository, manifest, access));
    if (time !== undefined) times.push(time);
  }
  return latest(times);
}

/** A copy may leave out platforms and keep the index (distribution specification, "Pushing Manifests"). */
function missing(error: unknown): undefined {
  if (error instanceof RegistryError && error.code === 'NotFound') return undefined;
  throw error;
}

async function configTime(
  send: Send,
  repository: Repository,
  digest: string,
  access: Access,
): Promise<number | undefined> {
  const { created: own, labels } = await fetchConfig(send, repository, digest, access);
  const times = [timeOf(own), timeOf(labels[CREATED])].filter((time) => time !== undefined);
  return latest(times) ?? timeOf(labels[LEGACY]);
}

function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? undefined : parseRFC3339(text);
  return time !== undefined && time >= 0 ? time : undefined;
}

function latest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}
