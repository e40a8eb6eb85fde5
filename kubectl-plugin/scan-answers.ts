import type { Group } from '../core/group.ts';
import type { KubeClient } from '../kube/client.ts';
import { type ImageScan, SCAN_REQUEST_ANNOTATION } from '../kube/kinds/image-scan.ts';
import { IMAGE_SCAN_KINDS } from '../kube/kinds/served.ts';
import type { WatchEvent } from '../kube/watch.ts';
import { follow } from './follow.ts';
import { type ServerObject, serverObject } from './objects.ts';
import type { Asked } from './scan-request.ts';

/** What came of waiting for a scan. */
export type Answer =
  | { readonly kind: 'scanned'; readonly scan: ImageScan }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'late' }
  | { readonly kind: 'lost'; readonly error: unknown };

/** Waits, with one watch for all of a group, until the scans that were asked for are done or `timeoutMs` is over. None is rejected. */
export function answersTo(
  client: KubeClient,
  asked: readonly Asked[],
  timeoutMs: number,
): ReadonlyMap<Asked, Promise<Answer>> {
  const waits = [...Map.groupBy(asked, ({ target }) => target.group)].map(([group, ofGroup]) => {
    const waiting = new Waiting(group, ofGroup);
    void waiting.run(client, timeoutMs);
    return waiting.answers;
  });
  return new Map(waits.flatMap((answers) => [...answers]));
}

class Waiting {
  readonly answers = new Map<Asked, Promise<Answer>>();
  readonly #open = new Map<string, { readonly asked: Asked; readonly resolve: (answer: Answer) => void }>();
  readonly #done = new AbortController();
  readonly #group: Group;

  constructor(group: Group, asked: readonly Asked[]) {
    this.#group = group;
    for (const one of asked) {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      this.answers.set(one, promise);
      this.#open.set(keyOf(one.target), { asked: one, resolve });
    }
  }

  async run(client: KubeClient, timeoutMs: number): Promise<void> {
    const { resource } = IMAGE_SCAN_KINDS[this.#group];
    const followed = { resource, ...this.#place(), project: serverObject };
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#done.signal]);
    try {
      for await (const change of follow(client, followed, signal)) this.#look(change);
      this.#closeAll({ kind: 'late' });
    } catch (error) {
      this.#closeAll({ kind: 'lost', error });
    }
  }

  /** The least to watch: one ImageScan, a namespace, or all of them. */
  #place(): { namespace?: string; name?: string } {
    const targets = [...this.answers.keys()].map(({ target }) => target);
    const [first, ...others] = targets;
    if (first === undefined || others.some(({ namespace }) => namespace !== first.namespace)) return {};
    const { namespace, name } = first;
    return others.length === 0 ? { namespace, name } : { namespace };
  }

  #look(change: WatchEvent<ServerObject>): void {
    switch (change.type) {
      case 'replaced': {
        const present = new Set(change.items.map(({ metadata }) => keyOf(metadata)));
        for (const key of this.#open.keys()) if (!present.has(key)) this.#close(key, { kind: 'deleted' });
        for (const scan of change.items) this.#lookAt(scan);
        return;
      }
      case 'put':
        return this.#lookAt(change.item);
      case 'deleted':
        return this.#close(keyOf(change), { kind: 'deleted' });
      case 'alive':
      case 'absent':
    }
  }

  #lookAt(object: ServerObject): void {
    const key = keyOf(object.metadata);
    const entry = this.#open.get(key);
    if (entry === undefined) return;
    const scan = IMAGE_SCAN_KINDS[this.#group].parse(object);
    if (isAnswered(scan, entry.asked.request)) this.#close(key, { kind: 'scanned', scan });
  }

  #close(key: string, answer: Answer): void {
    this.#open.get(key)?.resolve(answer);
    this.#open.delete(key);
    if (this.#open.size === 0) this.#done.abort();
  }

  #closeAll(answer: Answer): void {
    for (const key of this.#open.keys()) this.#close(key, answer);
  }
}

/**
 * Has a scan begun after the request, and ended? Somebody may have asked again meanwhile: then their request, which came
 * after ours, is the one to be answered.
 */
function isAnswered({ metadata, status }: ImageScan, request: string): boolean {
  const handled = status.lastHandledScanRequest;
  const latest = metadata.annotations[SCAN_REQUEST_ANNOTATION];
  return handled === request || (latest !== request && handled !== undefined && handled === latest);
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
