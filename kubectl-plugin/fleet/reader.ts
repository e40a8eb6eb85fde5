import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { listAll } from '../../kube/list.ts';
import type { Resource } from '../../kube/resource.ts';
import { tolerant } from '../objects.ts';

/** Objects of one kind. */
export interface Listing<T> {
  readonly items: readonly T[];
  /** Are they all that there are? */
  readonly isWhole: boolean;
}

/** Reads what the user may read, and remembers what could not be, a sentence each. */
export class Reader {
  readonly unread: string[] = [];
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * The objects of all namespaces; where that is forbidden, those of the given ones that the user may read. A kind that is not
   * served has none.
   *
   * @param project undefined: the object is of no interest
   * @returns undefined when none of it may be read
   * @throws {ApiError} for anything but a refusal
   */
  async list<T>(
    resource: Resource,
    project: (raw: unknown) => T | undefined,
    namespaces: readonly string[],
  ): Promise<Listing<T> | undefined> {
    const all = await this.#tryList(resource, project);
    if (!(all instanceof ApiError)) return all;
    const read = new Map<string, Listing<T>>();
    for (const namespace of namespaces) {
      const some = await this.#tryList(resource, project, namespace);
      if (!(some instanceof ApiError)) read.set(namespace, some);
    }
    const rest = read.size > 0 ? `; read were those of ${[...read.keys()].join(', ')}` : '';
    this.unread.push(`${all.message}${rest}`);
    if (read.size === 0) return undefined;
    return { items: [...read.values()].flatMap(({ items }) => items), isWhole: false };
  }

  async #tryList<T>(
    resource: Resource,
    project: (raw: unknown) => T | undefined,
    namespace?: string,
  ): Promise<Listing<T> | ApiError> {
    const path = { resource, ...(namespace !== undefined && { namespace }) };
    let isWhole = true;
    const read = tolerant(project, ({ message }) => {
      isWhole = false;
      this.unread.push(message);
    });
    try {
      const { items } = await listAll(this.#client, path, { project: read });
      return { items, isWhole };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === 'Forbidden') return error;
      if (error.code === 'NotFound') return { items: [], isWhole: true };
      throw error;
    }
  }
}
