import { FLEET_GROUP, OWN_GROUP } from '../core/group.ts';
import { type Connection, connected } from './connection.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import { UsageError } from './failure.ts';
import { list } from './listing.ts';
import { resourceName, scanRef } from './names.ts';
import {
  FLEET_GIT_REPO,
  FLEET_IMAGE_SCAN,
  GIT_REPO,
  IMAGE_SCAN,
  type Kind,
  serverObject,
  tolerant,
} from './objects.ts';
import {
  listOf,
  note,
  nothingFound,
  type OutputFlags,
  print,
  toJson,
  toYaml,
  visibleFields,
} from './output.ts';
import { type FoundScan, ScanFinder } from './scan-finder.ts';
import { type Row, Table } from './table.ts';
import { watchAll, watchOne } from './watch.ts';

/** The flags of `status`. */
export interface StatusFlags extends ConnectionFlags, OutputFlags {
  readonly watch?: boolean;
}

/**
 * Shows ImageScans with what each has in force, and unless one was named the GitRepos; of Fleet's kinds too, where the cluster has
 * them and the user may see them.
 *
 * @throws {ApiError | KubeconfigError | UsageError} or an AggregateError of them
 */
export async function status(name: string | undefined, flags: StatusFlags): Promise<void> {
  if (name !== undefined && flags.allNamespaces)
    throw new UsageError('Usage', 'an ImageScan cannot be shown by its name across all namespaces');
  const scan = name === undefined ? undefined : scanRef(name);
  await connected(flags, async (connection) => {
    if (scan === undefined) return flags.watch ? watchAll(connection, flags) : showAll(connection, flags);
    // One that does not exist could be waited for; a misspelt name is more likely.
    const found = await new ScanFinder(connection).find(scan);
    return flags.watch ? watchOne(connection, found, flags) : showOne(found, flags);
  });
}

/** What was kept of the objects of one kind. */
interface Found<T> {
  readonly kind: Kind;
  readonly items: readonly T[];
}

/** Finds objects, and keeps of each no more than the form of the output takes. */
type Find = <T>(keep: (kind: Kind) => (raw: unknown) => T) => Promise<Found<T>[]>;

/** In the order of the tables. */
const KINDS: readonly Kind[] = [IMAGE_SCAN, FLEET_IMAGE_SCAN, GIT_REPO, FLEET_GIT_REPO];

async function showOne({ group, raw }: FoundScan, flags: OutputFlags): Promise<void> {
  const kind = group === FLEET_GROUP ? FLEET_IMAGE_SCAN : IMAGE_SCAN;
  await show(
    async (keep) => [{ kind, items: [keep(kind)(raw)] }],
    flags,
    ([only]) => only,
  );
}

/** One kind may be forbidden to the user, or one object unreadable: what can be shown is shown. */
async function showAll({ client, namespace }: Connection, flags: OutputFlags): Promise<void> {
  const where = flags.allNamespaces ? {} : { namespace };
  const failures: unknown[] = [];
  const find: Find = async (keep) => {
    const lists = KINDS.map(async (kind) => {
      const read = tolerant(keep(kind), (error) => failures.push(error));
      const project = (raw: unknown) => (kind.isShown(raw) ? read(raw) : undefined);
      return { kind, items: await list(client, kind, where, project) };
    });
    const results = await Promise.allSettled(lists);
    failures.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
    return results
      .flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      .filter(isAnswer);
  };
  const count = await show(find, flags, listOf);
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be shown');
  const isTable = flags.output === undefined || flags.output === 'wide';
  if (isTable && count === 0) note(nothingFound(flags, namespace));
}

/** That there are none of Fleet's is what is to be expected, and no answer. */
function isAnswer({ kind, items }: Found<unknown>): boolean {
  return kind.group === OWN_GROUP || items.length > 0;
}

/** Prints what `find` finds. @returns how many objects that is */
async function show(
  find: Find,
  flags: OutputFlags,
  documentOf: (objects: readonly object[]) => unknown,
): Promise<number> {
  switch (flags.output) {
    case 'json':
    case 'yaml': {
      const found = await find(() => (raw) => visibleFields(serverObject(raw), flags));
      const document = documentOf(found.flatMap(({ items }) => items));
      if (found.length > 0) print([flags.output === 'json' ? toJson(document) : toYaml(document)]);
      return count(found);
    }
    case 'name': {
      const found = await find(
        ({ kind, group }) =>
          (raw) =>
            resourceName(kind, serverObject(raw).metadata.name, group),
      );
      print(found.flatMap(({ items }) => items));
      return count(found);
    }
    default: {
      const found = await find((kind) => kind.rows(flags));
      print(tables(found, flags));
      return count(found);
    }
  }
}

/** A table for each kind that has objects, an empty line between them. */
function tables(found: readonly Found<Row>[], flags: OutputFlags): string[] {
  return found
    .map(({ kind, items }) => new Table(kind.headings(flags)).lines(items))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function count(found: readonly Found<unknown>[]): number {
  return found.reduce((sum, { items }) => sum + items.length, 0);
}
