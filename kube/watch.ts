import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { Backoff } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { ApiError, needsRelist, statusError } from './errors.ts';
import { IdleTimer } from './idle.ts';
import { type ListOptions, listAll, understood } from './list.ts';
import type { ObjectPath } from './resource.ts';

/**
 * What became of a collection. `replaced`: this is all of it. `put`: created or changed. `deleted`: gone, or no longer kept
 * (also told of objects that were never kept). `alive`: nothing changed, but the server is in touch. `absent`: the server has
 * no such kind, or never let us read it.
 */
export type WatchEvent<T> =
  | { readonly type: 'replaced'; readonly items: T[] }
  | { readonly type: 'put'; readonly item: T }
  | { readonly type: 'deleted'; readonly namespace: string; readonly name: string }
  | { readonly type: 'alive' }
  | { readonly type: 'absent' };

/** What a list and a watch have in common comes from {@link ListOptions}; what `project` throws ends the watch. */
export interface WatchOptions<T> extends ListOptions<T> {
  readonly signal: AbortSignal;
  /** For a kind that a cluster may not have: that it is not there is told as `absent`, and it is looked for again this often. */
  readonly lookAgainMs?: number;
  /** Told of every failure, and when the next attempt begins. */
  readonly onError?: (error: ApiError, delayMs: number) => void;
  /** For tests: a watch without a line for this long is given up. The server sends a bookmark about every minute. */
  readonly idleMs?: number;
  /** For tests: the pauses after failures. */
  readonly backoff?: Backoff;
}

const IDLE_MS = 150_000;
/** A watch that ends sooner than this, with nothing said, counts as a failure: else we would ask without a pause. */
const SHORTEST_WATCH_MS = 1000;

const event = z.object({ type: z.string(), object: z.unknown() });
const identity = z.object({
  metadata: z.object({
    resourceVersion: z.string(),
    namespace: z.string().default(''),
    name: z.string().default(''),
  }),
});

/**
 * Lists a collection and follows its changes until the signal aborts; then it returns. It outlives everything that the
 * server or the network can do: a resourceVersion that is too old leads to a new list, any other failure to a jittered pause
 * and another try from the last resourceVersion. Leaving the loop closes the connection.
 */
export async function* listAndWatch<T>(
  client: KubeClient,
  path: ObjectPath,
  options: WatchOptions<T>,
): AsyncGenerator<WatchEvent<T>, void> {
  const { signal, backoff = new Backoff() } = options;
  let position: string | undefined;
  let isKnown = false;
  while (!signal.aborted) {
    try {
      if (position === undefined) {
        const { items, resourceVersion } = await listAll(client, path, options);
        yield { type: 'replaced', items };
        position = resourceVersion;
        isKnown = true;
      }
      for await (const { change, resourceVersion } of watchFrom(client, path, position, options)) {
        yield change;
        position = resourceVersion;
        backoff.reset();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      const isAbsent = options.lookAgainMs !== undefined && tellsOfAbsence(error, isKnown);
      if (isAbsent || needsRelist(error)) position = undefined;
      if (isAbsent) isKnown = false;
      const pause = isAbsent ? options.lookAgainMs : backoff.next();
      if (error.code !== 'NotFound' || !isAbsent) options.onError?.(error, pause);
      if (isAbsent) yield { type: 'absent' };
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Who was let in before will be again: then what is known stays. */
function tellsOfAbsence({ code }: ApiError, isKnown: boolean): boolean {
  return code === 'NotFound' || (code === 'Forbidden' && !isKnown);
}

async function* watchFrom<T>(
  client: KubeClient,
  path: ObjectPath,
  resourceVersion: string,
  { project, signal, labelSelector, fieldSelector, idleMs = IDLE_MS }: WatchOptions<T>,
): AsyncGenerator<{ change: WatchEvent<T>; resourceVersion: string }> {
  const query = {
    resourceVersion,
    allowWatchBookmarks: 'true',
    // Spread out, so that the watches of all replicas do not end together.
    timeoutSeconds: String(300 + Math.floor(Math.random() * 300)),
    ...(labelSelector && { labelSelector }),
    ...(fieldSelector && { fieldSelector }),
  };
  using idle = new IdleTimer(idleMs);
  const begun = performance.now();
  let count = 0;
  for await (const line of client.watchLines(path, query, AbortSignal.any([signal, idle.signal]))) {
    idle.touch();
    count += 1;
    yield readEvent(line, project);
    idle.touch();
  }
  if (count === 0 && performance.now() - begun < SHORTEST_WATCH_MS) {
    throw new ApiError('Server', 'the API server ended a watch as soon as it began');
  }
}

function readEvent<T>(
  line: string,
  project: (object: unknown) => T | undefined,
): { change: WatchEvent<T>; resourceVersion: string } {
  const { type, object } = understood(event, parseLine(line), 'watch event');
  if (type === 'ERROR')
    throw (
      statusError(object) ?? new ApiError('Server', 'the watch failed and the API server did not say why')
    );
  const { namespace, name, resourceVersion } = understood(identity, object, `${type} event`).metadata;
  return { change: changeOf(type, namespace, name, () => project(object)), resourceVersion };
}

function changeOf<T>(
  type: string,
  namespace: string,
  name: string,
  project: () => T | undefined,
): WatchEvent<T> {
  switch (type) {
    case 'ADDED':
    case 'MODIFIED': {
      const item = project();
      return item === undefined ? { type: 'deleted', namespace, name } : { type: 'put', item };
    }
    case 'DELETED':
      return { type: 'deleted', namespace, name };
    case 'BOOKMARK':
      return { type: 'alive' };
    default:
      throw new ApiError('Server', `the API server sent a watch event of the unknown type "${type}"`);
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
