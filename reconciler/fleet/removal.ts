import { z } from 'zod';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import type { ObjectMeta } from '../../kube/kinds/common.ts';
import { understood } from '../../kube/list.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from '../../kube/resource.ts';

/** The API server is asked no more often than this, however many objects go at once. */
const PAUSE_MS = 1000;

const crd = z.object({
  metadata: z.object({ creationTimestamp: z.string(), deletionTimestamp: z.string().optional() }),
});

/** What became of the kind. `served`: since when this installation of it exists, in milliseconds since the epoch. */
export type KindState =
  | { readonly kind: 'served'; readonly since: number }
  | { readonly kind: 'going' }
  | { readonly kind: 'gone' };

/** Knows whether a kind of Fleet's is being removed from the cluster; asks once for all who want to know at one time. */
export class KindRemoval {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #crd: string;
  #last: { readonly begins: number; readonly state: Promise<KindState> } | undefined;

  /** @param crd the name of the kind's CustomResourceDefinition */
  constructor(
    client: Pick<KubeClient, 'get'>,
    crd: `${'imagescans' | 'gitrepos'}.fleet.cattle.io` = 'imagescans.fleet.cattle.io',
  ) {
    this.#client = client;
    this.#crd = crd;
  }

  /**
   * The state of the kind at or after a moment: an older answer would not know of a removal that began since.
   *
   * @param since of `performance.now()`
   * @throws {ApiError} when the API server does not say
   */
  async state(since: number, signal: AbortSignal): Promise<KindState> {
    if (this.#last === undefined || this.#last.begins < since) {
      const now = performance.now();
      const begins = Math.max(now, (this.#last?.begins ?? -PAUSE_MS) + PAUSE_MS);
      this.#last = { begins, state: this.#ask(begins - now, signal) };
    }
    return this.#last.state;
  }

  async #ask(pauseMs: number, signal: AbortSignal): Promise<KindState> {
    await delay(pauseMs, undefined, { signal });
    try {
      const path = { resource: CUSTOM_RESOURCE_DEFINITIONS, name: this.#crd };
      const { metadata } = understood(crd, await this.#client.get(path, signal), 'CustomResourceDefinition');
      if (metadata.deletionTimestamp !== undefined) return { kind: 'going' };
      return { kind: 'served', since: Date.parse(metadata.creationTimestamp) };
    } catch (error) {
      if (error instanceof ApiError && error.code === 'NotFound') return { kind: 'gone' };
      throw error;
    }
  }
}

/** Was an object taken by the removal of a kind? A kind that is younger than the object was removed and installed again since. */
export function wentWithKind({ metadata }: { readonly metadata: ObjectMeta }, state: KindState): boolean {
  if (state.kind !== 'served') return true;
  return metadata.creationTimestamp !== undefined && Date.parse(metadata.creationTimestamp) < state.since;
}
