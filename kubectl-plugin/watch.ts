import type { WatchEvent } from '../kube/watch.ts';
import type { Connection } from './connection.ts';
import { report } from './failure.ts';
import { follow } from './follow.ts';
import { resourceName, resourceType } from './names.ts';
import { IMAGE_SCAN, type ServerObject, serverObject, tolerant } from './objects.ts';
import { note, type OutputFlags, print, toJson, toYaml, visibleFields } from './output.ts';
import { Table } from './table.ts';

/**
 * Shows ImageScans, then each change as a line of its own, as `kubectl get --watch` does: the output can be read from a
 * pipe. That one was deleted is told on standard error. Ends when the process is interrupted, with exit code 1 as kubectl does.
 *
 * @throws {ApiError} when the server refuses, or the named ImageScan does not exist
 */
export async function watchStatus(
  { client, namespace: own }: Connection,
  name: string | undefined,
  flags: OutputFlags,
): Promise<void> {
  const { resource } = IMAGE_SCAN;
  const namespace = flags.allNamespaces ? undefined : own;
  // One that does not exist could be waited for; a misspelt name is more likely.
  if (name !== undefined) await client.get({ resource, namespace: own, name });
  const show = printer(flags);
  const seen = new Seen();
  const project = serverObject;
  for await (const change of follow(client, { resource, namespace, name, project }, interruption())) {
    const { shown, deleted } = seen.news(change);
    if (shown.length > 0) show(shown);
    for (const { name, namespace } of deleted)
      note(`${resourceType(IMAGE_SCAN.kind)} "${name}" deleted from ${namespace} namespace`);
  }
}

function interruption(): AbortSignal {
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    process.exitCode = 1;
    interrupted.abort();
  });
  return interrupted.signal;
}

interface Name {
  readonly namespace: string;
  readonly name: string;
}

/** What the user has been shown: the list that follows an interruption tells much of it again. */
class Seen {
  readonly #shown = new Map<string, Name & { readonly resourceVersion: string }>();

  news(change: WatchEvent<ServerObject>): { shown: readonly ServerObject[]; deleted: readonly Name[] } {
    switch (change.type) {
      case 'replaced': {
        const present = new Set(change.items.map(({ metadata }) => keyOf(metadata)));
        const gone = [...this.#shown.values()].filter((name) => !present.has(keyOf(name)));
        return { shown: change.items.filter((item) => this.#isNew(item)), deleted: this.#forget(gone) };
      }
      case 'put':
        return { shown: this.#isNew(change.item) ? [change.item] : [], deleted: [] };
      case 'deleted':
        return { shown: [], deleted: this.#forget([change]) };
      case 'alive':
      case 'absent':
        return { shown: [], deleted: [] };
    }
  }

  #isNew({ metadata }: ServerObject): boolean {
    const isKnown = this.#shown.get(keyOf(metadata))?.resourceVersion === metadata.resourceVersion;
    const { namespace, name, resourceVersion } = metadata;
    this.#shown.set(keyOf(metadata), { namespace, name, resourceVersion });
    return !isKnown;
  }

  /** @returns those of them that had been shown */
  #forget(names: readonly Name[]): Name[] {
    return names.filter((name) => this.#shown.delete(keyOf(name)));
  }
}

function keyOf({ namespace, name }: Name): string {
  return `${namespace}/${name}`;
}

function printer(flags: OutputFlags): (objects: readonly ServerObject[]) => void {
  const table = new Table(IMAGE_SCAN.headings(flags));
  const rows = tolerant(IMAGE_SCAN.rows(flags), report);
  let isFirst = true;
  return (objects) => {
    const documents = objects.map((object) => visibleFields(object, flags));
    switch (flags.output) {
      case 'json':
        return print(documents.map(toJson));
      case 'yaml':
        print(
          documents.flatMap((object, index) =>
            (isFirst && index === 0 ? [] : ['---']).concat(toYaml(object)),
          ),
        );
        isFirst = false;
        return undefined;
      case 'name':
        return print(objects.map(({ metadata }) => resourceName(IMAGE_SCAN.kind, metadata.name)));
      default:
        return print(table.lines(objects.map(rows).filter((row) => row !== undefined)));
    }
  };
}
