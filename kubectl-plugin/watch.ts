import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import type { KubeClient } from '../kube/client.ts';
import { IMAGE_SCAN_KINDS } from '../kube/kinds/served.ts';
import type { WatchEvent } from '../kube/watch.ts';
import type { Connection } from './connection.ts';
import { report } from './failure.ts';
import { follow } from './follow.ts';
import { resourceName, resourceType } from './names.ts';
import { type ServerObject, serverObject, tolerant } from './objects.ts';
import { note, type OutputFlags, print, toJson, toYaml, visibleFields } from './output.ts';
import type { FoundScan } from './scan-finder.ts';
import { SHOWN_SCAN } from './shown.ts';
import { scanColumns } from './status-table.ts';
import { rowOf, Table } from './table.ts';

/**
 * Shows the ImageScans of both groups, then each change as a line of its own, as `kubectl get --watch` does: the output can be read
 * from a pipe. Fleet's come once ours were read, so that what is wrong with the connection is told once.
 * That one was deleted is told on standard error. Ends when the process is interrupted, with exit code 1 as kubectl does.
 *
 * @throws {ApiError} when the server refuses
 */
export async function watchAll({ client, namespace: own }: Connection, flags: OutputFlags): Promise<void> {
  const namespace = flags.allNamespaces ? undefined : own;
  const show = printer(flags);
  const failed = new AbortController();
  const signal = AbortSignal.any([interruption(), failed.signal]);
  const oursRead = Promise.withResolvers<void>();
  const ours = watchGroup(client, { group: OWN_GROUP, namespace }, show, signal, oursRead.resolve);
  try {
    await Promise.race([ours, oursRead.promise]);
    const fleets = { group: FLEET_GROUP, namespace, isOptional: true };
    await Promise.all([ours, watchGroup(client, fleets, show, signal)]);
  } finally {
    failed.abort();
  }
}

/** {@link watchAll} of one of them. */
export async function watchOne(
  { client, namespace }: Connection,
  { group, raw }: FoundScan,
  flags: OutputFlags,
): Promise<void> {
  const { name } = serverObject(raw).metadata;
  await watchGroup(client, { group, namespace, name }, printer(flags), interruption());
}

/** What is watched of a group. */
interface Watched {
  readonly group: Group;
  readonly namespace: string | undefined;
  readonly name?: string;
  readonly isOptional?: boolean;
}

async function watchGroup(
  client: KubeClient,
  { group, ...watched }: Watched,
  show: Show,
  signal: AbortSignal,
  onRead: () => void = () => {},
): Promise<void> {
  const seen = new Seen();
  const followed = { resource: IMAGE_SCAN_KINDS[group].resource, ...watched, project: serverObject };
  for await (const change of follow(client, followed, signal)) {
    const { shown, deleted } = seen.news(change);
    if (shown.length > 0) show(group, shown);
    for (const { name, namespace } of deleted)
      note(`${resourceType('ImageScan', group)} "${name}" deleted from ${namespace} namespace`);
    onRead();
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

/** Prints ImageScans of a group. */
type Show = (group: Group, objects: readonly ServerObject[]) => void;

function printer(flags: OutputFlags): Show {
  // One table for both groups, since their lines come as they will.
  const columns = scanColumns(flags);
  const table = new Table(columns.map(({ heading }) => heading));
  let isFirst = true;
  return (group, objects) => {
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
        return print(objects.map(({ metadata }) => resourceName('ImageScan', metadata.name, group)));
      default: {
        const row = tolerant((raw) => rowOf(columns, SHOWN_SCAN[group](raw)), report);
        return print(table.lines(objects.map(row).filter((cells) => cells !== undefined)));
      }
    }
  };
}
