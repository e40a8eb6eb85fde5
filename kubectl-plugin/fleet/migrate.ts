import type { KubeClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { connected } from '../connection.ts';
import type { ConnectionFlags } from '../connection-flags.ts';
import { PartError, report } from '../failure.ts';
import { resourceName } from '../names.ts';
import { listOf, note, nothingFound, print, toJson, toYaml } from '../output.ts';
import { apply, type Work } from './apply.ts';
import { find } from './find.ts';
import { nextSteps } from './next-steps.ts';
import { type Item, plan, type Source } from './plan.ts';

/** The flags of `fleet migrate`. */
export interface MigrateFlags extends ConnectionFlags {
  readonly allNamespaces?: boolean;
  readonly output?: 'json' | 'yaml';
  readonly dryRun?: 'none' | 'server';
}

/**
 * Makes objects of ours of Fleet's, or with `--output` prints them. What goes wrong with one is reported and does not stop the
 * others.
 *
 * @throws {ApiError | KubeconfigError | UsageError}
 */
export async function migrate(flags: MigrateFlags): Promise<void> {
  await connected(flags, async ({ client, namespace }) => {
    const found = await find(client, flags.allNamespaces ? undefined : namespace, report);
    const groups = plan(found);
    if (groups.length === 0) return note(nothingFound(flags, namespace));
    for (const item of groups.flat()) tellRemarks(item, flags);
    if (flags.output !== undefined) return printManifests(groups.flat(), flags.output);
    const done: Work[] = [];
    for (const group of groups) done.push(...(await applyGroup(client, group, flags)));
    if (flags.dryRun !== 'server') print(nextSteps(done));
  });
}

/** What cannot be converted, or not as it stood. */
function tellRemarks(item: Item, flags: MigrateFlags): void {
  const from = fleetName(item.source, flags);
  if (item.kind === 'refused') report(new PartError('Failed', `${from}: ${item.message}`));
  if (item.kind === 'apply') for (const text of item.notes) note(`Warning: ${from}: ${text}`);
}

function printManifests(items: readonly Item[], output: 'json' | 'yaml'): void {
  const objects = items.flatMap((item) => (item.kind === 'apply' ? [item.object] : []));
  print([output === 'json' ? toJson(listOf(objects)) : toYaml(listOf(objects))]);
}

/** Applies ImageScans together, and after them their GitRepo. @returns what could be applied */
async function applyGroup(client: KubeClient, group: readonly Item[], flags: MigrateFlags): Promise<Work[]> {
  const work = group.filter((item) => item.kind !== 'refused');
  const scans = work.filter(({ source }) => source.kind === 'ImageScan');
  const gitRepos = work.filter(({ source }) => source.kind === 'GitRepo');
  return [...(await applyAll(client, scans, flags)), ...(await applyAll(client, gitRepos, flags))];
}

/** Applies them at one time, and tells of each in order. */
async function applyAll(client: KubeClient, works: readonly Work[], flags: MigrateFlags): Promise<Work[]> {
  const isDryRun = flags.dryRun === 'server';
  const results = await Promise.allSettled(works.map((work) => apply(client, work, isDryRun)));
  return works.filter((work, index) => {
    const result = results[index];
    if (result?.status !== 'fulfilled') {
      report(reasonOf(result?.reason, work, flags));
      return false;
    }
    print([`${ownName(work, flags)} ${result.value}${isDryRun ? ' (server dry run)' : ''}`]);
    return true;
  });
}

function reasonOf(error: unknown, work: Work, flags: MigrateFlags): unknown {
  return error instanceof ApiError && error.code === 'Conflict' ? changedSince(error, work, flags) : error;
}

function changedSince(error: ApiError, work: Work, flags: MigrateFlags): PartError {
  const text = error.message.replaceAll(/\s+/g, ' ');
  return new PartError(
    'Failed',
    `${ownName(work, flags)} was changed by somebody else, and is left alone: ${text}`,
  );
}

function ownName(work: Work, flags: MigrateFlags): string {
  const { namespace, name } = work.kind === 'carry' ? work.scan.metadata : work.object.metadata;
  return `${resourceName(work.source.kind, name)}${inNamespace(namespace, flags)}`;
}

function fleetName({ kind, namespace, name }: Source, flags: MigrateFlags): string {
  return `${kind.toLowerCase()}.fleet.cattle.io/${name}${inNamespace(namespace, flags)}`;
}

function inNamespace(namespace: string, { allNamespaces }: MigrateFlags): string {
  return allNamespaces ? ` (${namespace})` : '';
}
