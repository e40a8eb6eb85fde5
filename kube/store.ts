import type { KubeClient } from './client.ts';
import type { ObjectPath } from './resource.ts';
import { listAndWatch, type WatchEvent, type WatchOptions } from './watch.ts';

/** What every stored thing can be found by. */
export interface Named {
  readonly namespace: string;
  readonly name: string;
}

export type Change<T> =
  | { readonly type: 'put'; readonly item: T; readonly previous?: T }
  | { readonly type: 'deleted'; readonly item: T };

export type StoreOptions<T> = Omit<WatchOptions<T>, 'signal'>;

/** A store of what `project` keeps of a collection; it is empty until {@link Store.run}. */
export function createStore<T extends Named>(
  client: KubeClient,
  path: ObjectPath,
  options: StoreOptions<T>,
): Store<T> {
  return new Store((signal) => listAndWatch<T>(client, path, { ...options, signal }));
}

/** What can be asked of objects that are kept in memory. */
export interface Collection<T> {
  /** Settles when the first list is complete, or the kind is known to be absent; never, if neither comes. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  readonly size: number;
  get(key: string): T | undefined;
  values(): IterableIterator<T>;
  /**
   * Calls `listener` after each change, with the collection already changed. A new list tells all its items as `put`, whether
   * they differ or not. What a listener throws ends the run that tells it.
   */
  onChange(listener: (change: Change<T>) => void): void;
}

/** A copy in memory of a collection on the API server, by `namespace/name`. */
export class Store<T extends Named> implements Collection<T> {
  readonly synced: Promise<void>;
  readonly #follow: (signal: AbortSignal) => AsyncIterable<WatchEvent<T>>;
  readonly #listeners: ((change: Change<T>) => void)[] = [];
  readonly #servedListeners: ((isServed: boolean) => void)[] = [];
  readonly #markSynced: () => void;
  #items = new Map<string, T>();
  #isSynced = false;
  #isServed = false;
  #lastContact = 0;

  constructor(follow: (signal: AbortSignal) => AsyncIterable<WatchEvent<T>>) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
    this.#follow = follow;
  }

  get(key: string): T | undefined {
    return this.#items.get(key);
  }

  values(): IterableIterator<T> {
    return this.#items.values();
  }

  get size(): number {
    return this.#items.size;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Has the API server such a kind, as far as is known? */
  get isServed(): boolean {
    return this.#isServed;
  }

  /** When the API server last said anything about this collection, in milliseconds since the epoch; 0: never. */
  get lastContact(): number {
    return this.#lastContact;
  }

  onChange(listener: (change: Change<T>) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls `listener` when the API server begins or ceases to have the kind, before the changes that come with it. */
  onServed(listener: (isServed: boolean) => void): void {
    this.#servedListeners.push(listener);
  }

  /** Follows the collection until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const event of this.#follow(signal)) {
      this.#lastContact = Date.now();
      this.#apply(event);
    }
  }

  #apply(event: WatchEvent<T>): void {
    this.#serve(event.type !== 'absent');
    switch (event.type) {
      case 'absent':
        return this.#replace([]);
      case 'replaced':
        return this.#replace(event.items);
      case 'put':
        return this.#put(event.item);
      case 'deleted':
        return this.#delete(keyOf(event));
      case 'alive':
        return;
    }
  }

  #serve(isServed: boolean): void {
    if (this.#isServed === isServed) return;
    this.#isServed = isServed;
    for (const listener of this.#servedListeners) listener(isServed);
  }

  #replace(items: readonly T[]): void {
    const present = new Set(items.map(keyOf));
    for (const key of this.#items.keys()) if (!present.has(key)) this.#delete(key);
    for (const item of items) this.#put(item);
    this.#isSynced = true;
    this.#markSynced();
  }

  #put(item: T): void {
    const key = keyOf(item);
    const previous = this.#items.get(key);
    this.#items.set(key, item);
    this.#tell({ type: 'put', item, ...(previous !== undefined && { previous }) });
  }

  #delete(key: string): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#items.delete(key);
    this.#tell({ type: 'deleted', item });
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function keyOf({ namespace, name }: Named): string {
  return `${namespace}/${name}`;
}
