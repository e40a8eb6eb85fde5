import { CodedError } from './errors.ts';

/** An image reference, taken apart. The grammar is the one registries and Fleet accept, see {@link parseReference}. */
export interface Reference {
  /** The name as the user spelled it, without tag and digest: `nginx`, `docker.io/library/nginx`. */
  readonly name: string;
  /** Host and port that serve the image, with Docker Hub as `index.docker.io`. */
  readonly registry: string;
  /** The repository on that host; Docker Hub's official images begin with `library/`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
}

/** Thrown by {@link parseReference}. */
export class ReferenceError extends CodedError<'InvalidReference'> {}

export const DOCKER_HUB = 'index.docker.io';
const DOCKER_HUB_ALIASES = new Set(['docker.io', DOCKER_HUB]);

// The checks of go-containerregistry's weak mode, which Fleet uses: characters and lengths, not the full OCI grammar. The
// repository is checked as it is written, before `library/` is put before it.
const REPOSITORY = /^[a-z0-9_\-./]{2,255}$/;
const TAG = /^[A-Za-z0-9_\-.]{1,128}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const REGISTRY = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/;

/**
 * Takes an image reference apart: `[host[:port]/]repository[:tag][@digest]`, with Docker Hub as the default host.
 *
 * @throws {ReferenceError} when the text is not a reference
 */
export function parseReference(text: string): Reference {
  const [beforeDigest = '', digest, ...more] = text.split('@');
  const { name, tag } = splitTag(beforeDigest);
  const { registry, path } = splitRegistry(name);
  const valid =
    more.length === 0 &&
    REGISTRY.test(registry) &&
    REPOSITORY.test(path) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!valid) throw new ReferenceError('InvalidReference', `could not parse reference: ${text}`);
  return {
    name,
    registry,
    repository: registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** {@link parseReference} for text that may be anything: `undefined` where that throws. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** The one spelling of a repository that all others come down to: `index.docker.io/library/nginx` for `nginx`. */
export function canonicalName(reference: Pick<Reference, 'registry' | 'repository'>): string {
  return `${reference.registry}/${reference.repository}`;
}

/** The part of a written reference that follows the name: `:1.2`, `@sha256:…`, both, or nothing. */
export function versionSuffix(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}

function splitTag(text: string): { name: string; tag?: string } {
  const colon = text.lastIndexOf(':');
  // A colon before the last slash belongs to the port of the host.
  if (colon < 0 || colon < text.lastIndexOf('/')) return { name: text };
  return { name: text.slice(0, colon), tag: text.slice(colon + 1) };
}

function splitRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost';
  return {
    registry: isHost && !DOCKER_HUB_ALIASES.has(first) ? first : DOCKER_HUB,
    path: isHost ? name.slice(slash + 1) : name,
  };
}
