import type { KubeClient } from '../kube/client.ts';
import { ApiError, type ApiErrorCode } from '../kube/errors.ts';
import type { ObjectMeta } from '../kube/kinds/common.ts';
import type { ObjectPath } from '../kube/resource.ts';

const TRIES = 5;

/** An object before and after its status was written. */
export interface Written<T> {
  readonly before: T;
  readonly after: T;
}

/**
 * Writes the status that `next` makes of an object. The precondition on the resource version keeps what we have not seen
 * yet, and a former leader's last words, from being overwritten: on a conflict `next` is asked again about the object
 * as it is now.
 *
 * @returns undefined when the spec has changed meanwhile, so that the status would answer a question of yesterday, or when
 *   the object is gone; the watch tells of either
 * @throws {ApiError} when the server refuses, or conflicts do not end
 */
export async function writeStatus<T extends { readonly metadata: ObjectMeta }>(
  client: Pick<KubeClient, 'get' | 'patch'>,
  path: ObjectPath,
  object: T,
  { parse, next, signal }: { parse: (raw: unknown) => T; next: (object: T) => object; signal: AbortSignal },
): Promise<Written<T> | undefined> {
  let before = object;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const { resourceVersion } = before.metadata;
    const body = { metadata: { resourceVersion }, status: next(before) };
    try {
      const after = parse(await client.patch({ ...path, subresource: 'status' }, body, 'merge'));
      return { before, after };
    } catch (error) {
      if (codeOf(error) === 'NotFound') return undefined;
      if (codeOf(error) !== 'Conflict' || attempt === TRIES) throw error;
    }
    const fresh = await readAgain(client, path, signal);
    if (fresh === undefined) return undefined;
    before = parse(fresh);
    if (!isSameSpec(before, object)) return undefined;
  }
}

/** Do two readings of one name show the same object with the same spec? One deleted and made again starts to count anew. */
export function isSameSpec(
  a: { readonly metadata: ObjectMeta },
  b: { readonly metadata: ObjectMeta },
): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.generation === b.metadata.generation;
}

async function readAgain(
  client: Pick<KubeClient, 'get'>,
  path: ObjectPath,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return await client.get(path, signal);
  } catch (error) {
    if (codeOf(error) === 'NotFound') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): ApiErrorCode | undefined {
  return error instanceof ApiError ? error.code : undefined;
}
