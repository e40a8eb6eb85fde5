import { type Connection, connected } from './connection.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import { UsageError } from './failure.ts';
import { resourceName, scanName } from './names.ts';
import { GIT_REPO, IMAGE_SCAN, type Kind, listObjects, type ServerObject, serverObject } from './objects.ts';
import { listOf, note, type OutputFlags, print, toJson, toYaml, visibleFields } from './output.ts';
import { watchStatus } from './watch.ts';

/** The flags of `status`. */
export interface StatusFlags extends ConnectionFlags, OutputFlags {
  readonly watch?: boolean;
}

/** Objects of one kind. */
interface Found {
  readonly kind: Kind;
  readonly objects: readonly ServerObject[];
}

/**
 * Shows ImageScans with what each has in force, and unless one was named the GitRepos.
 *
 * @throws {ApiError | KubeconfigError | UsageError} or an AggregateError of them
 */
export async function status(name: string | undefined, flags: StatusFlags): Promise<void> {
  if (name !== undefined && flags.allNamespaces)
    throw new UsageError('Usage', 'an ImageScan cannot be shown by its name across all namespaces');
  const scan = name === undefined ? undefined : scanName(name);
  await connected(flags, async (connection) => {
    if (flags.watch) return watchStatus(connection, scan, flags);
    if (scan === undefined) return showAll(connection, flags);
    return showOne(connection, scan, flags);
  });
}

async function showOne({ client, namespace }: Connection, name: string, flags: StatusFlags): Promise<void> {
  const object = serverObject(await client.get({ resource: IMAGE_SCAN.resource, namespace, name }));
  show([{ kind: IMAGE_SCAN, objects: [object] }], flags, ([only]) => only);
}

/** One kind may be forbidden to the user and the other not: what can be shown is shown. */
async function showAll({ client, namespace }: Connection, flags: StatusFlags): Promise<void> {
  const where = flags.allNamespaces ? {} : { namespace };
  const list = async (kind: Kind): Promise<Found> => ({
    kind,
    objects: await listObjects(client, { resource: kind.resource, ...where }),
  });
  const answers = await Promise.allSettled([list(IMAGE_SCAN), list(GIT_REPO)]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  if (found.length > 0) show(found, flags, listOf);
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be listed');
  const isTable = flags.output === undefined || flags.output === 'wide';
  if (isTable && found.every(({ objects }) => objects.length === 0))
    note(flags.allNamespaces ? 'No resources found' : `No resources found in ${namespace} namespace.`);
}

function show(
  found: readonly Found[],
  flags: StatusFlags,
  documentOf: (objects: readonly ServerObject[]) => unknown,
): void {
  const document = (): unknown =>
    documentOf(found.flatMap(({ objects }) => objects.map((object) => visibleFields(object, flags))));
  switch (flags.output) {
    case 'json':
      return print([toJson(document())]);
    case 'yaml':
      return print([toYaml(document())]);
    case 'name':
      return print(
        found.flatMap(({ kind, objects }) => objects.map(({ metadata }) => resourceName(kind.kind, metadata.name))),
      );
    default:
      return print(tables(found, flags));
  }
}

/** A table for each kind that has objects, with an empty line between them. */
function tables(found: readonly Found[], flags: StatusFlags): string[] {
  return found
    .map(({ kind, objects }) => kind.table(flags)(objects))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}
