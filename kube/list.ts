import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import type { ObjectPath } from './resource.ts';

export interface ListOptions<T> {
  /** What is kept of an object, taken while its page is in memory; undefined: nothing. */
  readonly project: (object: unknown) => T | undefined;
  readonly signal?: AbortSignal;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects in one answer. Default 500. */
  readonly pageSize?: number;
}

const page = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
});

/**
 * Reads the collection page by page, and gives the event loop a turn between reading a page and projecting it.
 *
 * No resourceVersion is sent. With "0" the server would answer from its cache at once, but ignores the limit (all objects in
 * one answer), and after a restart or behind another replica it may show a state older than one we have already seen. A
 * list without it is consistent, and since Kubernetes 1.31 comes from the cache all the same.
 *
 * @throws {ApiError} also 'Expired', when the server forgot the list before its last page was read
 */
export async function listAll<T>(
  client: KubeClient,
  path: ObjectPath,
  { project, signal, labelSelector, fieldSelector, pageSize = 500 }: ListOptions<T>,
): Promise<{ items: T[]; resourceVersion: string }> {
  const items: T[] = [];
  const query = {
    limit: pageSize,
    ...(labelSelector && { labelSelector }),
    ...(fieldSelector && { fieldSelector }),
  };
  let next: string | undefined;
  for (;;) {
    const answer = await client.list(path, { ...query, ...(next && { continue: next }) }, signal);
    const { metadata, items: objects } = understood(page, answer, 'list');
    await setImmediate();
    for (const object of objects ?? []) {
      const item = project(object);
      if (item !== undefined) items.push(item);
    }
    next = metadata.continue;
    if (next === undefined || next === '') return { items, resourceVersion: metadata.resourceVersion };
  }
}

/**
 * Reads what the API server sent by a schema.
 *
 * @throws {ApiError} 'Server' when it has not that form
 */
export function understood<S extends z.ZodType>(schema: S, value: unknown, what: string): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ApiError(
    'Server',
    `the API server sent a ${what} that is none: ${z.prettifyError(parsed.error)}`,
  );
}
