import type { KubeClient } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
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
 * @returns undefined when the spec has changed meanwhile, so that the status would answer a question of yesterday
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
      return { before, after: parse(await client.patch({ ...path, subresource: 'status' }, body, 'merge')) };
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'Conflict' || attempt === TRIES) throw error;
    }
    before = parse(await client.get(path, signal));
    if (before.metadata.generation !== object.metadata.generation) return undefined;
  }
}
