import { FLEET_GROUP, type Group, OWN_GROUP } from '../core/group.ts';
import { oneLine } from '../core/one-line.ts';
import { IMAGE_SCAN_KINDS } from '../kube/kinds/served.ts';
import { type Connection, connected } from './connection.ts';
import type { ConnectionFlags } from './connection-flags.ts';
import { durationFlag } from './duration-flag.ts';
import { report, ScanError, UsageError } from './failure.ts';
import { list, ofBothGroups } from './listing.ts';
import { resourceName, type ScanRef, scanRef } from './names.ts';
import { serverObject } from './objects.ts';
import { note, nothingFound, print } from './output.ts';
import { type Answer, answersTo } from './scan-answers.ts';
import { ScanFinder } from './scan-finder.ts';
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
  const wanted = names.map(scanRef);
  const timeoutMs = durationFlag('--timeout', flags.timeout);
  await connected(flags, async (connection) => {
    const { client } = connection;
    const targets = flags.all ? await allTargets(connection, flags) : await namedTargets(connection, wanted);
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
  const targets = await ofBothGroups((group) => {
    const { resource } = IMAGE_SCAN_KINDS[group];
    return list(client, { group, resource }, place, (raw): Target => {
      const { namespace, name } = serverObject(raw).metadata;
      return { group, namespace, name };
    });
  });
  if (targets.length === 0) note(nothingFound(flags, namespace));
  return targets;
}

/** What is not found is reported at once: the others may take their time. */
async function namedTargets(connection: Connection, refs: readonly ScanRef[]): Promise<Target[]> {
  const { found, failures } = await new ScanFinder(connection).findAll(refs);
  failures.forEach(report);
  return found;
}

const WHY_LATE: Readonly<Record<Group, string>> = {
  [OWN_GROUP]: 'is the reconciler running?',
  [FLEET_GROUP]: "is the reconciler running, and does it serve Fleet's objects (chart value fleet.takeover)?",
};

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
          `${name} was not scanned within ${flags.timeout}; ${WHY_LATE[target.group]}`,
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

function label({ group, namespace, name }: Target, { allNamespaces }: ScanFlags): string {
  return `${resourceName('ImageScan', name, group)}${allNamespaces ? ` (${namespace})` : ''}`;
}
