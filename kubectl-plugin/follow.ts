import type { KubeClient } from '../kube/client.ts';
import type { ApiError, ApiErrorCode } from '../kube/errors.ts';
import type { Resource } from '../kube/resource.ts';
import { listAndWatch, type WatchEvent } from '../kube/watch.ts';
import { isWithheld } from './listing.ts';
import { note } from './output.ts';

/** What is to be followed: a namespace (all when absent), and in it one object when a name is given. */
export interface Followed<T> {
  readonly resource: Resource;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly project: (raw: unknown) => T;
  /** That the cluster has no such kind, or the user may not see it, is no failure: it is looked for again and again. */
  readonly isOptional?: boolean;
}

const LOOK_AGAIN_MS = 10_000;

/** Answers that will not change however often we ask. */
const REFUSALS: ReadonlySet<ApiErrorCode> = new Set(['Forbidden', 'Unauthorized', 'NotFound', 'BadRequest']);

/**
 * {@link listAndWatch} for a person who waits: once the server has been reached, an interruption is told on standard error
 * and sat out until the signal aborts.
 *
 * @throws {ApiError} when the server cannot be reached in the first place, or refuses
 */
export async function* follow<T>(
  client: KubeClient,
  { resource, namespace, name, project, isOptional = false }: Followed<T>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void> {
  const refused = new AbortController();
  let isInTouch = false;
  const onError = (error: ApiError): void => {
    if (isOptional && !isInTouch && isWithheld(error)) return;
    if (!isInTouch || REFUSALS.has(error.code)) refused.abort(error);
    else note(`${error.message}; trying again`);
  };
  const path = { resource, ...(namespace !== undefined && { namespace }) };
  const changes = listAndWatch(client, path, {
    project,
    onError,
    signal: AbortSignal.any([signal, refused.signal]),
    ...(isOptional && { lookAgainMs: LOOK_AGAIN_MS }),
    ...(name !== undefined && { fieldSelector: `metadata.name=${name}` }),
  });
  for await (const change of changes) {
    isInTouch = change.type !== 'absent';
    yield change;
  }
  refused.signal.throwIfAborted();
}
