import { oneLine } from '../core/one-line.ts';
import { listAll } from '../kube/list.ts';
import { type Connection, connected } from './connection.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import { durationFlag } from './duration-flag.ts';
import { report, ScanError, UsageError } from './failure.ts';
import { resourceName, scanName } from './names.ts';
import { IMAGE_SCAN, serverObject } from './objects.ts';
import { note, nothingFound, print } from './output.ts';
import { type Answer, answersTo } from './scan-answers.ts';
import { outcome } from './scan-outcome.ts';
import { type Asked, type Request, requestScans, type Target } from './scan-request.ts';

/** The flags of `scan`. */
export interface ScanFlags extends ConnectionFlags {
  readonly all?: boolean;
  readonly allNamespaces?: boolean;
  readonly wait?: boolean;
  /** A duration as `durationFlag` reads it. */
  readonly timeout: string;
}

/**
 * Asks for a scan of ImageScans now, and with `--wait` tells what each gave, in the order in which they were named. What
 * goes wrong with one is reported and does not stop the others.
 *
 * @throws {ApiError | KubeconfigError | UsageError}
 */
export async function scan(names: readonly string[], flags: ScanFlags): Promise<void> {
  checkUsage(names, flags);
  const wanted = [...new Set(names.map(scanName))];
  const timeoutMs = durationFlag('--timeout', flags.timeout);
  await connected(flags, async (connection) => {
    const { client, namespace } = connection;
    const targets = flags.all
      ? await allTargets(connection, flags)
      : wanted.map((name) => ({ namespace, name }));
    const requests = await requestScans(client, targets);
    const asked = requests.filter((request) => request.kind === 'asked');
    const answers = flags.wait ? answersTo(client, asked, timeoutMs) : undefined;
    for (const request of requests) {
      if (request.kind !== 'asked') tellRefusal(request, flags);
      else tell(request, await answers?.get(request), flags);
    }
  });
}

function checkUsage(names: readonly string[], { all, allNamespaces }: ScanFlags): void {
  const wrong =
    (names.length === 0 && !all && 'name the ImageScans to scan, or use --all') ||
    (names.length > 0 && all && 'use either names or --all') ||
    (allNamespaces && !all && '--all-namespaces goes with --all');
  if (wrong) throw new UsageError('Usage', wrong);
}

async function allTargets({ client, namespace }: Connection, flags: ScanFlags): Promise<Target[]> {
  const place = flags.allNamespaces ? {} : { namespace };
  const project = (raw: unknown): Target => {
    const { namespace, name } = serverObject(raw).metadata;
    return { namespace, name };
  };
  const { items } = await listAll(client, { resource: IMAGE_SCAN.resource, ...place }, { project });
  if (items.length === 0) note(nothingFound(flags, namespace));
  return items;
}

function tellRefusal(request: Exclude<Request, Asked>, flags: ScanFlags): void {
  if (request.kind === 'failed') return report(request.error);
  const text = `${label(request.target, flags)} is suspended, so it is not scanned`;
  // Who says all means all that can be scanned; who names one expects a scan.
  if (flags.all) note(text);
  else report(new ScanError('Suspended', text));
}

function tell({ target, before }: Asked, answer: Answer | undefined, flags: ScanFlags): void {
  const name = label(target, flags);
  if (answer === undefined) return print([`${name} scan requested`]);
  switch (answer.kind) {
    case 'lost':
      return report(answer.error);
    case 'deleted':
      return report(new ScanError('Deleted', `${name} was deleted before it was scanned`));
    case 'late':
      return report(
        new ScanError(
          'NoAnswer',
          `${name} was not scanned within ${flags.timeout}; is the reconciler running?`,
        ),
      );
    case 'scanned': {
      const { text, succeeded } = outcome(before.status, answer.scan);
      // Registries have their say in it.
      const line = `${name} ${oneLine(text, Infinity)}`;
      return succeeded ? print([line]) : report(new ScanError('Failed', line));
    }
  }
}

function label({ namespace, name }: Target, { allNamespaces }: ScanFlags): string {
  return `${resourceName(IMAGE_SCAN.kind, name)}${allNamespaces ? ` (${namespace})` : ''}`;
}
