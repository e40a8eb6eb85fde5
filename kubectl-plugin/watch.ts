import type { KubeClient } from '../kube/client.ts';
import { API_VERSION } from '../kube/kinds/common.ts';
import { type ImageScan, parseImageScan } from '../kube/kinds/image-scan.ts';
import { IMAGE_SCANS } from '../kube/resource.ts';
import { listAndWatch } from '../kube/watch.ts';
import type { StatusFlags } from './status.ts';
import { scanColumns } from './status-table.ts';
import { table } from './table.ts';

/**
 * Shows ImageScans, then each change as a line of its own, until the process is interrupted: as `kubectl get --watch` does,
 * so that the output can be read from a pipe.
 */
export async function watchStatus(
  client: KubeClient,
  where: { readonly namespace?: string; readonly name?: string },
  flags: StatusFlags,
): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const { name, ...collection } = where;
  const changes = listAndWatch(
    client,
    { resource: IMAGE_SCANS, ...collection },
    {
      project: (raw) => ({
        raw: { apiVersion: API_VERSION, kind: 'ImageScan', ...(raw as object) },
        scan: parseImageScan(raw),
      }),
      signal: interrupted.signal,
      ...(name !== undefined && { fieldSelector: `metadata.name=${name}` }),
      onError: (error) => process.stderr.write(`${error.message}; trying again\n`),
    },
  );
  const show = printer(flags);
  const seen = new Map<string, string>();
  for await (const change of changes) {
    const items = change.type === 'replaced' ? change.items : change.type === 'put' ? [change.item] : [];
    // A list that follows an interruption tells again what was shown before.
    const news = items.filter(
      ({ scan: { metadata } }) => seen.get(metadata.uid) !== metadata.resourceVersion,
    );
    for (const {
      scan: { metadata },
    } of news)
      seen.set(metadata.uid, metadata.resourceVersion);
    await show(news);
  }
}

interface Watched {
  readonly raw: object;
  readonly scan: ImageScan;
}

function printer({
  output,
  allNamespaces = false,
}: StatusFlags): (items: readonly Watched[]) => Promise<void> {
  let isFirst = true;
  return async (items) => {
    if (items.length === 0) return;
    if (output === 'json') return write(items.map(({ raw }) => JSON.stringify(raw)));
    if (output === 'yaml') return write(await yamlDocuments(items));
    if (output === 'name')
      return write(items.map(({ scan }) => `imagescan.fleetscan.io/${scan.metadata.name}`));
    const view = { allNamespaces, wide: output === 'wide', now: Date.now() };
    const lines = table(
      scanColumns(view),
      items.map(({ scan }) => scan),
    );
    write(isFirst ? lines : lines.slice(1));
    isFirst = false;
  };
}

async function yamlDocuments(items: readonly Watched[]): Promise<string[]> {
  const { stringify } = await import('yaml');
  return items.map(({ raw }) => `---\n${stringify(raw, { lineWidth: 0 }).trimEnd()}`);
}

function write(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
