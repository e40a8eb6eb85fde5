import type { WatchEvent } from '../kube/watch.ts';
import type { Connection } from './connection.ts';
import { follow } from './follow.ts';
import { resourceName } from './names.ts';
import { IMAGE_SCAN, type ServerObject, serverObject } from './objects.ts';
import { note, type OutputFlags, print, toJson, toYaml, visibleFields } from './output.ts';

/**
 * Shows ImageScans, then each change as a line of its own, as `kubectl get --watch` does: the output can be read from a
 * pipe. Ends when the process is interrupted, with exit code 1 as kubectl does. That one was deleted is told on standard error.
 *
 * @throws {ApiError} when the server refuses, or the named ImageScan does not exist
 */
export async function watchStatus(
  { client, namespace }: Connection,
  name: string | undefined,
  flags: OutputFlags,
): Promise<void> {
  const collection = { resource: IMAGE_SCAN.resource, ...(!flags.allNamespaces && { namespace }) };
  // A watch of what does not exist would wait for it; a misspelt name is more likely.
  if (name !== undefined) await client.get({ ...collection, name });
  const signal = interruption();
  const seen = new Seen();
  const show = printer(flags);
  for await (const change of follow(client, collection, { project: serverObject, name, signal })) {
    const { news, gone } = seen.tell(change);
    show(news);
    for (const { namespace, name } of gone)
      note(`${IMAGE_SCAN.resource.plural}`);
  }
}
