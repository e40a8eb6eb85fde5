import { FLEET_GROUP, type ObjectName, OWN_GROUP } from '../core/group.ts';
import type { Change, Collection, Store } from './store.ts';

const FLEET_PREFIX = `${FLEET_GROUP}/`;

/** The objects of a kind of ours and of Fleet's kind of the same name, by their `objectKey`. */
export class Union<T extends ObjectName> implements Collection<T> {
  readonly synced: Promise<void>;
  readonly #ours: Store<T>;
  readonly #fleets: Store<T>;

  constructor(stores: { readonly [OWN_GROUP]: Store<T>; readonly [FLEET_GROUP]: Store<T> }) {
    this.#ours = stores[OWN_GROUP];
    this.#fleets = stores[FLEET_GROUP];
    this.synced = Promise.all([this.#ours.synced, this.#fleets.synced]).then(() => undefined);
  }

  get isSynced(): boolean {
    return this.#ours.isSynced && this.#fleets.isSynced;
  }

  get size(): number {
    return this.#ours.size + this.#fleets.size;
  }

  get(key: string): T | undefined {
    return key.startsWith(FLEET_PREFIX)
      ? this.#fleets.get(key.slice(FLEET_PREFIX.length))
      : this.#ours.get(key);
  }

  *values(): Generator<T, undefined> {
    yield* this.#ours.values();
    yield* this.#fleets.values();
    return undefined;
  }

  onChange(listener: (change: Change<T>) => void): void {
    this.#ours.onChange(listener);
    this.#fleets.onChange(listener);
  }
}
