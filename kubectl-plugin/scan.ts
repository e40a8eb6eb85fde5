import { messageOf } from '../core/errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { type ImageScan, parseImageScan, SCAN_REQUEST_ANNOTATION } from '../kube/kinds/image-scan.ts';
import { IMAGE_SCANS } from '../kube/resource.ts';
import { listAndWatch } from '../kube/watch.ts';
import { type ConnectionFlags, connection, durationFlag } from './connection.ts';
import { report, Unsuccessful, UsageError } from './failure.ts';
import { outcome } from './scan-outcome.ts';

/** The flags of `scan`. */
export interface ScanFlags extends ConnectionFlags {
  readonly all?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
}

/**
 * Asks for a scan of ImageScans now, and with `--wait` tells what each gave.
 *
 * @throws {UsageError} when none is named, or some beside `--all`
 * @throws {Unsuccessful} when a scan failed, or was not answered in time; the user has been told
 */
export async function scan(names: readonly string[], flags: ScanFlags): Promise<void> {
  if (names.length === 0 && !flags.all)
    throw new UsageError('Usage', 'name the ImageScans to scan, or use --all');
  if (names.length > 0 && flags.all) throw new UsageError('Usage', 'use either names or --all');
  const timeoutMs = await durationFlag('--timeout', flags.timeout);
  const { client, namespace } = await connection(flags);
  try {
    const wanted = flags.all ? await allNames(client, namespace) : names;
    if (wanted.length === 0) process.stderr.write(`No resources found in ${namespace} namespace.\n`);
    const results = await Promise.all(
      wanted.map((name) => scanOne(client, { namespace, name }, flags.wait === true ? timeoutMs : undefined)),
    );
    if (results.includes(false)) throw new Unsuccessful('Unsuccessful', 'not all scans succeeded');
  } finally {
    await client.close();
  }
}

interface Name {
  readonly namespace: string;
  readonly name: string;
}

async function allNames(client: KubeClient, namespace: string): Promise<string[]> {
  const names: string[] = [];
  for await (const change of scansOf(client, { namespace }, AbortSignal.timeout(30_000))) {
    if (change.type === 'replaced') names.push(...change.items.map(({ metadata }) => metadata.name));
    break;
  }
  return names;
}

/** @returns whether the scan was asked for and, where waited for, gave a result */
async function scanOne(client: KubeClient, where: Name, timeoutMs: number | undefined): Promise<boolean> {
  const label = `imagescan.fleetscan.io/${where.name}`;
  try {
    const request = new Date().toISOString();
    const before = await ask(client, where, request);
    if (before.spec.suspend) return tell(label, 'is suspended, so it is not scanned', false);
    if (timeoutMs === undefined) return tell(label, 'scan requested', true);
    const after = await answered(client, where, request, AbortSignal.timeout(timeoutMs));
    if (after === undefined)
      return tell(label, `no answer after ${timeoutMs / 1000} s; is the reconciler running?`, false);
    const { text, succeeded } = outcome(before.status, after);
    return tell(label, text, succeeded);
  } catch (error) {
    report(error);
    return false;
  }
}

async function ask(client: KubeClient, { namespace, name }: Name, request: string): Promise<ImageScan> {
  const body = { metadata: { annotations: { [SCAN_REQUEST_ANNOTATION]: request } } };
  return parseImageScan(await client.patch({ resource: IMAGE_SCANS, namespace, name }, body, 'merge'));
}

/** The ImageScan once it has handled a request, or another that came after it; undefined when the signal aborts first. */
async function answered(
  client: KubeClient,
  where: Name,
  request: string,
  signal: AbortSignal,
): Promise<ImageScan | undefined> {
  for await (const change of scansOf(client, where, signal)) {
    const [scan] = change.type === 'replaced' ? change.items : change.type === 'put' ? [change.item] : [];
    if (scan === undefined) continue;
    const handled = scan.status.lastHandledScanRequest;
    const latest = scan.metadata.annotations[SCAN_REQUEST_ANNOTATION];
    if (handled === request || (latest !== request && handled === latest)) return scan;
  }
  return undefined;
}

function scansOf(
  client: KubeClient,
  { namespace, name }: { namespace: string; name?: string },
  signal: AbortSignal,
) {
  return listAndWatch(
    client,
    { resource: IMAGE_SCANS, namespace },
    {
      project: parseImageScan,
      signal,
      ...(name !== undefined && { fieldSelector: `metadata.name=${name}` }),
      onError: (error) => process.stderr.write(`${messageOf(error)}; trying again\n`),
    },
  );
}

function tell(label: string, text: string, succeeded: boolean): boolean {
  (succeeded ? process.stdout : process.stderr).write(`${label} ${text}\n`);
  return succeeded;
}
